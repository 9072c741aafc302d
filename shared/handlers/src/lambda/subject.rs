//! The actor, plan and slot that a message is about, read without knowing its format.

use aws::queues::Queue;
use domain::actor::ActorId;
use domain::lifecycle::actor::OnBehalf;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Subject {
    pub(super) actor_id: Option<String>,
    pub(super) plan_id: Option<String>,
    pub(super) slot_id: Option<String>,
    /// The cause of an evaluation.
    cause: Value,
}

impl Subject {
    /// The subject of a message with this body; all fields are empty if the format is unknown.
    pub(super) fn of(body: &str) -> Self {
        serde_json::from_str(body).unwrap_or_default()
    }

    pub(super) fn actor(&self) -> Option<ActorId> {
        self.actor_id.as_deref()?.parse().ok()
    }

    /// The plan whose work the message requests, or whose completion it reports.
    pub(super) fn plan(&self) -> Option<&str> {
        self.plan_id.as_deref().or_else(|| self.cause["plan_done"].as_str())
    }

    /// The work on whose behalf a failure of the message is reported. Evaluations answer only messages of their own
    /// queue, so the age of manual deletions and generations doesn't matter.
    pub(super) fn behalf(&self, queue: Queue, sent_at: Option<Timestamp>) -> OnBehalf<'_> {
        match self.plan() {
            Some(plan_id) => OnBehalf::Plan(plan_id),
            None => OnBehalf::Request(sent_at.filter(|_| queue == Queue::Evaluation)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_acts_for_its_plan_or_its_request() {
        let sent = "2026-03-20T12:00:00Z".parse().ok();
        let behalf = |queue, body: &str| format!("{:?}", Subject::of(body).behalf(queue, sent));
        let of_plan = format!("{:?}", OnBehalf::Plan("p"));
        assert_eq!(behalf(Queue::Generation, r#"{"actor_id":"a","plan_id":"p","slot_id":"001"}"#), of_plan);
        assert_eq!(behalf(Queue::Evaluation, r#"{"actor_id":"a","cause":{"plan_done":"p"}}"#), of_plan);
        let of_request = format!("{:?}", OnBehalf::Request(sent));
        assert_eq!(behalf(Queue::Evaluation, r#"{"actor_id":"a","cause":"uploads"}"#), of_request);
        assert_eq!(behalf(Queue::Evaluation, r#"{"actor_id":"a"}"#), of_request);
        let of_ageless_request = format!("{:?}", OnBehalf::Request(None));
        assert_eq!(behalf(Queue::Deletion, r#"{"actor_id":"a","filenames":["a_1.jpg"]}"#), of_ageless_request);
    }
}
