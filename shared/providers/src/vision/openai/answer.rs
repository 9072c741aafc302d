//! Reads the answers of the model, and accepts only entries that are complete and unambiguous.

use std::collections::BTreeMap;

use domain::assessment::{BEST_QUALITY, Flag, Observation};
use domain::kind::Kind;
use serde::Deserialize;
use serde_json::Value;

use super::content::cells;
use super::cost::Usage;
use super::error::OpenAiError;

/// The model's answer about a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The observation for each number with exactly one valid entry.
    Assessed(BTreeMap<u32, Observation>),
    /// The model or a content filter refuses to assess the batch, with this reason.
    Refused(String),
    /// The request or the answer exceeds the model's limit.
    TooLong,
    /// A request may contain at most this many images.
    TooManyImages(usize),
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
    looking_at_camera: bool,
    symmetrical: bool,
    distorted_anatomy: bool,
    blurry: bool,
    quality: u8,
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
        (None, _) => Answer::Assessed(observations(&message.content.unwrap_or_default())),
    };
    Ok((answer, usage))
}

/// The observation for each number with exactly one valid entry.
fn observations(content: &str) -> BTreeMap<u32, Observation> {
    let mut by_number: BTreeMap<u32, Vec<Value>> = BTreeMap::new();
    for entry in cells(content) {
        if let Some(number) = entry["cell"].as_u64().and_then(|number| u32::try_from(number).ok()) {
            by_number.entry(number).or_default().push(entry);
        }
    }
    let unambiguous = by_number.into_iter().filter_map(|(number, entries)| {
        let [entry] = <[Value; 1]>::try_from(entries).ok()?;
        Some((number, serde_json::from_value::<Entry>(entry).ok()?.into_observation()?))
    });
    unambiguous.collect()
}

impl Entry {
    fn into_observation(self) -> Option<Observation> {
        (1..=BEST_QUALITY).contains(&self.quality).then_some(())?;
        let flags = [
            (self.looking_at_camera, Flag::LookingAtCamera),
            (self.symmetrical, Flag::Symmetrical),
            (self.distorted_anatomy, Flag::DistortedAnatomy),
            (self.blurry, Flag::Blurry),
        ];
        let flags = flags.into_iter().filter_map(|(is_set, flag)| is_set.then_some(flag)).collect();
        Some(Observation { kind: self.kind, quality: self.quality, flags, reason: self.reason })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(cell: u32, quality: i64) -> Value {
        json!({
            "cell": cell, "reason": "Seen.", "kind": "bw_stylized", "looking_at_camera": false, "symmetrical": false,
            "distorted_anatomy": false, "blurry": false, "quality": quality,
        })
    }

    fn assessed(cells: &[Value]) -> Vec<u32> {
        observations(&json!({ "cells": cells }).to_string()).into_keys().collect()
    }

    #[test]
    fn only_single_valid_entries_count() {
        let mut lacking = entry(4, 8);
        lacking.as_object_mut().unwrap().remove("blurry");
        let mut unknown = entry(5, 8);
        unknown["kind"] = "sepia".into();
        let cells = [entry(1, 8), entry(2, 8), entry(2, 8), entry(3, 11), lacking, unknown, entry(6, 0), json!("x")];
        assert_eq!(assessed(&cells), [1]);
    }

    #[test]
    fn second_entry_voids_the_first_even_if_invalid() {
        assert_eq!(assessed(&[entry(1, 8), entry(1, 99)]), [0; 0]);
    }

    #[test]
    fn reported_faults_become_flags() {
        let mut entry = entry(1, 9);
        entry["distorted_anatomy"] = true.into();
        let observation = observations(&json!({ "cells": [entry] }).to_string()).remove(&1).unwrap();
        assert_eq!((observation.quality, observation.flags), (9, vec![Flag::DistortedAnatomy]));
    }

    fn completion(refusal: &Value, usage: &Value) -> (Answer, Option<Usage>) {
        let message = json!({ "content": json!({ "cells": [entry(1, 8)] }).to_string(), "refusal": refusal });
        let choice = json!({ "message": message, "finish_reason": "stop" });
        read(json!({ "choices": [choice], "usage": usage }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn empty_refusal_is_ignored() {
        for refusal in [json!(null), json!(""), json!(" ")] {
            assert!(matches!(completion(&refusal, &json!(null)).0, Answer::Assessed(entries) if entries.len() == 1));
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
        assert!(observations("Here you are: {").is_empty());
    }
}
