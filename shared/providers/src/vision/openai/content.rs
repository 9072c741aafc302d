//! JSON in the text of an answer. Models put it into a fence, after their reasoning, or between sentences.

use serde_json::{Deserializer, Value};

/// The end of a model's reasoning. Some servers omit the opening tag.
const END_OF_THOUGHTS: [&str; 2] = ["</think>", "</thinking>"];

/// The object with the list `cells` in an answer. If there are several, the last one counts, because a model that
/// corrects itself does so afterwards. `None` if there is none.
pub(super) fn judgements(content: &str) -> Option<Value> {
    let text = after_thoughts(content);
    let (mut found, mut at) = (None, 0);
    while let Some(next) = text[at..].find('{') {
        let start = at + next;
        let mut values = Deserializer::from_str(&text[start..]).into_iter::<Value>();
        at = match values.next() {
            Some(Ok(value)) if value["cells"].is_array() => {
                found = Some(value);
                start + values.byte_offset()
            }
            _ => start + 1,
        };
    }
    found
}

fn after_thoughts(content: &str) -> &str {
    let end = |tag: &&str| content.rfind(tag).map(|at| at + tag.len());
    END_OF_THOUGHTS.iter().filter_map(end).max().map_or(content, |end| &content[end..])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cells(content: &str) -> Vec<Value> {
        judgements(content).map(|answer| answer["cells"].as_array().unwrap().clone()).unwrap_or_default()
    }

    #[test]
    fn cells_are_found_anywhere_in_an_answer() {
        let json = r#"{"cells": [{"cell": 1, "reason": "A {brace}, a \"quote\"."}]}"#;
        let wanted = vec![json!({ "cell": 1, "reason": "A {brace}, a \"quote\"." })];
        for content in [
            json.to_owned(),
            format!("```json\n{json}\n```"),
            format!("```\n{json}\n```\nDone."),
            format!("<think>A draft: {{\"cells\": [{{\"cell\": 2}}]}}</think>\n{json}"),
            format!("I think so.</think>{json}"),
            format!("<thinking>Hm.</thinking> {json}"),
            format!("Here are my {{judgements}}: {json} I hope this helps."),
            format!("{{\"cells\": [{{\"cell\": 2}}]}} No, rather: {json}"),
            format!("{{\"answer\": {json}}}"),
        ] {
            assert_eq!(cells(&content), wanted, "{content}");
        }
    }

    #[test]
    fn text_without_complete_json_has_no_cells() {
        for content in
            ["", "Certainly!", r#"{"cells": [{"cell": 1}"#, r#"{"cells": "none"}"#, "{{{{", "<think>{}</think>"]
        {
            assert_eq!(cells(content), [0; 0], "{content}");
        }
    }

    #[test]
    fn hostile_nesting_is_read_in_linear_time() {
        let began = std::time::Instant::now();
        for hostile in ["{", "{\"a\":", "{\"a\":[1,", "{\"a\":\"", "{\"cells\":[{\"a\":"] {
            assert_eq!(cells(&hostile.repeat(1_000_000 / hostile.len())), [0; 0], "{hostile}");
        }
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    }
}
