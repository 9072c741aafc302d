//! Responses.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::actor::ActorId;
use maud::Markup;

use super::server::Dashboard;
use crate::outcome::{Conflict, WrongUsage};
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
    /// The address accepts no such request.
    NotAllowed(String),
    /// The form is wrong.
    Wrong(String),
    /// The present state does not allow the action.
    Conflict(String),
    /// Something can't be read, or does not answer.
    Unreadable(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(problem: E) -> Self {
        let problem = problem.into();
        if problem.is::<WrongUsage>() {
            Self::Wrong(format!("{problem:#}"))
        } else if problem.is::<Conflict>() {
            Self::Conflict(format!("{problem:#}"))
        } else {
            Self::Unreadable(problem)
        }
    }
}

impl Failure {
    /// The status, title and remedy of its page.
    fn parts(self) -> (StatusCode, &'static str, String) {
        match self {
            Self::NotFound(remedy) => (StatusCode::NOT_FOUND, "Not found", remedy),
            Self::NotAllowed(remedy) => (StatusCode::METHOD_NOT_ALLOWED, "Not possible", remedy),
            Self::Wrong(remedy) => (StatusCode::BAD_REQUEST, "The form is wrong", remedy),
            Self::Conflict(remedy) => (StatusCode::CONFLICT, "Not possible now", remedy),
            Self::Unreadable(problem) => (StatusCode::BAD_GATEWAY, "The sets can't be read", format!("{problem:#}")),
        }
    }
}

impl Dashboard {
    /// The page, or one that says why there is none.
    pub fn answer(&self, page: Result<Page<'_>, Failure>) -> Response {
        match page {
            Ok(page) => html(StatusCode::OK, &self.site.document(&page)),
            Err(failure) => {
                let (status, title, remedy) = failure.parts();
                self.problem(status, title, &remedy, None)
            }
        }
    }

    /// The page that says why an action was not done, and leads back to the actor.
    pub fn refuse(&self, failure: Failure, actor: Option<&ActorId>) -> Response {
        let (status, title, remedy) = match failure {
            Failure::Unreadable(problem) => (StatusCode::BAD_GATEWAY, "The action has failed", format!("{problem:#}")),
            other => other.parts(),
        };
        let known = actor.filter(|actor| self.shelf.known().iter().any(|(known, _)| known == *actor));
        self.problem(status, title, &remedy, known)
    }

    fn problem(&self, status: StatusCode, title: &str, remedy: &str, actor: Option<&ActorId>) -> Response {
        let body = problem_body(title, remedy, actor);
        let page = Page { title, part: Part::Actors, events: None, body, notice: None };
        html(status, &self.site.document(&page))
    }
}
