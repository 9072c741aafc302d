//! Who may see the dashboard, and which requests may change something.
//!
//! 1. The `Host` must be one of this server's own names: a page of another site whose name resolves to 127.0.0.1 passes
//!    every check of the origin.
//! 2. The browser must have a cookie, which it gets for the token of the printed address: other users of the machine
//!    can reach the port too.
//! 3. A request that may change something must come from a page of this server: cookies don't distinguish ports, so a
//!    page of another server on this machine would send the cookie too.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest, Sha256};

use super::answers::html;
use super::server::Dashboard;
use crate::pages::problem::{moved, refusal};

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The header by which browsers say which site has caused a request.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

const FORM: &str = "application/x-www-form-urlencoded";

/// The secrets and names of one server.
pub struct Gate {
    port: u16,
    token: String,
    /// A token that works once: other users can see the arguments of the program that opens the browser.
    opening_token: Mutex<Option<String>>,
    is_read_only: bool,
}

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    /// The token was right: the browser gets the cookie, and goes to the address without the token.
    Welcome {
        address: String,
    },
    Refuse(StatusCode, &'static str),
}

impl Gate {
    pub fn new(port: u16, is_read_only: bool) -> Self {
        Self { port, token: secret(), opening_token: Mutex::default(), is_read_only }
    }

    /// The address for the user.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/?t={}", self.port, self.token)
    }

    /// An address that works once.
    pub fn address_for_one_use(&self) -> String {
        let token = secret();
        let address = format!("http://127.0.0.1:{}/?t={token}", self.port);
        *self.opening_token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        address
    }

    /// Cookies don't distinguish ports, so the name does.
    fn cookie_name(&self) -> String {
        format!("balancer-{}", self.port)
    }

    fn cookie(&self) -> String {
        format!("{}={}; HttpOnly; SameSite=Strict; Path=/", self.cookie_name(), self.token)
    }

    fn verdict(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Verdict {
        if !self.is_own_host(uri, headers) {
            return Verdict::Refuse(StatusCode::MISDIRECTED_REQUEST, "This server has another name.");
        }
        if let Some((token, rest)) = token_in(uri)
            && self.accepts(token)
        {
            return Verdict::Welcome { address: rest };
        }
        if !self.has_cookie(headers) {
            return Verdict::Refuse(StatusCode::FORBIDDEN, "Open the address that `balancer dashboard` has printed.");
        }
        if matches!(*method, Method::GET | Method::HEAD) { Verdict::Pass } else { self.verdict_on_change(headers) }
    }

    fn verdict_on_change(&self, headers: &HeaderMap) -> Verdict {
        if self.is_read_only {
            return Verdict::Refuse(
                StatusCode::FORBIDDEN,
                "This dashboard is read-only: start it without --read-only.",
            );
        }
        if !is_from_own_page(headers) {
            return Verdict::Refuse(StatusCode::FORBIDDEN, "The request does not come from a page of this dashboard.");
        }
        let content_type = text_of(headers, &header::CONTENT_TYPE).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        match essence.eq_ignore_ascii_case(FORM) {
            true => Verdict::Pass,
            false => Verdict::Refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Only forms are accepted."),
        }
    }

    fn is_own_host(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let is_own =
            |host: &str| ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host == format!("{name}:{}", self.port));
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        host.to_str().is_ok_and(is_own) && uri.authority().is_none_or(|authority| is_own(authority.as_str()))
    }

    fn accepts(&self, token: &str) -> bool {
        if is_equal(token, &self.token) {
            return true;
        }
        let mut once = self.opening_token.lock().unwrap_or_else(PoisonError::into_inner);
        once.take_if(|expected| is_equal(token, expected)).is_some()
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(key, value)| key == name && is_equal(value, &self.token))
    }
}

/// Lets a request pass, or answers it. Every response gets the headers that restrict what a page may do.
pub async fn guard(State(dashboard): State<Arc<Dashboard>>, request: Request, next: Next) -> Response<Body> {
    let gate = &dashboard.gate;
    let mut response = match gate.verdict(request.method(), request.uri(), request.headers()) {
        Verdict::Pass => next.run(request).await,
        Verdict::Welcome { address } => {
            let mut response = html(StatusCode::OK, &moved(&address));
            response
                .headers_mut()
                .extend(HeaderValue::from_str(&gate.cookie()).ok().map(|it| (header::SET_COOKIE, it)));
            response
        }
        Verdict::Refuse(status, remedy) => html(status, &refusal("Refused", remedy)),
    };
    restrict(response.headers_mut());
    response
}

fn restrict(headers: &mut HeaderMap) {
    let values = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Without a referrer, browsers would send `Origin: null` with the page's own forms.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    headers.extend(values.map(|(name, value)| (name, HeaderValue::from_static(value))));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Whether a page of this server has caused the request. Old browsers send only the origin.
fn is_from_own_page(headers: &HeaderMap) -> bool {
    match text_of(headers, &SEC_FETCH_SITE) {
        Some(site) => site == "same-origin",
        None => match (text_of(headers, &header::ORIGIN), text_of(headers, &header::HOST)) {
            (Some(origin), Some(host)) => origin == format!("http://{host}"),
            _ => false,
        },
    }
}

fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The token of an address, and the path and query without it. The path begins with exactly one slash, because two
/// would lead to another server.
fn token_in(uri: &Uri) -> Option<(&str, String)> {
    let is_token = |pair: &&str| pair.starts_with("t=");
    let query = uri.query()?;
    let token = query.split('&').find(is_token)?.strip_prefix("t=")?;
    let rest: Vec<&str> = query.split('&').filter(|pair| !is_token(pair)).collect();
    let path = format!("/{}", uri.path().trim_start_matches(['/', '\\']));
    Some((token, if rest.is_empty() { path } else { format!("{path}?{}", rest.join("&")) }))
}

/// Compares digests, so that the time tells nothing about the secret.
fn is_equal(given: &str, secret: &str) -> bool {
    Sha256::digest(given) == Sha256::digest(secret)
}

fn secret() -> String {
    rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
