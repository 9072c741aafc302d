//! The meaning of Replicate's failure messages. Its models phrase the same failure in many ways, with or without a
//! code, so this one table decides for the whole program.

/// The reaction to a failure with a certain message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The prompt or its result was refused for its content: another prompt is needed.
    ContentRefused,
    /// The service could not finish its work: the same request will succeed later.
    Interrupted,
}

use Meaning::{ContentRefused, Interrupted};

/// Phrases in lower case, and their meaning. They match as whole words only. The first match decides.
const WORDINGS: [(&str, Meaning); 27] = [
    ("e005", ContentRefused),
    ("sensitive", ContentRefused),
    ("nsfw", ContentRefused),
    ("content flagged", ContentRefused),
    ("flagged for", ContentRefused),
    ("was flagged", ContentRefused),
    ("prompt blocked", ContentRefused),
    ("prompt was blocked", ContentRefused),
    ("prompt rejected", ContentRefused),
    ("content moderated", ContentRefused),
    ("request moderated", ContentRefused),
    ("content policy", ContentRefused),
    ("safety filter", ContentRefused),
    ("safety filters", ContentRefused),
    ("safety checker", ContentRefused),
    ("safety system", ContentRefused),
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
    ("try again later", Interrupted),
];

/// The reaction to a failure with this message; `None` if the message concerns the attempt itself.
pub(super) fn meaning(said: &str) -> Option<Meaning> {
    let said = said.to_lowercase();
    WORDINGS.iter().find(|(words, _)| has_words(&said, words)).map(|&(_, meaning)| meaning)
}

fn has_words(text: &str, words: &str) -> bool {
    let is_bounded = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + words.len()..].chars().next();
        [before, after].into_iter().flatten().all(|neighbour| !neighbour.is_alphanumeric())
    };
    text.match_indices(words).any(|(at, _)| is_bounded(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_refusals_are_known_in_every_wording() {
        for said in [
            "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
            "Flagged as sensitive",
            "E005",
            "NSFW content detected. Try running it again, or try a different prompt.",
            "Content flagged for: sexual",
            "Your input was flagged",
            "The image was flagged for: violence",
            "Prompt blocked",
            "The prompt was blocked by the provider",
            "Prompt rejected: nudity",
            "Content Moderated",
            "Request Moderated",
            "This violates our content policy.",
            "Stopped by a safety filter",
            "Stopped by our safety filters.",
            "The safety checker found something",
            "Your request was rejected by the safety system.",
        ] {
            assert_eq!(meaning(said), Some(ContentRefused), "{said}");
        }
    }

    #[test]
    fn interruptions_are_known_in_every_wording() {
        for said in [
            "Prediction interrupted; please retry (code: PA)",
            "Failed (code: PA)",
            "Service is temporarily unavailable (E003)",
            "Unavailable (E003)",
            "Unavailable (E004)",
            "The model is temporarily unavailable.",
            "Service is currently unavailable due to high demand.",
            "You have reached the queue limit",
            "The queue is full",
            "There is high demand for this model",
            "The model is overloaded",
            "Something went wrong. Please try again later.",
        ] {
            assert_eq!(meaning(said), Some(Interrupted), "{said}");
        }
    }

    #[test]
    fn a_failure_in_other_words_is_the_attempts_own() {
        for said in ["CUDA out of memory", "it was failed", "E0051", "E1005", "insensitive", "code: part of it", ""] {
            assert_eq!(meaning(said), None, "{said}");
        }
    }
}
