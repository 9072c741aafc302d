//! The actions of the pages. Each is a form, which the code in [`crate::actions`] carries out, and ends on the page from
//! which it came.

mod edits;
mod form;
mod notices;
mod requests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::actor::ActorId;
use domain::messages::new_request_id;

use self::form::{Fields, Sent};
pub use self::notices::Notices;
use super::answers::Failure;
use super::lookup::{no_actor, no_image, readable};
use super::server::Dashboard;
use super::shelf::{Entry, Scope};
use crate::actions::Problem;
use crate::pages::back::Back;
use crate::pages::notice::Notice;
use crate::pages::offer::Offer;
use crate::pages::{Details, Shown};
use crate::sets::Place;

/// What a form does to a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Pin,
    Unpin,
    Caption,
    Restore,
    Approve,
    Evaluate,
    DryRun,
    Delete,
    Generate,
}

/// The actions by the last part of their addresses.
const ACTIONS: [(&str, Action); 9] = [
    ("pin", Action::Pin),
    ("unpin", Action::Unpin),
    ("caption", Action::Caption),
    ("restore", Action::Restore),
    ("approve", Action::Approve),
    ("evaluate", Action::Evaluate),
    ("dry-run", Action::DryRun),
    ("delete", Action::Delete),
    ("generate", Action::Generate),
];

/// The addresses of the actions.
pub fn routes() -> Router<Arc<Dashboard>> {
    let router = Router::new().route("/activity/retry", post(retry));
    ACTIONS.into_iter().fold(router, |router, (word, action)| {
        let perform = async move |State(dashboard): State<Arc<Dashboard>>, Path(actor): Path<String>, sent: Sent| {
            dashboard.perform(action, &actor, sent).await
        };
        router.route(&format!("/a/{{actor}}/{word}"), post(perform))
    })
}

async fn retry(State(dashboard): State<Arc<Dashboard>>, sent: Sent) -> Response {
    let done = async { requests::retry(&dashboard, &Fields::of(sent)?).await };
    match done.await {
        Ok(text) => {
            let note = dashboard.notices.keep(Notice { text, ..Notice::default() });
            see_other(&format!("/activity?note={note}"))
        }
        Err(failure) => dashboard.refuse(failure, None),
    }
}

/// An action on one set, with the records that were read when it began.
struct Errand<'a> {
    dashboard: &'a Dashboard,
    action: Action,
    entry: Arc<Entry>,
    fields: Fields,
}

/// The end of an action: what the next page says, and which page that is.
struct Done {
    notice: Notice,
    back: Back,
}

impl Dashboard {
    /// The actions that the pages offer.
    pub fn offer(&self) -> Offer {
        let edits = !self.site.is_read_only;
        Offer { edits, requests: edits && self.shelf.is_in_stack(), request_id: new_request_id() }
    }

    async fn perform(&self, action: Action, actor: &str, sent: Sent) -> Response {
        let Ok(id) = actor.parse::<ActorId>() else { return self.answer(Err(no_actor(actor))) };
        let done = self.carry_out(action, &id, sent).await;
        // Also after a failure, which may have come in the middle.
        if !matches!(done, Err(Failure::NotFound(_) | Failure::Wrong(_))) {
            self.reread(&id).await;
        }
        match done {
            Ok(Done { notice, back }) => see_other(&back.address(&id, &self.notices.keep(notice))),
            Err(Failure::Conflict(problem)) if action == Action::Approve => {
                let notice = Notice { text: problem, is_problem: true, undo: None };
                self.plan_after_conflict(actor, notice).await
            }
            Err(failure) => self.refuse(failure, Some(&id)),
        }
    }

    async fn carry_out(&self, action: Action, actor: &ActorId, sent: Sent) -> Result<Done, Failure> {
        let fields = Fields::of(sent)?;
        // The page may be older than the set.
        self.shelf.refresh(&Scope::Only([actor.clone()].into())).await?;
        let errand = Errand { dashboard: self, action, entry: self.entry(actor.as_str()).await?, fields };
        match action {
            Action::Pin => errand.set_pinned(true).await,
            Action::Unpin => errand.set_pinned(false).await,
            Action::Caption => errand.set_caption().await,
            Action::Restore => errand.restore().await,
            Action::Approve => errand.approve().await,
            Action::Evaluate => errand.evaluate(false).await,
            Action::DryRun => errand.evaluate(true).await,
            Action::Delete => errand.delete().await,
            Action::Generate => errand.generate().await,
        }
    }

    /// Reads a changed set again, and tells open pages. A failure repeats when the page is opened, which shows it.
    async fn reread(&self, actor: &ActorId) {
        if self.shelf.reread(actor).await.is_ok() {
            self.live.tell(actor.clone());
        }
    }
}

impl Errand<'_> {
    fn shown(&self) -> Result<&Shown, Failure> {
        readable(&self.entry)
    }

    /// The files of the set that the form names by the ids of their pictures.
    fn files(&self) -> Result<Vec<String>, Failure> {
        let shown = self.shown()?;
        let details = Details::none();
        let file = |id: &str| match shown.find(id, &details).map(|picture| picture.place) {
            Some(Place::Set(file)) => Ok(file),
            _ => Err(no_image(&shown.set.actor)),
        };
        self.fields.images()?.into_iter().map(file).collect()
    }
}

impl Done {
    /// The end of an action on several images. Fails if it changed none of them.
    fn of_images(verb: &str, files: &[String], problems: &[Problem], back: Back) -> Result<Self, Failure> {
        let problems: Vec<&str> = problems.iter().map(|problem| problem.sentence.as_str()).collect();
        if files.is_empty() {
            return Err(Failure::Conflict(problems.join(". ")));
        }
        let mut text = format!("{verb} {}.", listed(files));
        problems.iter().for_each(|problem| text.push_str(&format!(" Not done: {problem}.")));
        Ok(Self { notice: Notice { text, is_problem: !problems.is_empty(), undo: None }, back })
    }
}

/// The names of a few files, or the number of many.
fn listed(files: &[String]) -> String {
    const MOST_NAMES: usize = 3;
    match files.len() {
        0..=MOST_NAMES => files.join(", "),
        many => format!("{many} images"),
    }
}

fn see_other(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
