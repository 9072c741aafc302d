//! The meaning of Replicate's failure messages. Its models phrase the same failure in many ways, with or without a
//! code, so this one table decides for the whole program.

/// The reaction to a failure with a certain message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Replicate rejected the prompt or its result for its content: another prompt is needed.
    ContentRejected,
    /// The service did not finish its work: the same request will succeed later.
    Interrupted,
}

use Meaning::{ContentRejected, Interrupted};

/// Phrases in lower case, and their meaning. They match as whole words only. The first match decides.
const WORDINGS: [(&str, Meaning); 27] = [
    ("e005", ContentRejected),
    ("sensitive", ContentRejected),
    ("nsfw", ContentRejected),
    ("content flagged", ContentRejected),
    ("flagged for", ContentRejected),
    ("was flagged", ContentRejected),
    ("prompt blocked", ContentRejected),
    ("prompt was blocked", ContentRejected),
    ("prompt rejected", ContentRejected),
    ("content moderated", ContentRejected),
    ("request moderated", ContentRejected),
    ("content policy", ContentRejected),
    ("safety filter", ContentRejected),
    ("safety filters", ContentRejected),
    ("safety checker", ContentRejected),
    ("safety system", ContentRejected),
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
pub(crate) fn meaning(message: &str) -> Option<Meaning> {
    let message = message.to_lowercase();
    WORDINGS.iter().find(|(words, _)| has_words(&message, words)).map(|&(_, meaning)| meaning)
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
    fn content_rejections_are_recognised_in_any_wording() {
        for message in [
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
            assert_eq!(meaning(message), Some(ContentRejected), "{message}");
        }
    }

    #[test]
    fn interruptions_are_recognised_in_any_wording() {
        for message in [
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
            assert_eq!(meaning(message), Some(Interrupted), "{message}");
        }
    }

    #[test]
    fn other_failures_have_no_special_meaning() {
        for message in ["CUDA out of memory", "it was failed", "E0051", "E1005", "insensitive", "code: part of it", ""]
        {
            assert_eq!(meaning(message), None, "{message}");
        }
    }
}
