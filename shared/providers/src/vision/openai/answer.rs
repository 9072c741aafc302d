//! What comes back, believed only as far as it can be checked.

use std::collections::BTreeMap;

use domain::assessment::{BEST_QUALITY, Flag, Observation};
use domain::kind::Kind;
use serde::Deserialize;
use serde_json::Value;

use super::content::cells;
use super::cost::Usage;
use super::error::OpenAiError;

/// What the model says about a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It judges: what it says of each number that it names exactly once, and properly.
    Assessed(BTreeMap<u32, Observation>),
    /// It refuses, and says why.
    Refused(String),
    /// The request, or the answer, is longer than the model can take.
    TooLong,
    /// A request may contain at most this many images.
    TooManyImages(usize),
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    /// Some servers leave it out, or half of it.
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
struct Judgement {
    reason: String,
    kind: Kind,
    looking_at_camera: bool,
    symmetrical: bool,
    distorted_anatomy: bool,
    blurry: bool,
    quality: u8,
}

/// Reads a successful answer, and what it took; `None` where the server doesn't say.
pub(super) fn read(body: &[u8]) -> Result<(Answer, Option<Usage>), OpenAiError> {
    let completion: Completion =
        serde_json::from_slice(body).map_err(|error| OpenAiError::Unreadable(error.to_string()))?;
    let tokens = |name: &str| completion.usage[name].as_u64();
    let usage = tokens("prompt_tokens").zip(tokens("completion_tokens")).map(|(input, output)| Usage { input, output });
    let choice = completion.choices.into_iter().next();
    let Choice { message, finish_reason } = choice.ok_or_else(|| OpenAiError::Unreadable("no choice".to_owned()))?;
    // In this order: what was refused or cut off has content too, and it must not be believed.
    let refusal = message.refusal.filter(|why| !why.trim().is_empty());
    let said = match (refusal, finish_reason.as_deref()) {
        (Some(why), _) => Answer::Refused(why.chars().take(200).collect()),
        (None, Some("content_filter")) => Answer::Refused("a content filter stopped the answer".to_owned()),
        (None, Some("length")) => Answer::TooLong,
        (None, _) => Answer::Assessed(judgements(&message.content.unwrap_or_default())),
    };
    Ok((said, usage))
}

/// Text that can't be understood judges nothing.
fn judgements(content: &str) -> BTreeMap<u32, Observation> {
    let mut by_number: BTreeMap<u32, Vec<Value>> = BTreeMap::new();
    for entry in cells(content) {
        if let Some(number) = entry["cell"].as_u64().and_then(|number| u32::try_from(number).ok()) {
            by_number.entry(number).or_default().push(entry);
        }
    }
    let named_once = by_number.into_iter().filter_map(|(number, entries)| {
        let [entry] = <[Value; 1]>::try_from(entries).ok()?;
        Some((number, serde_json::from_value::<Judgement>(entry).ok()?.into_observation()?))
    });
    named_once.collect()
}

impl Judgement {
    fn into_observation(self) -> Option<Observation> {
        (1..=BEST_QUALITY).contains(&self.quality).then_some(())?;
        let seen = [
            (self.looking_at_camera, Flag::LookingAtCamera),
            (self.symmetrical, Flag::Symmetrical),
            (self.distorted_anatomy, Flag::DistortedAnatomy),
            (self.blurry, Flag::Blurry),
        ];
        let flags: Vec<Flag> = seen.into_iter().filter_map(|(is_seen, flag)| is_seen.then_some(flag)).collect();
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

    fn judged(cells: &[Value]) -> Vec<u32> {
        judgements(&json!({ "cells": cells }).to_string()).into_keys().collect()
    }

    #[test]
    fn only_what_is_said_once_and_properly_counts() {
        let mut lacking = entry(4, 8);
        lacking.as_object_mut().unwrap().remove("blurry");
        let mut unknown = entry(5, 8);
        unknown["kind"] = "sepia".into();
        let cells = [entry(1, 8), entry(2, 8), entry(2, 8), entry(3, 11), lacking, unknown, entry(6, 0), json!("x")];
        assert_eq!(judged(&cells), [1]);
    }

    #[test]
    fn a_number_said_twice_counts_for_nothing_even_if_one_entry_is_no_use() {
        assert_eq!(judged(&[entry(1, 8), entry(1, 99)]), [0; 0]);
    }

    #[test]
    fn the_faults_that_the_model_sees_become_flags() {
        let mut entry = entry(1, 9);
        entry["distorted_anatomy"] = true.into();
        let observation = judgements(&json!({ "cells": [entry] }).to_string()).remove(&1).unwrap();
        assert_eq!((observation.quality, observation.flags), (9, vec![Flag::DistortedAnatomy]));
    }

    fn completion(refusal: &Value, usage: &Value) -> (Answer, Option<Usage>) {
        let message = json!({ "content": json!({ "cells": [entry(1, 8)] }).to_string(), "refusal": refusal });
        let choice = json!({ "message": message, "finish_reason": "stop" });
        read(json!({ "choices": [choice], "usage": usage }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn an_empty_refusal_is_none() {
        for refusal in [json!(null), json!(""), json!(" ")] {
            assert!(matches!(completion(&refusal, &json!(null)).0, Answer::Assessed(judged) if judged.len() == 1));
        }
        assert!(matches!(completion(&json!("No."), &json!(null)).0, Answer::Refused(why) if why == "No."));
    }

    #[test]
    fn what_an_answer_took_is_known_only_if_it_is_said_in_full() {
        let whole = json!({ "prompt_tokens": 7, "completion_tokens": 3 });
        assert_eq!(completion(&json!(null), &whole).1, Some(Usage { input: 7, output: 3 }));
        for partial in [json!(null), json!({}), json!({ "prompt_tokens": 7 }), json!({ "completion_tokens": -1 })] {
            assert_eq!(completion(&json!(null), &partial).1, None, "{partial}");
        }
    }

    #[test]
    fn text_that_is_no_json_judges_nothing() {
        assert!(judgements("Here you are: {").is_empty());
    }
}
