//! The messages of the evaluation queue.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::object_event::{self, Upload};
use super::{InvalidMessage, MAX_REQUEST_ID_LENGTH, checked_id};
use crate::actor::ActorId;
use crate::json::without_mark;
use crate::planner::Scope;

/// A message of the evaluation queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvaluationMessage {
    /// New objects in the bucket, from an S3 notification or an EventBridge event.
    Uploads(Vec<Upload>),
    /// The message that S3 sends when notifications are set up. It requires no work.
    StorageTest,
    /// A request for an evaluation, by the operator or a handler.
    Command(EvaluationCommand),
    /// The scheduled search for actors whose work has stopped.
    Sweep,
}

/// A request for an evaluation of one actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationCommand {
    /// The actor.
    pub actor_id: ActorId,
    /// Whether the evaluation may change the set.
    #[serde(default)]
    pub mode: Mode,
    /// The scope of the plan.
    #[serde(default)]
    pub scope: Scope,
    /// Whether the evaluation supersedes a running plan.
    #[serde(default)]
    pub force: bool,
    /// The sender's id for the request, instead of the id of its message. It identifies the request's dry run too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The reason of the request. Only the functions' own messages contain it.
    #[serde(default, skip_serializing_if = "Cause::is_manual")]
    pub cause: Cause,
}

/// What an evaluation does with its plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Execute the plan.
    #[default]
    Execute,
    /// Only report the plan.
    DryRun,
}

/// The reason of an evaluation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A manual request.
    #[default]
    Manual,
    /// An evaluation is pending, usually because of uploads. It begins when they pause.
    Uploads,
    /// A handler has changed the set on behalf of a plan that is no longer active.
    Changed,
    /// The work on the set may have stopped, because messages were lost.
    Resume,
    /// The plan with this id has completed and must be reviewed.
    PlanDone(String),
}

impl Cause {
    fn is_manual(&self) -> bool {
        *self == Self::Manual
    }
}

impl EvaluationCommand {
    /// An evaluation with the full scope, for this reason.
    #[must_use]
    pub fn because(actor_id: ActorId, cause: Cause) -> Self {
        Self { actor_id, mode: Mode::Execute, scope: Scope::All, force: false, request_id: None, cause }
    }

    /// Whether the evaluation that follows a plan of this scope answers the request too.
    #[must_use]
    pub fn is_answered_after_plan_of(&self, scope: Scope) -> bool {
        self.mode == Mode::Execute && self.scope == Scope::All && scope == Scope::All
    }
}

/// The body of [`EvaluationMessage::Sweep`], which the schedule of the template sends.
pub const SWEEP: &str = r#"{"sweep":"stalled"}"#;

impl EvaluationMessage {
    /// Parses the body of a message.
    ///
    /// # Errors
    /// If the body has none of the forms.
    pub fn parse(body: &str) -> Result<Self, InvalidMessage> {
        let invalid = |reason: String| InvalidMessage {
            queue: "the evaluation queue",
            accepted: r#"S3 notifications, EventBridge S3 events and {"actor_id":"…"} and optionally "mode":"execute|dry_run", "scope":"all|delete_only|generate_only", "force":true, "request_id":"…""#,
            reason,
        };
        let value: Value = serde_json::from_str(without_mark(body)).map_err(|error| invalid(error.to_string()))?;
        if value.get("Event").is_some_and(|event| event == "s3:TestEvent") {
            return Ok(Self::StorageTest);
        }
        if value.get("Records").is_some() {
            return object_event::from_notification(value).map(Self::Uploads).map_err(invalid);
        }
        if body == SWEEP {
            return Ok(Self::Sweep);
        }
        if value.get("detail-type").is_some() {
            return object_event::from_event_bridge(value).map(|upload| Self::Uploads(vec![upload])).map_err(invalid);
        }
        let mut command: EvaluationCommand =
            serde_json::from_value(value).map_err(|error| invalid(error.to_string()))?;
        let checked = |id| checked_id(id, "a request", MAX_REQUEST_ID_LENGTH);
        command.request_id = command.request_id.map(checked).transpose().map_err(invalid)?;
        Ok(Self::Command(command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uploads(body: &str) -> Vec<(String, Option<String>)> {
        match EvaluationMessage::parse(body).unwrap() {
            EvaluationMessage::Uploads(uploads) => {
                uploads.into_iter().map(|upload| (upload.key, upload.etag)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_of_an_s3_notification_are_url_decoded() {
        let body = r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},
            "object":{"key":"p/training_data/a/M%C3%BCller+1%2B2.png","eTag":"e1","size":3}}}]}"#;
        assert_eq!(uploads(body), [("p/training_data/a/Müller 1+2.png".to_owned(), Some("e1".to_owned()))]);
    }

    #[test]
    fn key_of_an_event_bridge_event_is_plain() {
        let body = r#"{"version":"0","detail-type":"Object Created","source":"aws.s3",
            "detail":{"bucket":{"name":"b"},"object":{"key":"p/training_data/a/1+2 %20.png","etag":"e1","size":3}}}"#;
        assert_eq!(uploads(body), [("p/training_data/a/1+2 %20.png".to_owned(), Some("e1".to_owned()))]);
    }

    #[test]
    fn removals_and_the_test_event_require_no_work() {
        let removed = r#"{"Records":[{"eventName":"ObjectRemoved:Delete","s3":{"object":{"key":"k"}}}]}"#;
        assert!(uploads(removed).is_empty());
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#;
        assert_eq!(EvaluationMessage::parse(test), Ok(EvaluationMessage::StorageTest));
    }

    #[test]
    fn scheduled_sweep_is_recognized() {
        assert_eq!(EvaluationMessage::parse(SWEEP), Ok(EvaluationMessage::Sweep));
        assert!(EvaluationMessage::parse(r#"{"sweep":"all"}"#).is_err());
    }

    #[test]
    fn command_requires_only_the_actor() {
        let EvaluationMessage::Command(command) = EvaluationMessage::parse(r#"{"actor_id":"a"}"#).unwrap() else {
            panic!("not a command")
        };
        assert_eq!(command, EvaluationCommand::because("a".parse().unwrap(), Cause::Manual));
        assert_eq!(
            serde_json::to_string(&command).unwrap(),
            r#"{"actor_id":"a","mode":"execute","scope":"all","force":false}"#
        );
    }

    #[test]
    fn other_bodies_are_rejected_with_a_reason() {
        for (body, reason) in [
            ("Hello from SQS!", "expected value"),
            ("[]", "invalid"),
            (r#"{"actor_id":"a","mode":"dry-run"}"#, "unknown variant `dry-run`"),
            (r#"{"actor":"a"}"#, "unknown field `actor`"),
            (r#"{"actor_id":"a/../b"}"#, "can't be an actor's id"),
            (r#"{"actor_id":"a","request_id":"a/b"}"#, "not the id of a request"),
            (r#"{"Records":[{"eventName":"ObjectCreated:Put"}]}"#, "s3"),
            (r#"{"detail-type":"Object Created","detail":{}}"#, "object"),
        ] {
            let error = EvaluationMessage::parse(body).unwrap_err();
            assert!(error.reason.contains(reason), "{body}: {error}");
        }
    }

    #[test]
    fn request_id_has_at_most_120_characters() {
        for (length, expected) in [(120, true), (121, false)] {
            let id = "x".repeat(length);
            let body = format!(r#"{{"actor_id":"a","request_id":"{id}"}}"#);
            assert_eq!(EvaluationMessage::parse(&body).is_ok(), expected, "{length}");
        }
    }
}
