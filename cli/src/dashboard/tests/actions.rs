//! The forms of the pages by plain requests.

use domain::manifest::Manifest;

use super::*;
use crate::local::lock;

const ACTIONS: [&str; 9] =
    ["pin", "unpin", "caption", "restore", "approve", "evaluate", "dry-run", "delete", "generate"];

fn id(file: &str) -> String {
    picture_id(&Place::Set(file.to_owned()))
}

fn trash_id() -> String {
    picture_id(&Place::Trash { plan_id: "plan-1".to_owned(), file: "old.jpg".to_owned() })
}

impl Browser {
    /// Sends a form as a page of the dashboard does.
    async fn press(&self, path: &str, body: &str) -> Seen {
        self.submit(path, body, &[("sec-fetch-site", "same-origin")]).await
    }

    async fn submit(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Seen {
        let mut request = self.request(path).method("POST").header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// The page to which an action led.
    async fn follow(&self, seen: &Seen) -> String {
        assert_eq!(seen.status, 303, "{}", seen.text());
        self.get(seen.address()).await.text()
    }

    fn manifest(&self) -> Manifest {
        serde_json::from_slice(&fs::read(self.sample.actor_dir().join("manifest.json")).unwrap()).unwrap()
    }

    fn files(&self) -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut dirs = vec![self.sample.actor_dir()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    files.push((path.clone(), fs::read(path).unwrap()));
                }
            }
        }
        files.sort();
        files
    }
}

impl Seen {
    fn address(&self) -> &str {
        self.headers["location"].to_str().unwrap()
    }
}

#[tokio::test]
async fn selected_images_are_pinned_and_undone() {
    let browser = Browser::open().await;
    let form = format!("image={}&image={}&back=set&show=yours&sort=name", id("hero_1.jpg"), id(REVERSED));
    let seen = browser.press("/a/hero/pin", &form).await;
    assert!(seen.address().starts_with("/a/hero?show=yours&sort=name&note="), "{}", seen.address());
    let pinned = |file: &str| browser.manifest().images[file].pinned;
    assert!(pinned("hero_1.jpg") && pinned(REVERSED) && !pinned(BREAKS_OUT));
    let page = browser.follow(&seen).await;
    assert!(page.contains("Pinned hero_1.jpg, a") && page.contains("action=\"/a/hero/unpin\""), "{page}");
    assert_eq!(page.matches("<span class=\"pin\">").count(), 1, "one of the two is yours: {page}");
    assert!(!browser.follow(&seen).await.contains("data-act=\"undo\""), "shown once");
    let undo = format!("only={}&image={}", id("hero_1.jpg"), id(REVERSED));
    let page = browser.follow(&browser.press("/a/hero/unpin", &undo).await).await;
    assert!(page.contains("Unpinned hero_1.jpg."), "{page}");
    assert!(!pinned("hero_1.jpg") && pinned(REVERSED), "a button of one image concerns only that");
}

#[tokio::test]
async fn deleted_image_is_restored_from_the_history() {
    let browser = Browser::open().await;
    assert!(browser.get("/a/hero/history").await.text().contains("Restore and pin"));
    let seen = browser.press("/a/hero/restore", &format!("image={}&back=history", trash_id())).await;
    assert!(seen.address().starts_with("/a/hero/history?note="), "{}", seen.address());
    assert!(browser.follow(&seen).await.contains("Restored and pinned old.jpg."));
    assert_eq!(fs::read(browser.sample.actor_dir().join("training_data/old.jpg")).unwrap(), picture(98));
    assert!(browser.manifest().images["old.jpg"].pinned && browser.manifest().trash.is_empty());
    assert_eq!(browser.press("/a/hero/restore", &format!("image={}", trash_id())).await.status, 404, "again");
}

#[tokio::test]
async fn all_of_an_event_is_restored() {
    let browser = Browser::open().await;
    let id = trash_id();
    let nothing = browser.press("/a/hero/restore", "event=plan-2").await;
    assert_eq!(nothing.status, 409, "{}", nothing.text());
    let seen = browser.press("/a/hero/restore", &format!("event=plan-1&back=image&back_image={id}")).await;
    let page = browser.follow(&seen).await;
    assert!(page.contains("Restored and pinned old.jpg.") && page.contains("<h1>"), "{page}");
    assert!(seen.address().starts_with(&Browser::image("old.jpg")), "{}", seen.address());
}

#[tokio::test]
async fn caption_is_saved_escaped_and_removed() {
    let browser = Browser::open().await;
    let (image, page) = (id("hero_1.jpg"), Browser::image("hero_1.jpg"));
    let form = |rest: &str| format!("image={image}&back=image&back_image={image}&{rest}");
    let hostile = form("text=%3C%2Ftextarea%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E+%22by+the%0Asea");
    let seen = browser.press("/a/hero/caption", &hostile).await;
    assert!(seen.address().starts_with(&format!("{page}?note=")), "{}", seen.address());
    let caption = || browser.manifest().images["hero_1.jpg"].caption.clone();
    assert_eq!(caption().as_deref(), Some("</textarea><script>alert(1)</script> \"by the sea"));
    let shown = browser.follow(&seen).await;
    assert!(shown.contains("Saved the caption of hero_1.jpg.") && shown.contains("&lt;/textarea&gt;&lt;script&gt;"));
    assert_eq!(shown.matches("<script").count(), 1, "{shown}");
    for (wrong, words) in [(form("text=+"), "caption is empty"), (form(&format!("text={}", "x".repeat(901))), "901")] {
        let seen = browser.press("/a/hero/caption", &wrong).await;
        assert!(seen.status == 400 && seen.text().contains(words), "{}", seen.text());
    }
    browser.follow(&browser.press("/a/hero/caption", &form("text=x&remove=yes")).await).await;
    assert_eq!(caption(), None);
}

#[tokio::test]
async fn unknown_names_change_nothing() {
    let browser = Browser::open().await;
    let before = browser.files();
    let known = id("hero_1.jpg");
    let absent = id("absent.jpg");
    for (path, form, status) in [
        ("/a/hero/pin", format!("image={absent}"), 404),
        ("/a/hero/pin", format!("image={known}&image={absent}"), 404),
        ("/a/hero/pin", format!("image={}", trash_id()), 404),
        ("/a/hero/pin", "image=..%2f..%2fmanifest.json".to_owned(), 404),
        ("/a/hero/restore", format!("image={known}"), 404),
        ("/a/hero/pin", String::new(), 400),
        ("/a/hero/caption", format!("image={known}"), 400),
        ("/a/stranger/pin", format!("image={known}"), 404),
        ("/a/..%2f..%2fetc/pin", format!("image={known}"), 404),
        ("/a/hero/rename", format!("image={known}"), 404),
        ("/a/hero/plan", String::new(), 405),
    ] {
        let seen = browser.press(path, &form).await;
        assert_eq!(seen.status, status, "{path} {form}: {}", seen.text());
        assert!(seen.text().contains("<h1>"), "{path} {form} gives a page");
    }
    assert_eq!(browser.files(), before);
}

#[tokio::test]
async fn page_of_an_action_is_an_own_one() {
    let browser = Browser::open().await;
    for back in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "image&back_image=..%2F..%2Fevil", "x%0d%0ay"] {
        let form = format!("image={}&back={back}", id("hero_1.jpg"));
        let seen = browser.press("/a/hero/pin", &form).await;
        assert!(seen.address().starts_with("/a/hero?note="), "{back}: {}", seen.address());
    }
}

#[tokio::test]
async fn only_forms_of_own_pages_change_something() {
    let browser = Browser::open().await;
    let before = browser.files();
    let form = format!("image={}&image={}&text=x&event=plan-1", id("hero_1.jpg"), trash_id());
    for word in ACTIONS {
        let path = format!("/a/hero/{word}");
        assert_eq!(browser.get(&format!("{path}?{form}")).await.status, 405, "{word}");
        for headers in [&[][..], &[("sec-fetch-site", "cross-site")], &[("origin", "http://evil.example")]] {
            assert_eq!(browser.submit(&path, &form, headers).await.status, 403, "{word} {headers:?}");
        }
        let stranger = Request::builder().uri(&path).method("POST").header("host", HOST);
        let stranger = stranger.header("content-type", "application/x-www-form-urlencoded");
        let stranger = stranger.header("sec-fetch-site", "same-origin").body(Body::from(form.clone())).unwrap();
        assert_eq!(browser.ask(stranger).await.status, 403, "{word} without the cookie");
    }
    for page in PAGES {
        browser.get(page).await;
    }
    assert_eq!(browser.files(), before);
}

#[tokio::test]
async fn read_only_dashboard_has_no_buttons() {
    let browser = Browser::of(true).await;
    let before = browser.files();
    let images = [Browser::image("hero_1.jpg"), format!("/a/hero/i/{}", trash_id())];
    for page in PAGES.into_iter().chain(images.iter().map(String::as_str)) {
        assert!(!browser.get(page).await.text().contains("method=\"post\""), "{page}");
    }
    for word in ACTIONS {
        let seen = browser.press(&format!("/a/hero/{word}"), &format!("image={}", id("hero_1.jpg"))).await;
        assert!(seen.status == 403 && seen.text().contains("read-only"), "{word}");
    }
    assert_eq!(browser.press("/activity/retry", "queue=deletion").await.status, 403);
    assert_eq!(browser.files(), before);
}

#[tokio::test]
async fn folder_says_what_only_a_stack_can_do() {
    let browser = Browser::open().await;
    let before = browser.files();
    let pages = [browser.get("/a/hero").await.text(), browser.get(&Browser::image("hero_1.jpg")).await.text()];
    for word in ["approve", "evaluate", "dry-run", "delete", "generate"] {
        assert!(pages.iter().all(|page| !page.contains(&format!("/a/hero/{word}\""))), "{word}");
        let form = format!("image={}&request_id=1&plan=p&photorealistic=1", id("hero_1.jpg"));
        let seen = browser.press(&format!("/a/hero/{word}"), &form).await;
        assert!(seen.status == 409 && seen.text().contains("no stack runs on"), "{word}: {}", seen.text());
    }
    assert_eq!(browser.press("/activity/retry", "queue=deletion").await.status, 409);
    assert_eq!(browser.files(), before);
}

#[tokio::test]
async fn change_while_a_page_is_open_gives_a_reason() {
    let browser = Browser::open().await;
    let form = format!("image={}", id("hero_1.jpg"));
    let running = lock(browser.sample.data()).unwrap();
    let seen = browser.press("/a/hero/pin", &form).await;
    assert!(seen.status == 409 && seen.text().contains("another `balancer local` or command uses"), "{}", seen.text());
    drop(running);
    browser.sample.put("manifest.json", b"{");
    let seen = browser.press("/a/hero/pin", &form).await;
    assert!(seen.status == 502 && seen.text().contains("is not a manifest"), "{}", seen.text());
    fs::remove_dir_all(browser.sample.actor_dir()).unwrap();
    let seen = browser.press("/a/hero/pin", &form).await;
    assert!(seen.status == 404 && seen.text().contains("There is no actor hero."), "{}", seen.text());
}
