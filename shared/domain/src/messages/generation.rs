//! The messages of the generation queue.

use serde::{Deserialize, Serialize};

use super::{InvalidMessage, MAX_ID_LENGTH, MAX_REQUEST_ID_LENGTH, checked_id};
use crate::actor::ActorId;
use crate::json::without_mark;
use crate::kind::{Kind, KindCounts};

/// A request for images: one slot of a plan, or a manual request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum GenerationMessage {
    /// Generate the image of one slot.
    Planned {
        /// The actor.
        actor_id: ActorId,
        /// The plan.
        plan_id: String,
        /// The slot of the plan.
        slot_id: String,
    },
    /// Generate this many images of each kind.
    Manual {
        /// The actor.
        actor_id: ActorId,
        /// The number of images of each kind.
        generate: KindCounts,
        /// The sender's id for the request. Copies of the message have the same.
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
    },
}

/// The maximum number of images in a manual request: a typing error must not cost a fortune.
const MAX_MANUAL_IMAGES: u32 = 100;

/// The fields of both forms.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    actor_id: ActorId,
    plan_id: Option<String>,
    slot_id: Option<String>,
    generate: Option<KindCounts>,
    request_id: Option<String>,
}

impl GenerationMessage {
    /// Parses the body of a message.
    ///
    /// # Errors
    /// If the body has neither form.
    pub fn parse(body: &str) -> Result<Self, InvalidMessage> {
        let invalid = |reason: String| InvalidMessage {
            queue: "the generation queue",
            accepted: r#"{"actor_id":"…","plan_id":"…","slot_id":"…"} or {"actor_id":"…","generate":{"bw_stylized":2}} and optionally "request_id":"…""#,
            reason,
        };
        let fields: Fields = serde_json::from_str(without_mark(body)).map_err(|error| invalid(error.to_string()))?;
        let actor_id = fields.actor_id;
        let checked = |id: Option<String>, of: &str, max_length: usize| {
            id.map(|id| checked_id(id, of, max_length)).transpose().map_err(invalid)
        };
        // The id of the request's plan is the prefix and the id of the request.
        let request_id = checked(fields.request_id, "a request", MAX_REQUEST_ID_LENGTH)?;
        let plan_id = checked(fields.plan_id, "a plan", MAX_ID_LENGTH)?;
        match (plan_id, checked(fields.slot_id, "a slot", MAX_ID_LENGTH)?, fields.generate) {
            (Some(plan_id), Some(slot_id), None) if request_id.is_none() => {
                Ok(Self::Planned { actor_id, plan_id, slot_id })
            }
            (None, None, Some(generate)) => {
                match Kind::ALL.iter().map(|&kind| u64::from(generate[kind])).sum::<u64>() {
                    0 => Err(invalid("`generate` requests no image".to_owned())),
                    images if images > u64::from(MAX_MANUAL_IMAGES) => Err(invalid(format!(
                        "`generate` requests {images} images; request at most {MAX_MANUAL_IMAGES} at once"
                    ))),
                    _ => Ok(Self::Manual { actor_id, generate, request_id }),
                }
            }
            _ => Err(invalid("either `plan_id` and `slot_id` or `generate` is required".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::MANUAL;

    #[test]
    fn both_forms_are_read() {
        let planned = GenerationMessage::parse(r#"{"actor_id":"a","plan_id":"p","slot_id":"3"}"#).unwrap();
        assert!(matches!(planned, GenerationMessage::Planned { slot_id, .. } if slot_id == "3"));
        let manual = GenerationMessage::parse(r#"{"actor_id":"a","generate":{"bw_stylized":2}}"#).unwrap();
        assert!(matches!(manual, GenerationMessage::Manual { generate, .. } if generate.to_string() == "0/2/0"));
    }

    #[test]
    fn longest_request_id_fits_into_a_plan_id() {
        let manual =
            |request_id: &str| json!({ "actor_id": "a", "generate": { "bw_stylized": 2 }, "request_id": request_id });
        let planned = |plan_id: &str| json!({ "actor_id": "a", "plan_id": plan_id, "slot_id": "001" });
        let is_accepted = |body: serde_json::Value| GenerationMessage::parse(&body.to_string()).is_ok();
        for (length, expected) in [(1, true), (120, true), (121, false)] {
            assert_eq!(is_accepted(manual(&"x".repeat(length))), expected, "{length}");
        }
        for (length, expected) in [(128, true), (129, false)] {
            assert_eq!(is_accepted(planned(&"x".repeat(length))), expected, "{length}");
        }
        assert!(is_accepted(planned(&format!("{MANUAL}{}", "x".repeat(120)))));
    }

    #[test]
    fn other_bodies_are_rejected_with_a_reason() {
        for (body, reason) in [
            (r#"{"actor_id":"a","plan_id":"p"}"#, "either"),
            (r#"{"actor_id":"a","plan_id":"p","slot_id":"a#b"}"#, "`a#b` is not the id of a slot"),
            (r#"{"actor_id":"a","generate":{"bw_stylized":1},"request_id":""}"#, "is not the id of a request"),
            (r#"{"actor_id":"a","generate":{}}"#, "no image"),
            (r#"{"actor_id":"a","generate":{"sepia":2}}"#, "unknown field `sepia`"),
            (r#"{"actor_id":"a","generate":{"bw_stylized":-1}}"#, "-1"),
            (r#"{"actor_id":"a","generate":{"bw_stylized":4294967295,"color_stylized":1}}"#, "at most 100"),
        ] {
            let error = GenerationMessage::parse(body).unwrap_err();
            assert!(error.reason.contains(reason), "{body}: {error}");
        }
    }
}
