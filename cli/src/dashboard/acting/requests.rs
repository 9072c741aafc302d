//! What only a stack can do.

use aws::queues::Queue;
use axum::http::StatusCode;
use axum::response::Response;
use domain::files::images_in_words;
use domain::kind::{Kind, KindCounts};
use domain::messages::derived_request_id;
use domain::plan::MANUAL;

use super::{Done, Errand, Fields, listed};
use crate::actions::{Request, approve, redrive};
use crate::arguments::{ScopeArgument, SendMessage};
use crate::dashboard::answers::Failure;
use crate::dashboard::server::Dashboard;
use crate::pages::back::Back;
use crate::pages::filters::View;
use crate::pages::notice::{Notice, Undo};
use crate::pages::offer::action;

/// Retries the failed messages of one queue.
pub async fn retry(dashboard: &Dashboard, fields: &Fields) -> Result<String, Failure> {
    let stack = dashboard.shelf.sets.stack()?;
    let name = fields.required("queue")?;
    let queues = [Queue::Evaluation, Queue::Deletion, Queue::Generation];
    let queue = queues.into_iter().find(|queue| queue.name() == name);
    let queue = queue.ok_or_else(|| Failure::Wrong(format!("There is no queue {name}.")))?;
    let redriven = redrive(stack, Some(queue)).await?;
    Ok(redriven.iter().map(|queue| format!("{}.", queue.in_words())).collect())
}

impl Dashboard {
    /// The plan of an actor, after the approval of another one was refused.
    pub(super) async fn plan_after_conflict(&self, actor: &str, notice: Notice) -> Response {
        let mut response = self.plan_with(actor, Some(notice)).await;
        if response.status() == StatusCode::OK {
            *response.status_mut() = StatusCode::CONFLICT;
        }
        response
    }
}

impl Errand<'_> {
    pub async fn approve(&self) -> Result<Done, Failure> {
        let sets = &self.dashboard.shelf.sets;
        sets.stack()?;
        let plan = approve(sets, &self.shown()?.set.actor, Some(self.fields.required("plan")?)).await?;
        let text = format!(
            "Approved: the next plan may delete the {} of this plan. A plan that deletes others waits for approval again.",
            images_in_words(plan.delete.len())
        );
        Ok(Done { notice: Notice { text, ..Notice::default() }, back: Back::Plan })
    }

    pub async fn evaluate(&self, dry_run: bool) -> Result<Done, Failure> {
        let actor = self.shown()?.set.actor.clone();
        let scope = ScopeArgument::default();
        let message = SendMessage::Evaluation { actor, dry_run, no_wait: true, timeout: 0, scope, force: false };
        self.send(message).await?;
        Ok(match dry_run {
            true => Done::saying("Requested a dry run. Its result appears here.", Back::Plan),
            false => Done::saying("Requested an evaluation.", self.fields.back()),
        })
    }

    pub async fn delete(&self) -> Result<Done, Failure> {
        self.dashboard.shelf.sets.stack()?;
        let shown = self.shown()?;
        let back = match self.fields.back() {
            // The page of the image will be gone.
            Back::Image(_, view) => Back::Set(view),
            back => back,
        };
        let request_id = self.request_id()?;
        let number = self.fields.images()?.len();
        let done = |what: String| {
            let mut done = Done::saying(&format!("Requested the deletion of {what}."), back.clone());
            let mut fields = back.fields();
            fields.extend([("event", format!("{MANUAL}{request_id}")), ("number", number.to_string())]);
            done.notice.undo = Some(Undo { address: action(shown, "restore"), fields });
            done
        };
        // The second click of two: the first one's deletion has happened.
        if !shown.set.deleted_by(&format!("{MANUAL}{request_id}")).is_empty() {
            return Ok(done(images_in_words(number)));
        }
        let filenames = self.files()?;
        let what = listed(&filenames);
        self.send(SendMessage::Deletion { actor: shown.set.actor.clone(), filenames }).await?;
        Ok(done(what))
    }

    pub async fn generate(&self) -> Result<Done, Failure> {
        let mut counts = KindCounts::default();
        for kind in Kind::ALL {
            let number = self.fields.one(&kind.to_string()).unwrap_or_default().trim();
            counts[kind] = match number.is_empty() {
                true => 0,
                false => number
                    .parse()
                    .map_err(|_| Failure::Wrong(format!("`{number}` is no number of images. Enter one such as 2.")))?,
            };
        }
        self.dashboard.shelf.sets.stack()?;
        if counts == KindCounts::default() {
            return Err(Failure::Wrong("Enter the number of images to generate for at least one kind.".to_owned()));
        }
        let KindCounts { photorealistic, bw_stylized, color_stylized } = counts;
        let actor = self.shown()?.set.actor.clone();
        self.send(SendMessage::Generation { actor, photorealistic, bw_stylized, color_stylized }).await?;
        let text = format!("Requested the generation of {}.", images_in_words(counts.total() as usize));
        Ok(Done::saying(&text, Back::Set(View::default())))
    }

    /// Sends a message once, however often this copy of the form comes.
    async fn send(&self, message: SendMessage) -> Result<(), Failure> {
        let sets = &self.dashboard.shelf.sets;
        sets.stack()?;
        Ok(Request::with_id(message, self.request_id()?)?.send(sets).await?)
    }

    /// The id of the request: the same for copies of the form, which a double click or a reload sends.
    fn request_id(&self) -> Result<String, Failure> {
        self.fields.required("request_id")?;
        let shown = self.shown()?;
        Ok(derived_request_id(&format!("{:?} {} {}", self.action, shown.set.actor, self.fields.fingerprint())))
    }
}

impl Done {
    fn saying(text: &str, back: Back) -> Self {
        Self { notice: Notice { text: text.to_owned(), ..Notice::default() }, back }
    }
}
