//! Words that request colour in a black-and-white image.

/// In lower case.
const COLOR_WORDS: [&str; 37] = [
    "amber",
    "azure",
    "beige",
    "blue",
    "bronze",
    "brown",
    "color",
    "colored",
    "colorful",
    "colors",
    "colour",
    "coloured",
    "colourful",
    "colours",
    "copper",
    "cream",
    "crimson",
    "gold",
    "golden",
    "green",
    "indigo",
    "ivory",
    "magenta",
    "maroon",
    "olive",
    "orange",
    "pink",
    "purple",
    "red",
    "rust",
    "sepia",
    "silver",
    "tan",
    "teal",
    "turquoise",
    "violet",
    "yellow",
];

/// The first word of a text that names a colour other than black, white and gray.
pub(super) fn color_word(text: &str) -> Option<&'static str> {
    let words = text.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase);
    words.into_iter().find_map(|word| COLOR_WORDS.into_iter().find(|color| *color == word))
}
