//! The messages of the deletion queue.

use serde::{Deserialize, Serialize};

use super::{InvalidMessage, MAX_ID_LENGTH, MAX_REQUEST_ID_LENGTH, checked_id, shortened};
use crate::actor::ActorId;
use crate::files::is_image_name;
use crate::json::without_mark;

/// The maximum number of files in one message.
pub const MAX_FILES_PER_MESSAGE: usize = 100;

/// A request for deletions: those of a plan, or a manual request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DeletionMessage {
    /// Execute the deletions of a plan.
    Planned {
        /// The actor.
        actor_id: ActorId,
        /// The plan.
        plan_id: String,
    },
    /// Delete these files, whatever their assessment.
    Manual {
        /// The actor.
        actor_id: ActorId,
        /// File names, without a path.
        filenames: Vec<String>,
        /// The sender's id for the request. Copies of the message have the same.
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
    },
}

/// The fields of both forms. Serde's errors for an untagged enum would not name the fault.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    actor_id: ActorId,
    plan_id: Option<String>,
    filenames: Option<Vec<String>>,
    request_id: Option<String>,
}

impl DeletionMessage {
    /// Parses the body of a message.
    ///
    /// # Errors
    /// If the body has neither form.
    pub fn parse(body: &str) -> Result<Self, InvalidMessage> {
        let invalid = |reason: String| InvalidMessage {
            queue: "the deletion queue",
            accepted: r#"{"actor_id":"…","plan_id":"…"} or {"actor_id":"…","filenames":["…"]} and optionally "request_id":"…""#,
            reason,
        };
        let fields: Fields = serde_json::from_str(without_mark(body)).map_err(|error| invalid(error.to_string()))?;
        let checked = |id: String| checked_id(id, "a request", MAX_REQUEST_ID_LENGTH).map_err(invalid);
        let request_id = fields.request_id.map(checked).transpose()?;
        match (fields.plan_id, fields.filenames) {
            (Some(plan_id), None) if request_id.is_none() => {
                let plan_id = checked_id(plan_id, "a plan", MAX_ID_LENGTH).map_err(invalid)?;
                Ok(Self::Planned { actor_id: fields.actor_id, plan_id })
            }
            (None, Some(filenames)) => {
                let filenames = checked_filenames(filenames).map_err(invalid)?;
                Ok(Self::Manual { actor_id: fields.actor_id, filenames, request_id })
            }
            _ => Err(invalid(
                "exactly one of `plan_id` and `filenames` is required; `request_id` is only allowed with the latter"
                    .to_owned(),
            )),
        }
    }
}

fn checked_filenames(filenames: Vec<String>) -> Result<Vec<String>, String> {
    if filenames.is_empty() {
        return Err("`filenames` is empty".to_owned());
    }
    if filenames.len() > MAX_FILES_PER_MESSAGE {
        let count = filenames.len();
        return Err(format!("{count} files are more than the {MAX_FILES_PER_MESSAGE} that one message may name"));
    }
    match filenames.iter().find(|name| !may_be_an_image(name)) {
        Some(name) => Err(format!("`{}` is not the file name of an image (without a path)", shortened(name))),
        None => Ok(filenames),
    }
}

/// Whether a name may be that of an actor's image: one segment of a key and of a path.
fn may_be_an_image(name: &str) -> bool {
    !name.contains('/') && is_image_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_back() {
        for body in [
            r#"{"actor_id":"a","plan_id":"p"}"#,
            r#"{"actor_id":"a","filenames":["a_1.jpg","b c+ü.png"]}"#,
            r#"{"actor_id":"a","filenames":["a_1.jpg"],"request_id":"mine"}"#,
        ] {
            let message = DeletionMessage::parse(body).unwrap();
            assert_eq!(serde_json::to_string(&message).unwrap(), body);
        }
    }

    #[test]
    fn other_bodies_are_rejected_with_a_reason() {
        for (body, reason) in [
            ("", "EOF"),
            (r#"{"actor_id":"a"}"#, "exactly one"),
            (r#"{"actor_id":"a","plan_id":"p","filenames":["x"]}"#, "exactly one"),
            (r#"{"actor_id":"a","filenames":[]}"#, "empty"),
            (r#"{"actor_id":"a","filenames":["../b/x.png"]}"#, "../b/x.png"),
            (r#"{"actor_id":"a","filenames":[".."]}"#, "`..` is not the file name of an image"),
            (r#"{"actor_id":"a","filenames":["a\u0000.png"]}"#, "not the file name of an image"),
            (r#"{"actor_id":"a","filenames":["actor.json"]}"#, "`actor.json` is not the file name of an image"),
            (
                &format!(r#"{{"actor_id":"a","filenames":["{}.png"]}}"#, "x".repeat(300)),
                "not the file name of an image",
            ),
            (
                &format!(r#"{{"actor_id":"a","filenames":[{}]}}"#, [r#""a.png""#; 101].join(",")),
                "101 files are more than the 100",
            ),
            (&format!(r#"{{"actor_id":"a","plan_id":"{}"}}"#, "x".repeat(2000)), "is not the id of a plan"),
            (r#"{"actor_id":"a","plan_id":"p","request_id":"mine"}"#, "exactly one"),
            (r#"{"actor_id":"a","filenames":["a.png"],"request_id":"../x"}"#, "`../x` is not the id of a request"),
            (r#"{"actor_id":"../a","plan_id":"p"}"#, "can't be an actor's id"),
            (r#"{"actor_id":"a","planid":"p"}"#, "unknown field `planid`"),
        ] {
            let error = DeletionMessage::parse(body).unwrap_err();
            assert!(error.reason.contains(reason), "{body}: {error}");
        }
    }

    #[test]
    fn request_id_has_at_most_120_characters() {
        for (length, expected) in [(120, true), (121, false)] {
            let id = "x".repeat(length);
            let body = format!(r#"{{"actor_id":"a","filenames":["a.png"],"request_id":"{id}"}}"#);
            assert_eq!(DeletionMessage::parse(&body).is_ok(), expected, "{length}");
        }
    }
}
