//! Reads the answers of the model, and accepts only entries that are complete and unambiguous.

use std::collections::{BTreeMap, BTreeSet};

use domain::assessment::{BEST_QUALITY, Flag, Observation};
use domain::caption::{caption_from, expression_from};
use domain::content::{Content, NotCompared};
use domain::kind::Kind;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::content::judgements;
use super::cost::Usage;
use super::error::OpenAiError;

/// The model's answer about a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Assessed(Judgements),
    /// The model or a content filter refuses to assess the batch, with this reason.
    Refused(String),
    /// The request or the answer exceeds the model's limit.
    TooLong,
    /// A request may contain at most this many images.
    TooManyImages(usize),
}

/// The usable part of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Judgements {
    /// The observation for each number with exactly one valid entry.
    pub(super) observations: BTreeMap<u32, Observation>,
    /// Why the reference shows no single character, if the model says so.
    pub(super) reference_fault: Option<ReferenceFault>,
}

/// What the model says about a reference that shows the character.
pub(super) const ONE_CHARACTER: &str = "one_character";

/// Why a reference can't be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReferenceFault {
    SeveralCharacters,
    NoCharacter,
}

impl From<ReferenceFault> for NotCompared {
    fn from(fault: ReferenceFault) -> Self {
        match fault {
            ReferenceFault::SeveralCharacters => Self::SeveralCharacters,
            ReferenceFault::NoCharacter => Self::NoCharacter,
        }
    }
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    /// Some servers omit it, or one of its fields.
    #[serde(default)]
    usage: Value,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    reason: String,
    kind: Kind,
    flags: BTreeSet<Flag>,
    quality: u8,
    /// What the image shows. A server that ignores the schema may leave these out, or make up other values.
    #[serde(flatten)]
    content: Map<String, Value>,
}

/// Reads a successful response. The usage is `None` if the server doesn't report it.
pub(super) fn read(body: &[u8]) -> Result<(Answer, Option<Usage>), OpenAiError> {
    let completion: Completion =
        serde_json::from_slice(body).map_err(|error| OpenAiError::Unreadable(error.to_string()))?;
    let tokens = |name: &str| completion.usage[name].as_u64();
    let usage = tokens("prompt_tokens").zip(tokens("completion_tokens")).map(|(input, output)| Usage { input, output });
    let choice = completion.choices.into_iter().next();
    let Choice { message, finish_reason } = choice.ok_or_else(|| OpenAiError::Unreadable("no choice".to_owned()))?;
    // Refusals and truncated answers first: they may have content too, which must not count.
    let refusal = message.refusal.filter(|why| !why.trim().is_empty());
    let answer = match (refusal, finish_reason.as_deref()) {
        (Some(why), _) => Answer::Refused(why.chars().take(200).collect()),
        (None, Some("content_filter")) => Answer::Refused("a content filter stopped the answer".to_owned()),
        (None, Some("length")) => Answer::TooLong,
        (None, _) => Answer::Assessed(judgements_in(&message.content.unwrap_or_default())),
    };
    Ok((answer, usage))
}

fn judgements_in(content: &str) -> Judgements {
    let Some(answer) = judgements(content) else { return Judgements::default() };
    let reference_fault = serde_json::from_value(answer["reference"].clone()).ok();
    // A service that ignores the schema may say something else. Then its comparison doesn't count.
    let is_reference_clear = answer["reference"] == ONE_CHARACTER;
    let mut by_number: BTreeMap<u32, Vec<&Value>> = BTreeMap::new();
    for entry in answer["cells"].as_array().into_iter().flatten() {
        if let Some(number) = entry["cell"].as_u64().and_then(|number| u32::try_from(number).ok()) {
            by_number.entry(number).or_default().push(entry);
        }
    }
    let unambiguous = by_number.into_iter().filter_map(|(number, entries)| {
        let [entry] = entries[..] else { return None };
        let mut observation = Entry::deserialize(entry).ok()?.into_observation()?;
        if !is_reference_clear {
            observation.content.same_character = None;
        }
        Some((number, observation))
    });
    Judgements { observations: unambiguous.collect(), reference_fault }
}

impl Entry {
    fn into_observation(self) -> Option<Observation> {
        let is_valid =
            (1..=BEST_QUALITY).contains(&self.quality) && self.flags.iter().all(|flag| Flag::REPORTED.contains(flag));
        is_valid.then(|| Observation {
            kind: self.kind,
            quality: self.quality,
            flags: self.flags.into_iter().collect(),
            reason: self.reason,
            content: content_of(&self.content),
        })
    }
}

/// The usable fields of the content. An unusable one counts as unknown, so it never deletes an image.
fn content_of(fields: &Map<String, Value>) -> Content {
    Content {
        same_character: known(fields, "same_character"),
        not_compared: None,
        framing: known(fields, "framing"),
        angle: known(fields, "angle"),
        expression: text_of(fields, "expression").and_then(expression_from),
        caption: text_of(fields, "caption").and_then(caption_from),
    }
}

fn known<T: DeserializeOwned>(fields: &Map<String, Value>, name: &str) -> Option<T> {
    serde_json::from_value(fields.get(name)?.clone()).ok()
}

fn text_of<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use domain::content::{Angle, SameCharacter};
    use serde_json::json;

    use super::*;

    fn entry(cell: u32, quality: i64) -> Value {
        json!({ "cell": cell, "reason": "Seen.", "kind": "bw_stylized", "flags": [], "quality": quality })
    }

    fn assessed(cells: &[Value]) -> Vec<u32> {
        judgements_in(&json!({ "cells": cells }).to_string()).observations.into_keys().collect()
    }

    #[test]
    fn only_single_valid_entries_count() {
        let mut lacking = entry(4, 8);
        lacking.as_object_mut().unwrap().remove("flags");
        let mut unknown = entry(5, 8);
        unknown["kind"] = "sepia".into();
        let mut measured = entry(7, 8);
        measured["flags"] = json!(["exact_duplicate"]);
        let wrong = [lacking, unknown, entry(6, 0), measured, json!("x")];
        let cells = [vec![entry(1, 8), entry(2, 8), entry(2, 8), entry(3, 11)], wrong.to_vec()].concat();
        assert_eq!(assessed(&cells), [1]);
    }

    #[test]
    fn second_entry_voids_the_first_even_if_invalid() {
        assert_eq!(assessed(&[entry(1, 8), entry(1, 99)]), [0; 0]);
    }

    #[test]
    fn reported_faults_become_flags() {
        let mut entry = entry(1, 9);
        entry["flags"] = json!(["collage", "distorted_anatomy", "collage"]);
        let observation = only_observation(&json!({ "cells": [entry] }));
        assert_eq!((observation.quality, observation.flags), (9, vec![Flag::DistortedAnatomy, Flag::Collage]));
    }

    fn only_observation(answer: &Value) -> Observation {
        judgements_in(&answer.to_string()).observations.remove(&1).unwrap()
    }

    #[test]
    fn content_is_read_as_far_as_it_is_usable() {
        let mut entry = entry(1, 9);
        assert_eq!(only_observation(&json!({ "cells": [entry] })).content, Content::default());
        let told = json!({ "same_character": "no", "framing": "wide", "angle": "back", "caption": "walks\naway" });
        entry.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        let content = only_observation(&json!({ "reference": "one_character", "cells": [entry] })).content;
        assert_eq!(serde_json::to_value(content).unwrap()["caption"], "walks away");
        for (field, value) in [("same_character", json!("maybe")), ("framing", json!(3)), ("caption", json!([]))] {
            entry[field] = value;
        }
        let content = only_observation(&json!({ "cells": [entry] })).content;
        assert_eq!(content, Content { angle: Some(Angle::Back), ..Content::default() });
    }

    #[test]
    fn unclear_reference_voids_the_comparison() {
        let mut entry = entry(1, 9);
        entry["same_character"] = json!("no");
        for (reference, same, is_fault) in [
            (json!("one_character"), Some(SameCharacter::No), false),
            (json!("several_characters"), None, true),
            (json!("No character."), None, false),
            (json!(null), None, false),
        ] {
            let answer = json!({ "reference": reference, "cells": [entry] });
            assert_eq!(only_observation(&answer).content.same_character, same, "{reference}");
            assert_eq!(judgements_in(&answer.to_string()).reference_fault.is_some(), is_fault, "{reference}");
        }
    }

    fn completion(refusal: &Value, usage: &Value) -> (Answer, Option<Usage>) {
        let message = json!({ "content": json!({ "cells": [entry(1, 8)] }).to_string(), "refusal": refusal });
        let choice = json!({ "message": message, "finish_reason": "stop" });
        read(json!({ "choices": [choice], "usage": usage }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn empty_refusal_is_ignored() {
        for refusal in [json!(null), json!(""), json!(" ")] {
            assert!(
                matches!(completion(&refusal, &json!(null)).0, Answer::Assessed(judged) if judged.observations.len() == 1)
            );
        }
        assert!(matches!(completion(&json!("No."), &json!(null)).0, Answer::Refused(why) if why == "No."));
    }

    #[test]
    fn usage_needs_both_token_counts() {
        let whole = json!({ "prompt_tokens": 7, "completion_tokens": 3 });
        assert_eq!(completion(&json!(null), &whole).1, Some(Usage { input: 7, output: 3 }));
        for partial in [json!(null), json!({}), json!({ "prompt_tokens": 7 }), json!({ "completion_tokens": -1 })] {
            assert_eq!(completion(&json!(null), &partial).1, None, "{partial}");
        }
    }

    #[test]
    fn text_without_json_has_no_observations() {
        assert_eq!(judgements_in("Here you are: {"), Judgements::default());
    }
}
