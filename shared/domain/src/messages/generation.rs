//! The generation queue.

use serde::{Deserialize, Serialize};

use super::{InvalidMessage, LONGEST_NAME, checked_name};
use crate::actor::ActorId;
use crate::json::without_mark;
use crate::kind::{Kind, KindCounts};
use crate::plan::MANUAL;

/// Make one image of a plan, or, by hand, as many as the sender says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum GenerationMessage {
    /// Make one image of a plan.
    Planned {
        /// Whose image.
        actor_id: ActorId,
        /// Which plan.
        plan_id: String,
        /// Which of the plan's images.
        slot_id: String,
    },
    /// Make this many images of each kind.
    Manual {
        /// Whose images.
        actor_id: ActorId,
        /// How many.
        generate: KindCounts,
        /// The request's own name, if it has one: two messages with the same one are one request.
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
    },
}

/// At most this many images are made for one message by hand: a slip of the finger should not cost a fortune.
const MAX_MANUAL_IMAGES: u32 = 100;

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
    /// Reads a message's body.
    ///
    /// # Errors
    /// If it has neither form.
    pub fn parse(body: &str) -> Result<Self, InvalidMessage> {
        let invalid = |reason: String| InvalidMessage {
            queue: "the generation queue",
            accepted: r#"{"actor_id":"…","plan_id":"…","slot_id":"…"} or {"actor_id":"…","generate":{"bw_stylized":2}} with, if wanted, "request_id":"…""#,
            reason,
        };
        let fields: Fields = serde_json::from_str(without_mark(body)).map_err(|error| invalid(error.to_string()))?;
        let actor_id = fields.actor_id;
        let named = |name: Option<String>, of: &str, longest: usize| {
            name.map(|name| checked_name(name, of, longest)).transpose().map_err(invalid)
        };
        // The plan that is made for a request is named after it.
        let request_id = named(fields.request_id, "a request", LONGEST_NAME - MANUAL.len())?;
        let plan_id = named(fields.plan_id, "a plan", LONGEST_NAME)?;
        match (plan_id, named(fields.slot_id, "an image of a plan", LONGEST_NAME)?, fields.generate) {
            (Some(plan_id), Some(slot_id), None) if request_id.is_none() => {
                Ok(Self::Planned { actor_id, plan_id, slot_id })
            }
            (None, None, Some(generate)) => {
                match Kind::ALL.iter().map(|&kind| u64::from(generate[kind])).sum::<u64>() {
                    0 => Err(invalid("`generate` asks for no image".to_owned())),
                    images if images > u64::from(MAX_MANUAL_IMAGES) => Err(invalid(format!(
                        "`generate` asks for {images} images; ask for at most {MAX_MANUAL_IMAGES} at once"
                    ))),
                    _ => Ok(Self::Manual { actor_id, generate, request_id }),
                }
            }
            _ => Err(invalid("either `plan_id` and `slot_id` or `generate` must be given".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_are_read() {
        let planned = GenerationMessage::parse(r#"{"actor_id":"a","plan_id":"p","slot_id":"3"}"#).unwrap();
        assert!(matches!(planned, GenerationMessage::Planned { slot_id, .. } if slot_id == "3"));
        let manual = GenerationMessage::parse(r#"{"actor_id":"a","generate":{"bw_stylized":2}}"#).unwrap();
        assert!(matches!(manual, GenerationMessage::Manual { generate, .. } if generate.to_string() == "0/2/0"));
    }

    #[test]
    fn a_request_may_be_called_whatever_its_plan_may_be_called_after_it() {
        let manual =
            |request_id: &str| json!({ "actor_id": "a", "generate": { "bw_stylized": 2 }, "request_id": request_id });
        let planned = |plan_id: &str| json!({ "actor_id": "a", "plan_id": plan_id, "slot_id": "001" });
        let is_read = |body: serde_json::Value| GenerationMessage::parse(&body.to_string()).is_ok();
        for (length, is_fine) in [(1, true), (120, true), (121, false)] {
            let name = "x".repeat(length);
            assert_eq!(is_read(manual(&name)), is_fine, "{length}");
            assert_eq!(is_read(planned(&format!("{MANUAL}{name}"))), is_fine, "{length}");
        }
    }

    #[test]
    fn every_other_body_is_refused_with_its_reason() {
        for (body, reason) in [
            (r#"{"actor_id":"a","plan_id":"p"}"#, "either"),
            (r#"{"actor_id":"a","plan_id":"p","slot_id":"a#b"}"#, "`a#b` is not the name of an image of a plan"),
            (r#"{"actor_id":"a","generate":{"bw_stylized":1},"request_id":""}"#, "is not the name of a request"),
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
