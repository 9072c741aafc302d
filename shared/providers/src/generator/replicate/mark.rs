//! The mark of a prediction whose model has no seed.
//!
//! If the response to a creation is lost, the prediction can be recognised only by what Replicate's list repeats of its
//! input. Replicate may drop inputs that a model does not have, so a field of our own would prove nothing. Every model
//! has a prompt, and the list repeats it unchanged. Therefore the seed stands at the end of the prompt, as a fixed
//! number of spaces and tabs. They are invisible, change nothing of what the prompt asks for, and take few tokens.

/// The prompt with the mark of this seed.
pub(super) fn marked(prompt: &str, seed: u32) -> String {
    format!("{prompt}{}", mark(seed))
}

/// Whether the prompt ends with the mark of this seed. The prompt before it does not matter.
pub(super) fn has_mark(prompt: &str, seed: u32) -> bool {
    prompt.ends_with(&mark(seed))
}

/// One character for each bit of the seed, the highest first.
fn mark(seed: u32) -> String {
    (0..u32::BITS).rev().map(|bit| if seed >> bit & 1 == 1 { '\t' } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_distinguishes_seeds_and_is_invisible() {
        let seeds = [0, 1, 7, 1 << 30, (1 << 31) - 1, u32::MAX];
        for seed in seeds {
            let prompt = marked("a man in the rain", seed);
            assert_eq!((prompt.trim_end(), prompt.len()), ("a man in the rain", 17 + 32));
            for other in seeds {
                assert_eq!(has_mark(&prompt, other), seed == other, "{seed} and {other}");
            }
        }
    }

    #[test]
    fn prompt_without_a_mark_is_not_recognised() {
        for prompt in ["", "a man", "a man ", "a man\n"] {
            assert!(!has_mark(prompt, 0), "{prompt:?}");
        }
    }
}
