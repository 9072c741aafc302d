//! The meaning of the failure messages and codes of all services. Services and their models phrase the same failure in
//! many ways, with or without a code, so this one table decides for the whole program.

/// The reaction to a failure with a certain message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The service rejected the content of a request or its result: the same content will be rejected again.
    ContentRejected,
    /// The service did not finish its work: the same request will succeed later.
    Interrupted,
}

use Meaning::{ContentRejected, Interrupted};

/// Phrases and codes in lower case, and their meaning. They match as whole words only. The first match decides: a filter
/// that is busy has rejected nothing.
const WORDINGS: [(&str, Meaning); 41] = [
    ("prediction interrupted", Interrupted),
    ("code: pa", Interrupted),
    ("e003", Interrupted),
    ("e004", Interrupted),
    ("temporarily unavailable", Interrupted),
    ("currently unavailable", Interrupted),
    ("queue limit", Interrupted),
    ("queue is full", Interrupted),
    ("high demand", Interrupted),
    ("overloaded", Interrupted),
    ("overloaded_error", Interrupted),
    ("try again later", Interrupted),
    ("e005", ContentRejected),
    ("flagged as", ContentRejected),
    ("sensitive content", ContentRejected),
    ("nsfw", ContentRejected),
    ("content flagged", ContentRejected),
    ("flagged for", ContentRejected),
    ("was flagged", ContentRejected),
    ("prompt blocked", ContentRejected),
    ("prompt was blocked", ContentRejected),
    ("prompt rejected", ContentRejected),
    ("invalid_prompt", ContentRejected),
    ("moderation", ContentRejected),
    ("moderated", ContentRejected),
    ("moderation_blocked", ContentRejected),
    ("content policy", ContentRejected),
    ("content management policy", ContentRejected),
    ("usage policy", ContentRejected),
    ("usage policies", ContentRejected),
    ("content_policy_violation", ContentRejected),
    ("image_content_policy_violation", ContentRejected),
    ("responsible_ai_policy_violation", ContentRejected),
    ("content_filter", ContentRejected),
    ("content filter", ContentRejected),
    ("safety filter", ContentRejected),
    ("safety filters", ContentRejected),
    ("safety checker", ContentRejected),
    ("safety system", ContentRejected),
    ("sensitive information", ContentRejected),
    ("content_moderation", ContentRejected),
];

/// The reaction to a failure with this message; `None` if the message concerns the attempt itself.
pub(crate) fn meaning(message: &str) -> Option<Meaning> {
    let message = message.to_lowercase();
    WORDINGS.iter().find(|(words, _)| has_words(&message, words)).map(|&(_, meaning)| meaning)
}

fn has_words(text: &str, words: &str) -> bool {
    let is_bounded = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + words.len()..].chars().next();
        [before, after].into_iter().flatten().all(|neighbour| !neighbour.is_alphanumeric() && neighbour != '_')
    };
    text.match_indices(words).any(|(at, _)| is_bounded(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of real services, one for each wording at least.
    const MESSAGES: [(&str, Meaning); 45] = [
        (
            "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
            ContentRejected,
        ),
        ("E005", ContentRejected),
        ("Flagged as sensitive", ContentRejected),
        ("The image may contain sensitive content.", ContentRejected),
        ("The input text may contain sensitive information.", ContentRejected),
        ("content_moderation", ContentRejected),
        ("NSFW content detected. Try running it again, or try a different prompt.", ContentRejected),
        ("Content flagged: violence", ContentRejected),
        ("Content flagged for: sexual", ContentRejected),
        ("The image is flagged for violence", ContentRejected),
        ("Your input was flagged", ContentRejected),
        ("Prompt blocked", ContentRejected),
        ("The prompt was blocked by the provider", ContentRejected),
        ("Prompt rejected: nudity", ContentRejected),
        ("invalid_prompt", ContentRejected),
        ("Input rejected by content moderation", ContentRejected),
        ("Content Moderated", ContentRejected),
        ("Request Moderated", ContentRejected),
        ("moderation_blocked", ContentRejected),
        ("This violates our content policy.", ContentRejected),
        ("It triggered Azure OpenAI's content management policy.", ContentRejected),
        ("The request is against our usage policy", ContentRejected),
        ("The prompt may violate our usage policies", ContentRejected),
        ("content_policy_violation", ContentRejected),
        ("image_content_policy_violation", ContentRejected),
        ("responsible_ai_policy_violation", ContentRejected),
        ("content_filter", ContentRejected),
        ("Blocked by the content filter", ContentRejected),
        ("Stopped by a safety filter", ContentRejected),
        ("Stopped by our safety filters.", ContentRejected),
        ("The safety checker found something", ContentRejected),
        ("Your request was rejected by the safety system. safety_violations=[violence]", ContentRejected),
        ("Prediction interrupted (code: PA)", Interrupted),
        ("Failed (code: PA)", Interrupted),
        ("Unavailable (E003)", Interrupted),
        ("Unavailable (E004)", Interrupted),
        ("Service is temporarily unavailable (E003)", Interrupted),
        ("Service is currently unavailable due to high demand.", Interrupted),
        ("You have reached the queue limit", Interrupted),
        ("The queue is full", Interrupted),
        ("There is high demand for this model", Interrupted),
        ("The model is overloaded", Interrupted),
        ("overloaded_error", Interrupted),
        ("Something went wrong. Please try again later.", Interrupted),
        ("The moderation service is temporarily unavailable", Interrupted),
    ];

    #[test]
    fn failures_are_recognised_in_any_wording() {
        for (message, expected) in MESSAGES {
            assert_eq!(meaning(message), Some(expected), "{message}");
        }
    }

    /// A row that another one shadows never decides.
    #[test]
    fn every_wording_decides_a_message() {
        let deciding = |(message, _): &(&str, Meaning)| {
            let message = message.to_lowercase();
            WORDINGS.iter().find(|(words, _)| has_words(&message, words)).map(|(words, _)| *words)
        };
        let decided: Vec<&str> = MESSAGES.iter().filter_map(deciding).collect();
        let idle: Vec<_> = WORDINGS.iter().filter(|(words, _)| !decided.contains(words)).collect();
        assert!(idle.is_empty(), "{idle:?}");
    }

    #[test]
    fn other_failures_have_no_special_meaning() {
        for message in [
            "CUDA out of memory",
            "it was failed",
            "E0051",
            "E1005",
            "Model names are case-sensitive",
            "insensitive",
            "code: part of it",
            "unknown field input_moderation",
            "",
        ] {
            assert_eq!(meaning(message), None, "{message}");
        }
    }
}
