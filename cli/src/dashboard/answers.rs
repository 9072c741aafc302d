//! Responses.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::Markup;

use super::server::Dashboard;
use crate::pages::frame::{Page, Part};
use crate::pages::problem::problem_body;

/// A document.
pub fn html(status: StatusCode, markup: &Markup) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], markup.0.clone()).into_response()
}

/// Why a page can't be shown.
pub enum Failure {
    /// The remedy says what is missing.
    NotFound(String),
    /// Something can't be read.
    Unreadable(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(problem: E) -> Self {
        Self::Unreadable(problem.into())
    }
}

impl Dashboard {
    /// The page, or one that says why there is none.
    pub fn answer(&self, page: Result<Page<'_>, Failure>) -> Response {
        match page {
            Ok(page) => html(StatusCode::OK, &self.site.document(&page)),
            Err(Failure::NotFound(remedy)) => self.problem(StatusCode::NOT_FOUND, "Not found", &remedy),
            Err(Failure::Unreadable(problem)) => {
                self.problem(StatusCode::BAD_GATEWAY, "The sets can't be read", &format!("{problem:#}"))
            }
        }
    }

    fn problem(&self, status: StatusCode, title: &str, remedy: &str) -> Response {
        let page = Page { title, part: Part::Actors, events: None, body: problem_body(title, remedy) };
        html(status, &self.site.document(&page))
    }
}
