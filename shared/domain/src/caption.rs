//! Captions and other short texts from a vision model's answer.

/// The most words of a caption. Longer captions teach trainers no more, and text encoders cut them.
pub const MAX_CAPTION_WORDS: usize = 25;

/// The most words of an expression.
const MAX_EXPRESSION_WORDS: usize = 4;

/// No English word is longer; a longer run of characters is no prose.
const MAX_WORD_CHARS: usize = 40;

/// The caption in a model's answer, on one line and cut after [`MAX_CAPTION_WORDS`]. `None` if the text is empty, is no
/// prose, or is written mostly in another than the Latin script, which the text encoders of image models don't know.
#[must_use]
pub fn caption_from(answer: &str) -> Option<String> {
    short_text(answer, MAX_CAPTION_WORDS)
}

/// The expression in a model's answer, under the same rules, cut after a few words.
#[must_use]
pub fn expression_from(answer: &str) -> Option<String> {
    short_text(answer, MAX_EXPRESSION_WORDS)
}

fn short_text(answer: &str, max_words: usize) -> Option<String> {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = answer.split(is_gap).filter(|word| !word.is_empty()).take(max_words).collect();
    let is_prose = words.iter().all(|word| word.chars().count() <= MAX_WORD_CHARS);
    let text = words.join(" ");
    let text = text.trim_end_matches([',', ';', ':', '-', ' ']);
    let letters = text.chars().filter(|c| c.is_alphabetic());
    let (latin, other): (Vec<char>, Vec<char>) = letters.partition(|&c| is_latin(c));
    (is_prose && latin.len() > other.len()).then(|| text.to_owned())
}

/// Whether a letter is of the Latin script, up to the block Latin Extended Additional.
const fn is_latin(letter: char) -> bool {
    matches!(letter, '\u{0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caption_is_one_line_of_25_words() {
        let words = |count: usize| vec!["walks"; count].join(" ");
        for (answer, caption) in [
            ("medium shot, café at dusk", Some("medium shot, café at dusk".to_owned())),
            ("  two\nlines\u{7}\u{0} of\ttext, ", Some("two lines of text".to_owned())),
            (&words(25), Some(words(25))),
            (&words(10_000), Some(words(25))),
            ("", None),
            (" \n ", None),
            ("—…!", None),
            (&"x".repeat(10_000), None),
            ("站在雨中的街道上", None),
            ("a sign 夜", Some("a sign 夜".to_owned())),
        ] {
            assert_eq!(caption_from(answer), caption, "{answer:.40}");
        }
    }

    #[test]
    fn expression_is_cut_after_four_words() {
        assert_eq!(expression_from("calm and a little tired").as_deref(), Some("calm and a little"));
        assert_eq!(expression_from("smiling").as_deref(), Some("smiling"));
    }
}
