//! The object keys of the bucket.

use std::str::Utf8Error;

use percent_encoding::percent_decode_str;

use crate::actor::ActorId;
use crate::files::is_image_name;
use crate::prompts::PROMPTS_FILE;

/// The object keys of one stack, all below its prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// Keys below `prefix`, such as `system_actors`, with or without slashes at its ends.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.trim_matches('/').to_owned() }
    }

    /// The folder of an actor's images, with its closing slash.
    #[must_use]
    pub fn training_data(&self, actor: &ActorId) -> String {
        format!("{}/training_data/{actor}/", self.prefix)
    }

    /// The key of an actor's image.
    #[must_use]
    pub fn image(&self, actor: &ActorId, filename: &str) -> String {
        self.training_data(actor) + filename
    }

    /// The key of the stack's own prompts.
    #[must_use]
    pub fn prompts(&self) -> String {
        format!("{}/{PROMPTS_FILE}", self.prefix)
    }

    /// The key of an actor's base image up to its ending.
    #[must_use]
    pub fn base_image_stem(&self, actor: &ActorId) -> String {
        format!("{}/base_images/{actor}_base.", self.prefix)
    }

    /// The beginning of the keys of an actor's further base images, `{actor}_base_2.png` and so on.
    #[must_use]
    pub fn further_base_images(&self, actor: &ActorId) -> String {
        format!("{}/base_images/{actor}_base_", self.prefix)
    }

    /// [`Self::base_image_stem`] in Unicode's decomposed form, which macOS writes; `None` if that is the same.
    #[must_use]
    pub fn decomposed_base_image_stem(&self, actor: &ActorId) -> Option<String> {
        Some(format!("{}/base_images/{}_base.", self.prefix, actor.decomposed()?))
    }

    /// Whether an object is a base image. The functions may read no other object as one.
    #[must_use]
    pub fn is_base_image(&self, key: &str) -> bool {
        key.strip_prefix(&self.prefix).is_some_and(|rest| rest.starts_with("/base_images/"))
    }

    /// The grid page that an evaluation sent to the vision model. Page 1 has no number in its name.
    #[must_use]
    pub fn grid(&self, actor: &ActorId, plan_id: &str, page: usize) -> String {
        let suffix = if page == 1 { String::new() } else { format!("-{page}") };
        format!("{}/evaluations/{actor}/{plan_id}{suffix}.jpg", self.prefix)
    }

    /// The key of a generated image without a number.
    #[must_use]
    pub fn staging(&self, actor: &ActorId, plan_id: &str, slot_id: &str) -> String {
        format!("{}/staging/{actor}/{plan_id}/{slot_id}.jpg", self.prefix)
    }

    /// The key of a deleted image.
    #[must_use]
    pub fn trash(&self, actor: &ActorId, plan_id: &str, filename: &str) -> String {
        format!("{}/trash/{actor}/{plan_id}/{filename}", self.prefix)
    }

    /// [`Self::training_data`] in Unicode's decomposed form, which macOS writes; `None` if that is the same.
    #[must_use]
    pub fn decomposed_training_data(&self, actor: &ActorId) -> Option<String> {
        Some(format!("{}/training_data/{}/", self.prefix, actor.decomposed()?))
    }

    /// The folder and the file name of an image's key; `None` for every other key. The name of the folder may be no
    /// valid actor id.
    #[must_use]
    pub fn split_image<'a>(&self, key: &'a str) -> Option<(&'a str, &'a str)> {
        self.split_training_data(key).filter(|(_, filename)| !filename.contains('/') && is_image_name(filename))
    }

    /// The folder in a key of the training data, and the rest of the key, which may contain `/`.
    #[must_use]
    pub fn split_training_data<'a>(&self, key: &'a str) -> Option<(&'a str, &'a str)> {
        key.strip_prefix(&self.prefix)?.strip_prefix("/training_data/")?.split_once('/')
    }
}

/// Decodes a key of an S3 listing or notification: percent-encoded, with `+` for a space.
///
/// # Errors
/// If the result is not UTF-8.
pub fn url_decoded(key: &str) -> Result<String, Utf8Error> {
    let with_spaces = key.replace('+', " ");
    Ok(percent_decode_str(&with_spaces).decode_utf8()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::new("/system_actors/")
    }

    #[test]
    fn image_key_contains_actor_and_file_name() {
        let key = "system_actors/training_data/Jörg + 1/b ü+1_2.JPG";
        let keys = keys();
        let (folder, file) = keys.split_image(key).unwrap();
        assert_eq!((folder, file), ("Jörg + 1", "b ü+1_2.JPG"));
        assert_eq!(keys.image(&folder.parse().unwrap(), file), key);
    }

    #[test]
    fn other_keys_are_no_images() {
        for key in [
            "system_actors/base_images/a_base.png",
            "system_actors/prompts.toml",
            "system_actors/training_data/a/prompts.toml",
            "system_actors/training_data/a/",
            "system_actors/training_data/a/notes.txt",
            "system_actors/training_data/a/.png",
            "system_actors/training_data/a/sub/1.png",
            "system_actors2/training_data/a/1.png",
            "system_actors/evaluations/a/p.jpg",
            "other/system_actors/training_data/a/1.png",
        ] {
            assert_eq!(keys().split_image(key), None, "{key}");
        }
    }
}
