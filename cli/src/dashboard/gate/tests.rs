use axum::http::HeaderName;

use super::*;

const OWN: &str = "127.0.0.1:4700";

fn headers(values: &[(&'static str, &str)]) -> HeaderMap {
    values.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

fn verdict(gate: &Gate, method: Method, uri: &str, values: &[(&'static str, &str)]) -> Verdict {
    gate.verdict(&method, &uri.parse().unwrap(), &headers(values))
}

fn status(verdict: &Verdict) -> u16 {
    match verdict {
        Verdict::Pass | Verdict::Welcome { .. } => 200,
        Verdict::Refuse(status, _) => status.as_u16(),
    }
}

#[test]
fn only_own_names_are_answered() {
    let gate = Gate::new(4700, false);
    let with_token = format!("/?t={}", gate.token);
    for host in [OWN, "localhost:4700", "[::1]:4700"] {
        assert_eq!(status(&verdict(&gate, Method::GET, &with_token, &[("host", host)])), 200, "{host}");
    }
    for host in ["evil.example:4700", "127.0.0.1", "127.0.0.1:4701", "127.0.0.1.evil.example:4700", "localhost", ""] {
        assert_eq!(status(&verdict(&gate, Method::GET, &with_token, &[("host", host)])), 421, "{host}");
    }
    assert_eq!(status(&verdict(&gate, Method::GET, &with_token, &[])), 421, "no host");
    let absolute = format!("http://evil.example{with_token}");
    assert_eq!(status(&verdict(&gate, Method::GET, &absolute, &[("host", OWN)])), 421);
}

#[test]
fn token_is_exchanged_for_a_cookie() {
    let gate = Gate::new(4700, false);
    let uri = format!("//evil.example/a?show=small&t={}&sort=name", gate.token);
    let found =
        gate.verdict(&Method::GET, &Uri::builder().path_and_query(uri).build().unwrap(), &headers(&[("host", OWN)]));
    assert_eq!(found, Verdict::Welcome { address: "/evil.example/a?show=small&sort=name".to_owned() });
    let cookie = gate.cookie();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/"), "{cookie}");
    let pair = format!("other=1; {}", cookie.split(';').next().unwrap());
    assert_eq!(verdict(&gate, Method::GET, "/", &[("host", OWN), ("cookie", &pair)]), Verdict::Pass);
}

#[test]
fn without_token_or_cookie_nothing_is_shown() {
    let gate = Gate::new(4700, false);
    let of_other_port = format!("balancer-4701={}", gate.token);
    for (uri, cookie) in [("/", ""), ("/?t=", ""), ("/?t=00", "balancer-4700=00"), ("/", of_other_port.as_str())] {
        assert_eq!(status(&verdict(&gate, Method::GET, uri, &[("host", OWN), ("cookie", cookie)])), 403, "{uri}");
    }
}

#[test]
fn opened_address_works_once() {
    let gate = Gate::new(4700, false);
    let address = gate.address_for_one_use();
    let path = address.strip_prefix("http://127.0.0.1:4700").unwrap();
    assert_eq!(status(&verdict(&gate, Method::GET, path, &[("host", OWN)])), 200);
    assert_eq!(status(&verdict(&gate, Method::GET, path, &[("host", OWN)])), 403);
}

#[test]
fn changes_must_come_from_a_form_of_an_own_page() {
    let gate = Gate::new(4700, false);
    let cookie = format!("balancer-4700={}", gate.token);
    let post = |values: &[(&'static str, &str)]| {
        let common = [("host", OWN), ("cookie", cookie.as_str())];
        status(&verdict(&gate, Method::POST, "/", &[&common[..], values].concat()))
    };
    let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let own = ("origin", "http://127.0.0.1:4700");
    assert_eq!(post(&[form, ("sec-fetch-site", "same-origin")]), 200);
    assert_eq!(post(&[form, own]), 200, "a browser without Sec-Fetch-Site");
    for site in ["cross-site", "same-site", "none"] {
        assert_eq!(post(&[form, own, ("sec-fetch-site", site)]), 403, "{site}");
    }
    for origin in ["null", "http://localhost:4700", "http://127.0.0.1:4701", "https://127.0.0.1:4700"] {
        assert_eq!(post(&[form, ("origin", origin)]), 403, "{origin}");
    }
    assert_eq!(post(&[form]), 403, "neither");
    assert_eq!(post(&[("content-type", "application/json"), ("sec-fetch-site", "same-origin")]), 415);
    assert_eq!(post(&[("sec-fetch-site", "same-origin")]), 415);
}

#[test]
fn read_only_dashboard_refuses_every_change() {
    let gate = Gate::new(4700, true);
    let cookie = format!("balancer-4700={}", gate.token);
    let form = ("content-type", FORM);
    let values = [("host", OWN), ("cookie", cookie.as_str()), form, ("sec-fetch-site", "same-origin")];
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        assert_eq!(status(&verdict(&gate, method, "/", &values)), 403);
    }
}
