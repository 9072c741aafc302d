//! `balancer report` and `balancer dashboard`

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use crate::support::actors::Actor;
use crate::support::background::Background;
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
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n").unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        String::from_utf8_lossy(&response).into_owned()
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
    assert!(browser.get("/a/nobody").starts_with("HTTP/1.1 404"));
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
    run(["report", "nobody", "--data", data, "-o", "x.html"]).failed(1, &["nobody"]);
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
