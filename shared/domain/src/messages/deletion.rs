//! The deletion queue.

use serde::{Deserialize, Serialize};

use super::{InvalidMessage, LONGEST_NAME, checked_name, shortened};
use crate::actor::ActorId;
use crate::json::without_mark;
use crate::keys::is_image_name;
use crate::plan::MANUAL;

/// Files that one message may name.
pub const MAX_FILES_PER_MESSAGE: usize = 100;

/// Delete what a plan says, or, by hand, what the sender says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DeletionMessage {
    /// Carry out the deletions of a plan.
    Planned {
        /// Whose images.
        actor_id: ActorId,
        /// Which plan.
        plan_id: String,
    },
    /// Delete these files, whatever is thought of them.
    Manual {
        /// Whose images.
        actor_id: ActorId,
        /// File names, without a path.
        filenames: Vec<String>,
        /// The sender's name for the request, by which copies of the message are known.
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
    },
}

/// Both forms in one, since serde says little of why an untagged enum doesn't fit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    actor_id: ActorId,
    plan_id: Option<String>,
    filenames: Option<Vec<String>>,
    request_id: Option<String>,
}

impl DeletionMessage {
    /// Reads a message's body.
    ///
    /// # Errors
    /// If it has neither form.
    pub fn parse(body: &str) -> Result<Self, InvalidMessage> {
        let invalid = |reason: String| InvalidMessage {
            queue: "the deletion queue",
            accepted: r#"{"actor_id":"…","plan_id":"…"} or {"actor_id":"…","filenames":["…"]} with, if wanted, "request_id":"…""#,
            reason,
        };
        let fields: Fields = serde_json::from_str(without_mark(body)).map_err(|error| invalid(error.to_string()))?;
        let named = |name: String| checked_name(name, "a request", LONGEST_NAME - MANUAL.len()).map_err(invalid);
        let request_id = fields.request_id.map(named).transpose()?;
        match (fields.plan_id, fields.filenames) {
            (Some(plan_id), None) if request_id.is_none() => {
                let plan_id = checked_name(plan_id, "a plan", LONGEST_NAME).map_err(invalid)?;
                Ok(Self::Planned { actor_id: fields.actor_id, plan_id })
            }
            (None, Some(filenames)) if filenames.is_empty() => Err(invalid("`filenames` is empty".to_owned())),
            (None, Some(filenames)) if filenames.len() > MAX_FILES_PER_MESSAGE => {
                Err(invalid(format!("{} files are more than {MAX_FILES_PER_MESSAGE} at once", filenames.len())))
            }
            (None, Some(filenames)) => match filenames.iter().find(|name| !can_be_an_image(name)) {
                Some(name) => {
                    Err(invalid(format!("`{}` is not the name of an image, without a path", shortened(name))))
                }
                None => Ok(Self::Manual { actor_id: fields.actor_id, filenames, request_id }),
            },
            _ => Err(invalid(
                "exactly one of `plan_id` and `filenames` must be given, and a `request_id` only with the latter"
                    .to_owned(),
            )),
        }
    }
}

/// A possible name of an actor's image: one segment of a key and of a path.
fn can_be_an_image(name: &str) -> bool {
    !name.contains('/') && is_image_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_back_as_they_are_written() {
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
    fn every_other_body_is_refused_with_its_reason() {
        for (body, reason) in [
            ("", "EOF"),
            (r#"{"actor_id":"a"}"#, "exactly one"),
            (r#"{"actor_id":"a","plan_id":"p","filenames":["x"]}"#, "exactly one"),
            (r#"{"actor_id":"a","filenames":[]}"#, "empty"),
            (r#"{"actor_id":"a","filenames":["../b/x.png"]}"#, "../b/x.png"),
            (r#"{"actor_id":"a","filenames":[".."]}"#, "`..` is not the name of an image"),
            (r#"{"actor_id":"a","filenames":["a\u0000.png"]}"#, "not the name of an image"),
            (r#"{"actor_id":"a","filenames":["actor.json"]}"#, "`actor.json` is not the name of an image"),
            (&format!(r#"{{"actor_id":"a","filenames":["{}.png"]}}"#, "x".repeat(300)), "not the name of an image"),
            (
                &format!(r#"{{"actor_id":"a","filenames":[{}]}}"#, [r#""a.png""#; 101].join(",")),
                "101 files are more than 100",
            ),
            (&format!(r#"{{"actor_id":"a","plan_id":"{}"}}"#, "x".repeat(2000)), "is not the name of a plan"),
            (r#"{"actor_id":"a","plan_id":"p","request_id":"mine"}"#, "exactly one"),
            (r#"{"actor_id":"a","filenames":["a.png"],"request_id":"../x"}"#, "`../x` is not the name of a request"),
            (r#"{"actor_id":"../a","plan_id":"p"}"#, "can't be an actor's id"),
            (r#"{"actor_id":"a","planid":"p"}"#, "unknown field `planid`"),
        ] {
            let error = DeletionMessage::parse(body).unwrap_err();
            assert!(error.reason.contains(reason), "{body}: {error}");
        }
    }
}
