//! The pages by plain requests.

mod actions;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use axum::response::Response;
use futures::StreamExt;
use tower::ServiceExt;

use super::live::poll;
use super::routes::router;
use super::server::Dashboard;
use super::shelf::Scope;
use crate::pages::picture_id;
use crate::samples::{BREAKS_OUT, CLOSES_SCRIPT, REVERSED, Sample, picture};
use crate::sets::Place;

const HOST: &str = "127.0.0.1:4700";

/// A dashboard of a data folder, and a browser that has its cookie.
pub struct Browser {
    sample: Sample,
    dashboard: Arc<Dashboard>,
    cookie: String,
}

pub struct Seen {
    status: u16,
    headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Seen {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

impl Browser {
    pub async fn open() -> Self {
        Self::of(false).await
    }

    async fn of(is_read_only: bool) -> Self {
        let sample = Sample::new();
        let dashboard = Dashboard::new(sample.sets(), 4700, is_read_only, None);
        let mut browser = Self { sample, dashboard, cookie: String::new() };
        let address = browser.dashboard.gate.address();
        let welcome = browser.get(address.strip_prefix("http://127.0.0.1:4700").unwrap()).await;
        let cookie = welcome.headers["set-cookie"].to_str().unwrap();
        browser.cookie = cookie.split(';').next().unwrap().to_owned();
        browser
    }

    async fn respond(&self, request: Request<Body>) -> Response {
        router(Arc::clone(&self.dashboard)).oneshot(request).await.unwrap()
    }

    async fn ask(&self, request: Request<Body>) -> Seen {
        let response = self.respond(request).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Seen { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    fn request(&self, path: &str) -> axum::http::request::Builder {
        Request::builder().uri(path).header("host", HOST).header("cookie", &self.cookie)
    }

    pub async fn get(&self, path: &str) -> Seen {
        self.ask(self.request(path).body(Body::empty()).unwrap()).await
    }

    pub fn data(&self) -> &Path {
        self.sample.data()
    }

    fn image(file: &str) -> String {
        format!("/a/hero/i/{}", picture_id(&Place::Set(file.to_owned())))
    }
}

const PAGES: [&str; 9] = [
    "/",
    "/?q=hero&status=waiting",
    "/a/hero",
    "/a/hero?show=generated&sort=name",
    "/a/hero/plan",
    "/a/hero/history",
    "/activity",
    "/settings",
    "/a/stranger",
];

#[tokio::test]
async fn texts_of_strangers_are_only_text() {
    let browser = Browser::open().await;
    let images = [Browser::image(BREAKS_OUT), Browser::image("hero_1.jpg"), Browser::image("broken.jpg")];
    for page in PAGES.into_iter().chain(images.iter().map(String::as_str)) {
        let text = browser.get(page).await.text();
        assert_eq!(text.matches("<script").count(), 1, "{page}: {text}");
        for forbidden in
            ["onerror=alert(1)>", "<img src=x", CLOSES_SCRIPT, "\u{202e}", "style=", "onclick", "javascript:"]
        {
            let in_attribute = text.matches("onerror=alert(1)&gt;").count();
            let found = text.matches(forbidden).count();
            assert_eq!(found, 0, "{page} contains {forbidden} ({in_attribute} escaped)");
        }
    }
}

#[tokio::test]
async fn sheet_shows_every_image_with_its_words() {
    let browser = Browser::open().await;
    let text = browser.get("/a/hero").await.text();
    assert_eq!(text.matches("<li class=\"card").count(), 6, "{text}");
    let facts = [
        "quality 9",
        "photorealistic image, quality 3, small, yours",
        "unusable",
        "U+202E",
        "0 of 4, 4 missing",
        "Base image of hero",
    ];
    for words in facts {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    let flagged = browser.get("/a/hero?show=generated").await.text();
    assert_eq!(flagged.matches("<li class=\"card").count(), 1, "{flagged}");
}

#[tokio::test]
async fn image_page_shows_neighbours_and_deletion() {
    let browser = Browser::open().await;
    let text = browser.get(&Browser::image(REVERSED)).await.text();
    assert!(text.contains("rel=\"prev\"") && text.contains("80 × 64 pixels"), "{text}");
    let deleted = Place::Trash { plan_id: "plan-1".to_owned(), file: "old.jpg".to_owned() };
    let text = browser.get(&format!("/a/hero/i/{}", picture_id(&deleted))).await.text();
    let is_without_end = !text.contains("restored until");
    assert!(text.contains("2026-01-02 03:04 UTC") && is_without_end, "a folder's trash is never emptied: {text}");
}

#[tokio::test]
async fn addresses_never_lead_out_of_the_records() {
    let browser = Browser::open().await;
    fs::write(browser.sample.data().join("secret.jpg"), picture(5)).unwrap();
    let addresses = [
        "/a/..%2f..%2fetc",
        "/a/%2e%2e",
        "/a/hero%00",
        "/a/%2fetc%2fpasswd",
        "/a/C:%5C",
        "/a/hero/i/..%2fmanifest.json",
        "/a/hero/p/..%2f..%2fsecret.jpg/320",
        "/a/hero/p/secret.jpg/320",
        "/a/hero/i/%2fetc%2fpasswd",
        "/static/..%2fpage.js",
        "/static/../../Cargo.toml",
    ];
    for address in addresses {
        assert_eq!(browser.get(address).await.status, 404, "{address}");
    }
    let id = picture_id(&Place::Set("hero_1.jpg".to_owned()));
    assert_eq!(browser.get(&format!("/a/hero/p/{id}/9999")).await.status, 404, "another size");
}

#[tokio::test]
async fn pictures_are_encoded_again_and_cached() {
    let browser = Browser::open().await;
    let id = picture_id(&Place::Set("hero_1.jpg".to_owned()));
    let address = format!("/a/hero/p/{id}/320");
    let first = browser.get(&address).await;
    assert_eq!((first.status, &first.headers["content-type"]), (200, &"image/jpeg".parse().unwrap()));
    assert_ne!(first.body, picture(5), "the file itself");
    let known = browser.request(&address).header("if-none-match", &first.headers["etag"]).body(Body::empty()).unwrap();
    assert_eq!(browser.ask(known).await.status, 304);
    browser.sample.put("training_data/hero_1.jpg", &picture(200));
    assert_ne!(browser.get(&address).await.headers["etag"], first.headers["etag"], "another content");
    let broken = picture_id(&Place::Set("broken.jpg".to_owned()));
    assert_eq!(browser.get(&format!("/a/hero/p/{broken}/320")).await.status, 422);
}

#[tokio::test]
async fn every_response_restricts_the_page() {
    let browser = Browser::open().await;
    for path in ["/", "/a/stranger", "/static/page.js", "/?t=wrong"] {
        let headers = browser.get(path).await.headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'") && policy.contains("frame-ancestors 'none'")
        );
        let others =
            ["cross-origin-opener-policy", "cross-origin-resource-policy", "x-content-type-options", "referrer-policy"];
        others.iter().for_each(|name| assert!(headers.contains_key(*name), "{path}: {name}"));
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert!(!headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn stranger_gets_nothing_of_the_sets() {
    let browser = Browser::open().await;
    let other_host = Request::builder().uri("/").header("host", "evil.example").header("cookie", &browser.cookie);
    let seen = browser.ask(other_host.body(Body::empty()).unwrap()).await;
    assert_eq!(seen.status, 421);
    assert!(!seen.text().contains("hero"));
    for path in ["/", "/a/hero", "/static/page.js", "/events"] {
        let request = Request::builder().uri(path).header("host", HOST).body(Body::empty()).unwrap();
        let seen = browser.ask(request).await;
        assert_eq!(seen.status, 403, "{path}");
        assert!(seen.text().contains("balancer dashboard"), "it says how to get the address");
    }
    let post = browser.request("/").method("POST").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(browser.ask(post.body(Body::empty()).unwrap()).await.status, 403);
}

#[tokio::test]
async fn actor_that_vanishes_gives_a_page() {
    let browser = Browser::open().await;
    assert_eq!(browser.get("/a/hero").await.status, 200);
    fs::remove_dir_all(browser.sample.actor_dir()).unwrap();
    let gone = browser.dashboard.shelf.refresh(&Scope::All).await.unwrap();
    assert_eq!(gone, std::slice::from_ref(&browser.sample.hero));
    let seen = browser.get("/a/hero").await;
    assert_eq!(seen.status, 404);
    assert!(seen.text().contains("There is no actor hero."), "{}", seen.text());
    let list = browser.get("/").await.text();
    assert!(list.contains("No actors yet") && list.contains("/ACTOR/training_data/"), "{list}");
}

#[tokio::test]
async fn damaged_manifest_spoils_no_other_actor() {
    let browser = Browser::open().await;
    let other = browser.sample.data().join("other/training_data");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("a.jpg"), picture(1)).unwrap();
    browser.sample.put("manifest.json", b"{");
    let list = browser.get("/").await.text();
    assert!(list.contains("can't be read") && list.contains("manifest.json is not a manifest"), "{list}");
    assert!(list.contains("<a href=\"/a/other\">"), "{list}");
    assert_eq!(browser.get("/a/hero").await.status, 502);
}

#[tokio::test]
async fn open_page_hears_of_a_change() {
    let browser = Browser::open().await;
    assert_eq!(browser.get("/a/hero").await.status, 200);
    let response = browser.respond(browser.request("/events?actor=hero").body(Body::empty()).unwrap()).await;
    let mut events = response.into_body().into_data_stream();
    browser.sample.put("training_data/new.jpg", &picture(50));
    let polling = tokio::spawn(poll(Arc::clone(&browser.dashboard)));
    let event = events.next().await.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&event), "event: actor\ndata: hero\n\n");
    polling.abort();
    assert!(browser.get("/a/hero").await.text().contains("new.<wbr>jpg"));
}
