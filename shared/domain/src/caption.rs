//! Captions for training, and other short texts from a vision model's answer.

use serde::Serialize;

use crate::kind::Kind;
use crate::manifest::Image;
use crate::prompts::Library;

/// The most words of a caption. Longer captions teach trainers no more, and text encoders cut them.
pub const MAX_CAPTION_WORDS: usize = 25;

/// The most words of an expression.
const MAX_EXPRESSION_WORDS: usize = 4;

/// No English word is longer; a longer run of characters is no prose.
const MAX_WORD_CHARS: usize = 40;

/// A caption, with its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caption {
    /// One line.
    pub text: String,
    /// Where it comes from.
    pub source: CaptionSource,
}

/// The source of a caption. Of several captions, that of the first source counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptionSource {
    /// The user's text file beside the image.
    File,
    /// The user, by `balancer caption`.
    User,
    /// The vision model.
    Model,
    /// The scene of the prompt, with the style of the assessed kind.
    Prompt,
}

impl CaptionSource {
    /// The words for a table.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::File => "text file",
            Self::User => "you",
            Self::Model => "vision model",
            Self::Prompt => "prompt",
        }
    }
}

impl Caption {
    /// The caption of an image; `beside` is the content of the user's text file beside it. `None` if nothing describes
    /// the image.
    #[must_use]
    pub fn of(image: &Image, beside: Option<&str>) -> Option<Self> {
        let file = beside.and_then(|text| text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned));
        let prompt = || of_prompt(image, image.kind?);
        let found = [
            (CaptionSource::File, file),
            (CaptionSource::User, image.caption.clone()),
            (CaptionSource::Model, image.content.caption.clone()),
            (CaptionSource::Prompt, prompt()),
        ];
        found.into_iter().find_map(|(source, text)| Some(Self { text: text?, source }))
    }
}

/// The scene of the image's prompt, without its medium, character and framing: the image may have another medium than the
/// prompt requests, so the assessed kind states it. `None` if the prompt is unknown.
fn of_prompt(image: &Image, kind: Kind) -> Option<String> {
    let built_in = || Some(Library::built_in().by_id(image.prompt_id.as_deref()?)?.scene.as_str());
    let scene = image.prompt_scene.as_deref().or_else(built_in)?;
    let medium = match kind {
        Kind::Photorealistic => "photograph",
        Kind::BwStylized => "black-and-white drawing",
        Kind::ColorStylized => "colour illustration",
    };
    caption_from(&format!("{medium}, {scene}"))
}

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
    use crate::content::Content;

    #[test]
    fn first_source_of_a_caption_counts() {
        let mut image = Image::default();
        assert_eq!(Caption::of(&image, Some(" \n")), None);
        let caption = |image: &Image, beside| Caption::of(image, beside).map(|caption| (caption.text, caption.source));
        image.kind = Some(Kind::BwStylized);
        image.prompt_id = Some("photo-desert-noon".to_owned());
        let (text, source) = caption(&image, None).unwrap();
        assert!(text.starts_with("black-and-white drawing, crossing pale desert dunes"), "{text}");
        assert_eq!(source, CaptionSource::Prompt);
        image.content = Content { caption: Some("seen".to_owned()), ..Content::default() };
        assert_eq!(caption(&image, None), Some(("seen".to_owned(), CaptionSource::Model)));
        image.caption = Some("told".to_owned());
        assert_eq!(caption(&image, None), Some(("told".to_owned(), CaptionSource::User)));
        assert_eq!(caption(&image, Some("\n written \nmore")), Some(("written".to_owned(), CaptionSource::File)));
    }

    #[test]
    fn every_prompt_gives_a_caption_without_the_character() {
        for prompt in Library::built_in().prompts() {
            let image = Image { prompt_id: Some(prompt.id.clone()), ..Image::default() };
            let text = of_prompt(&image, prompt.kind).unwrap();
            let words = text.split(' ').count();
            assert!((6..=MAX_CAPTION_WORDS).contains(&words) && !text.contains('{'), "{}: {text}", prompt.id);
        }
    }

    #[test]
    fn recorded_scene_counts_before_the_built_in_one() {
        let image = Image {
            prompt_id: Some("photo-desert-noon".to_owned()),
            prompt_scene: Some("wearing a red coat, at a lighthouse".to_owned()),
            ..Image::default()
        };
        let caption = of_prompt(&image, Kind::Photorealistic);
        assert_eq!(caption.as_deref(), Some("photograph, wearing a red coat, at a lighthouse"));
    }

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
