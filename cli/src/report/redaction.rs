//! Removes from texts where the sets lie: a report may be passed on.

use std::sync::LazyLock;

use regex::Regex;

use crate::connection::Connected;
use crate::sets::{ActorSet, Sets};

/// Texts with what replaces them, the longest first.
pub struct Redaction(Vec<(String, &'static str)>);

const FOLDER: &str = "the data folder";

/// An absolute path of at least two parts, or the address of an object, anywhere in a text.
#[expect(clippy::expect_used, reason = "a constant pattern that the tests of this module compile")]
static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(^|[\s(`'\x22=:,])(?:s3://[^\s,;:)`'\x22]+|/[^\s,;:)/`'\x22]+/[^\s,;:)`'\x22]+)")
        .expect("the pattern is valid")
});

impl Redaction {
    pub fn of(sets: &Sets) -> Self {
        let mut places = match sets {
            Sets::InFolder(folder) => vec![(folder.data.display().to_string(), FOLDER)],
            Sets::InStack(stack) => of_stack(stack),
        };
        places.retain(|(place, _)| place.len() > 1);
        places.sort_by_key(|(place, _)| std::cmp::Reverse(place.len()));
        Self(places)
    }

    pub fn of_text(&self, text: &str) -> String {
        let text = self.0.iter().fold(text.to_owned(), |text, (place, word)| text.replace(place, word));
        PLACE.replace_all(&text, "$1…").into_owned()
    }

    /// The set with redacted reasons and remarks. Captions and names of files stay as they are.
    pub fn applied_to(&self, mut set: ActorSet) -> ActorSet {
        let redact = |text: &mut String| *text = self.of_text(text);
        redact(&mut set.reason);
        let manifest = &mut set.manifest;
        for image in manifest.images.values_mut() {
            [&mut image.reason, &mut image.unusable].into_iter().flatten().for_each(redact);
        }
        for record in manifest.trash.values_mut().flatten() {
            redact(&mut record.reason);
        }
        for plan in &mut set.plans {
            plan.delete.iter_mut().for_each(|deletion| redact(&mut deletion.reason));
            plan.notes.iter_mut().for_each(|note| redact(&mut note.remark));
            plan.obstacle.iter_mut().for_each(redact);
        }
        set
    }
}

fn of_stack(stack: &Connected) -> Vec<(String, &'static str)> {
    let bucket = stack.services.bucket.name();
    let queue = &stack.stack.evaluation_queue_url;
    // The path of a queue's address begins with the account.
    let account = queue.split('/').nth(3).filter(|account| account.len() == 12);
    let folder = stack.parameters.get("LocalDataDir");
    let places = [(Some(bucket), "the bucket"), (account, "the account"), (folder, FOLDER)];
    places.into_iter().filter_map(|(place, word)| Some((place?.to_owned(), word))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_places_are_replaced_first() {
        let redaction = Redaction(vec![("/srv/sets/images".into(), FOLDER), ("/srv".into(), "x")]);
        assert_eq!(redaction.of_text("put one into /srv/sets/images/hero"), "put one into the data folder/hero");
    }

    #[test]
    fn other_paths_and_addresses_are_left_out() {
        let redaction = Redaction(Vec::new());
        for (text, redacted) in [
            ("COMFYUI_WORKFLOW /srv/flows/flux.json can't be read", "COMFYUI_WORKFLOW … can't be read"),
            ("put one at s3://bucket/key.png, then wait", "put one at …, then wait"),
            ("13/4/3 images, 1 and/or 2", "13/4/3 images, 1 and/or 2"),
            ("(/srv/x/y)", "(…)"),
        ] {
            assert_eq!(redaction.of_text(text), redacted);
        }
    }
}
