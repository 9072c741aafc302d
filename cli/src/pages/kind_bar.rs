//! The images of each kind against the wanted ones, in words and as bars.

use domain::kind::{Kind, KindCounts};
use maud::{Markup, html};

/// The width of a bar's drawing, and the position of the wanted number on it; the rest shows a surplus.
const WIDTH: u32 = 100;
const WANTED: u32 = 75;

/// One bar for each kind.
pub fn kind_bar(counts: KindCounts, wanted: KindCounts) -> Markup {
    html! {
        dl.kinds {
            @for kind in Kind::ALL {
                div.(state(counts[kind], wanted[kind])) {
                    dt { (kind.in_words()) }
                    dd { (in_words(counts[kind], wanted[kind])) (bar(counts[kind], wanted[kind])) }
                }
            }
        }
    }
}

/// Such as `8 of 13, 5 missing`.
pub fn in_words(count: u32, wanted: u32) -> String {
    match (count.checked_sub(wanted), wanted.saturating_sub(count)) {
        (Some(0), _) => format!("{count} of {wanted}"),
        (Some(surplus), _) => format!("{count} of {wanted}, {surplus} too many"),
        (None, missing) => format!("{count} of {wanted}, {missing} missing"),
    }
}

fn state(count: u32, wanted: u32) -> &'static str {
    match count.cmp(&wanted) {
        std::cmp::Ordering::Less => "few",
        std::cmp::Ordering::Equal => "enough",
        std::cmp::Ordering::Greater => "many",
    }
}

fn bar(count: u32, wanted: u32) -> Markup {
    let scaled = |number: u32| (number * WANTED).checked_div(wanted).unwrap_or(WIDTH).min(WIDTH);
    let (filled, reached) = (scaled(count), scaled(count.min(wanted)));
    html! {
        svg.bar aria-hidden="true" focusable="false" viewBox=(format!("0 0 {WIDTH} 8")) preserveAspectRatio="none" {
            rect.track width=(WANTED) height="8" {}
            @if count > 0 { rect.filled width=(reached.min(filled)) height="8" {} }
            @if filled > reached { rect.surplus x=(reached) width=(filled - reached) height="8" {} }
            rect.mark x=(WANTED) width="1" height="8" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_compared_in_words() {
        for (count, wanted, words) in
            [(13, 13, "13 of 13"), (8, 13, "8 of 13, 5 missing"), (4, 3, "4 of 3, 1 too many")]
        {
            assert_eq!(in_words(count, wanted), words);
        }
    }

    #[test]
    fn bar_of_an_unwanted_kind_is_drawn() {
        let drawn = bar(2, 0).into_string();
        assert!(drawn.contains(r#"class="filled" width="100""#), "{drawn}");
    }
}
