//! The actor, plan and slot that a message is about, read without knowing its format.

use domain::actor::ActorId;
use serde::Deserialize;
use serde_json::Value;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Subject {
    pub(super) actor_id: Option<String>,
    pub(super) plan_id: Option<String>,
    pub(super) slot_id: Option<String>,
    /// The sender's id for the request.
    pub(super) request_id: Option<String>,
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

    /// Whether the message requests the evaluation of whatever revision is desired.
    pub(super) fn is_of_pending_revision(&self) -> bool {
        ["uploads", "resume"].iter().any(|cause| self.cause == *cause)
    }

    /// The plan whose work the message requests, or whose completion it reports.
    pub(super) fn plan(&self) -> Option<&str> {
        self.plan_id.as_deref().or_else(|| self.cause["plan_done"].as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_is_that_of_the_work_or_of_the_cause() {
        let plan = |body: &str| Subject::of(body).plan().map(str::to_owned);
        assert_eq!(plan(r#"{"actor_id":"a","plan_id":"p","slot_id":"001"}"#).as_deref(), Some("p"));
        assert_eq!(plan(r#"{"actor_id":"a","cause":{"plan_done":"p"}}"#).as_deref(), Some("p"));
        for other in [r#"{"actor_id":"a","cause":"uploads"}"#, r#"{"actor_id":"a"}"#, "no JSON"] {
            assert_eq!(plan(other), None, "{other}");
        }
    }
}
