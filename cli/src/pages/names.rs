//! Texts of strangers, with their invisible characters made visible.

use maud::{Markup, html};

/// Whether a character is invisible or changes the direction of the text around it, so that a name could look like
/// another one. The joiners U+200C and U+200D occur in Persian and Indian words, and in emoji.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A text whose direction does not affect the text around it, and whose invisible characters appear as code points.
pub fn name(text: &str) -> Markup {
    html! { bdi { (visible(text)) } }
}

/// A file name that may break after its separators.
pub fn file_name(text: &str) -> Markup {
    let parts = text.split_inclusive(['_', '-', '.', ' ']);
    html! { bdi { @for (place, part) in parts.enumerate() { @if place > 0 { wbr; } (visible(part)) } } }
}

/// The same as [`name`] for sentences.
pub fn sentence(text: &str) -> Markup {
    html! { span dir="auto" { (visible(text)) } }
}

/// The same for attributes, which can't contain elements.
pub fn plain(text: &str) -> String {
    let shown = |c: char| if is_invisible(c) { format!("[{}]", code_point(c)) } else { c.to_string() };
    text.chars().map(shown).collect()
}

fn visible(text: &str) -> Markup {
    let runs = text.split_inclusive(is_invisible).map(|run| match run.char_indices().next_back() {
        Some((start, last)) if is_invisible(last) => (&run[..start], Some(last)),
        _ => (run, None),
    });
    html! {
        @for (run, invisible) in runs {
            (run) @if let Some(c) = invisible { span.invisible { (code_point(c)) } }
        }
    }
}

fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_of_a_name_are_shown() {
        let reversed = "a\u{202e}gpj.exe";
        assert_eq!(name(reversed).into_string(), r#"<bdi>a<span class="invisible">U+202E</span>gpj.exe</bdi>"#);
        assert_eq!(plain(reversed), "a[U+202E]gpj.exe");
        assert_eq!(plain("é 猫 \u{200d}"), "é 猫 \u{200d}");
    }

    #[test]
    fn markup_in_a_name_is_escaped() {
        let shown = sentence("</script><b>\n").into_string();
        assert!(shown.contains("&lt;/script&gt;&lt;b&gt;<span class=\"invisible\">U+000A</span>"), "{shown}");
    }
}
