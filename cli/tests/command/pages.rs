//! `balancer report` and `balancer dashboard`

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use crate::support::actors::Actor;
use crate::support::background::{Background, wait_until};
use crate::support::run::{Ran, balancer, run};
use crate::support::stack::Place;

/// A browser at the address that a dashboard has printed.
struct Browser {
    host: String,
    cookie: String,
}

impl Browser {
    fn at(output: &str) -> Self {
        let address =
            output.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:") && word.contains("?t="));
        let (host, path) = address.unwrap().strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut browser = Self { host: host.to_owned(), cookie: String::new() };
        let welcome = browser.get(&format!("/{path}"));
        let cookie = welcome.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        browser.cookie = cookie.split(';').next().unwrap().to_owned();
        browser
    }

    /// The whole response, with its head.
    fn get(&self, path: &str) -> String {
        let Self { host, cookie } = self;
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"))
    }

    /// Submits a form of a page.
    fn post(&self, path: &str, form: &str) -> String {
        let Self { host, cookie } = self;
        let length = form.len();
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\
             Origin: http://{host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n\r\n{form}"
        ))
    }

    fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        String::from_utf8_lossy(&response).into_owned()
    }

    /// The page to which an action leads.
    fn follow(&self, response: &str) -> String {
        assert!(response.starts_with("HTTP/1.1 303"), "{response}");
        self.get(response.lines().find_map(|line| line.strip_prefix("location: ")).unwrap())
    }
}

#[test]
fn dashboard_shows_a_folder_without_a_stack() {
    let data = tempfile::tempdir().unwrap();
    Actor::unbalanced(data.path(), "the hero");
    let mut command = Command::new(env!("CARGO_BIN_EXE_balancer"));
    command.args(["dashboard", "--no-open", "--port", "0", "--data"]).arg(data.path());
    let mut dashboard = Background::start(command);
    dashboard.wait_for("?t=");
    let browser = Browser::at(&dashboard.output());
    let list = browser.get("/");
    assert!(list.starts_with("HTTP/1.1 200") && list.contains("href=\"/a/the%20hero\""), "{list}");
    assert_eq!(browser.get("/a/the%20hero").matches("<li class=\"card").count(), 7);
    assert!(browser.get("/a/stranger").starts_with("HTTP/1.1 404"));
    let stranger = Browser { host: browser.host.clone(), cookie: String::new() };
    assert!(stranger.get("/").starts_with("HTTP/1.1 403"));
    dashboard.signal("INT");
    assert_eq!(dashboard.end(), Some(130), "{}", dashboard.output());
}

#[test]
fn report_replaces_only_reports() {
    let data = tempfile::tempdir().unwrap();
    Actor::unbalanced(data.path(), "hero");
    let file = data.path().join("sets.html");
    let report = || Ran::of(balancer().args(["report", "--json", "--data"]).arg(data.path()).arg("-o").arg(&file));
    let json = report().done().json();
    assert_eq!(json["files"][0], file.to_str().unwrap());
    let first = fs::read(&file).unwrap();
    report().done();
    assert_eq!(fs::read(&file).unwrap(), first);
    fs::write(&file, "notes").unwrap();
    report().failed(2, &["sets.html exists and is no report; choose another name"]);
    assert_eq!(fs::read(&file).unwrap(), b"notes");
    let data = data.path().to_str().unwrap();
    run(["report", "stranger", "--data", data, "-o", "x.html"]).failed(1, &["stranger"]);
}

#[test]
fn watch_serves_a_dashboard_and_ends_with_a_report() {
    let place = Place::new();
    Actor::unbalanced(&place.data(), "hero");
    let file = place.tmp().join("sets.html");
    let mut command = place.local_in_background();
    command.args(["--watch", "--dashboard", "--report"]).arg(&file);
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    let browser = Browser::at(&watching.output());
    let set = browser.get("/a/hero");
    assert!(set.contains("balanced") && set.contains("4 of 4") && set.contains(">generated<"), "{set}");
    let history = browser.get("/a/hero/history");
    assert!(history.contains("Deleted 2") && history.contains("Generated 1"), "{history}");
    let activity = browser.get("/activity");
    assert!(
        activity.contains("No message has failed five times") && activity.contains("Budget of a day"),
        "{activity}"
    );
    assert!(browser.get("/settings").contains("TargetTotal"));
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130), "{}", watching.output());
    let report = fs::read_to_string(&file).unwrap();
    assert!(report.contains("Deleted 2") && !report.contains("<script"), "{report}");
}

/// The text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split_once(after).unwrap().0
}

#[test]
fn plan_is_approved_on_its_page_once() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let before = actor.files();
    let mut command = place.local_in_background();
    command.args(["--watch", "--dashboard", "--max-deleted-percent", "10"]);
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    let browser = Browser::at(&watching.output());
    let page = browser.get("/a/hero/plan");
    assert!(page.contains(">Approve: delete 2, generate 1, at no cost<"), "{page}");
    let refused = browser.post("/a/hero/approve", "plan=another");
    assert!(refused.starts_with("HTTP/1.1 409") && refused.contains("has replaced it"), "{refused}");
    assert!(refused.contains("id=\"approve\""), "the present plan is shown: {refused}");
    assert_eq!(actor.files(), before);
    let form = format!("plan={}", between(&page, "name=\"plan\" value=\"", "\""));
    let approved = browser.post("/a/hero/approve", &form);
    let again = browser.post("/a/hero/approve", &form);
    assert!(again.starts_with("HTTP/1.1 409"), "{again}");
    assert!(browser.follow(&approved).contains("Approved: the next plan may delete the 2 images"));
    wait_until(|| browser.get("/a/hero").contains(">balanced<"), || watching.output());
    assert_eq!((actor.trash().len(), actor.files().len()), (2, 6));

    let sheet = browser.get("/a/hero");
    let card = between(&sheet, "<li class=\"card\"", "</li>");
    let request = between(&sheet, "name=\"request_id\" value=\"", "\"");
    let form = format!("request_id={request}&only={}", between(card, "name=\"image\" value=\"", "\""));
    let answers = [browser.post("/a/hero/delete", &form), browser.post("/a/hero/delete", &form)];
    let events = answers.map(|answer| {
        let page = browser.follow(&answer);
        assert!(page.contains("Requested the deletion of "), "{page}");
        between(&page, "name=\"event\" value=\"", "\"").to_owned()
    });
    assert_eq!(events[0], events[1], "two clicks are one request");
    let restored = browser.post("/a/hero/restore", &format!("event={}&number=1", events[0]));
    assert!(browser.follow(&restored).contains("Restored and pinned "), "{restored}");
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130), "{}", watching.output());
}
