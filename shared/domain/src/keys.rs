//! Where everything lies in the bucket.

use std::str::Utf8Error;

use percent_encoding::percent_decode_str;

use crate::actor::ActorId;
pub use crate::files::is_image_name;

/// Image files are known by these endings, in any case; the order is the order in which a base image is looked for.
pub const IMAGE_EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "jpe", "jfif", "webp"];

/// [`IMAGE_EXTENSIONS`] in the wording of messages.
pub const IMAGE_EXTENSIONS_IN_WORDS: &str = "png, jpg, jpeg, jpe, jfif or webp";

/// The object keys of one stack, all below its prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// Keys below `prefix`, such as `system_actors`; slashes at its ends don't matter.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.trim_matches('/').to_owned() }
    }

    /// The folder of an actor's images, with its closing slash.
    #[must_use]
    pub fn training_data(&self, actor: &ActorId) -> String {
        format!("{}/training_data/{actor}/", self.prefix)
    }

    /// An image of an actor.
    #[must_use]
    pub fn image(&self, actor: &ActorId, filename: &str) -> String {
        self.training_data(actor) + filename
    }

    /// What every form of an actor's base image starts with: the ending follows.
    #[must_use]
    pub fn base_image_stem(&self, actor: &ActorId) -> String {
        format!("{}/base_images/{actor}_base.", self.prefix)
    }

    /// The same key in the spelling of macOS; `None` if that is identical.
    #[must_use]
    pub fn decomposed_base_image_stem(&self, actor: &ActorId) -> Option<String> {
        Some(format!("{}/base_images/{}_base.", self.prefix, actor.decomposed()?))
    }

    /// Whether an object lies where base images do: the functions may read no other.
    #[must_use]
    pub fn is_base_image(&self, key: &str) -> bool {
        key.strip_prefix(&self.prefix).is_some_and(|rest| rest.starts_with("/base_images/"))
    }

    /// The composite grid that an evaluation showed to the vision model. Page 1 has the plain name.
    #[must_use]
    pub fn grid(&self, actor: &ActorId, plan_id: &str, page: usize) -> String {
        let suffix = if page == 1 { String::new() } else { format!("-{page}") };
        format!("{}/evaluations/{actor}/{plan_id}{suffix}.jpg", self.prefix)
    }

    /// Where a generated image waits for its number.
    #[must_use]
    pub fn staging(&self, actor: &ActorId, plan_id: &str, slot_id: &str) -> String {
        format!("{}/staging/{actor}/{plan_id}/{slot_id}.jpg", self.prefix)
    }

    /// Where a deleted image is kept.
    #[must_use]
    pub fn trash(&self, actor: &ActorId, plan_id: &str, filename: &str) -> String {
        format!("{}/trash/{actor}/{plan_id}/{filename}", self.prefix)
    }

    /// The folder of an actor's images, with its closing slash, in the spelling of macOS; `None` if that is identical.
    #[must_use]
    pub fn decomposed_training_data(&self, actor: &ActorId) -> Option<String> {
        Some(format!("{}/training_data/{}/", self.prefix, actor.decomposed()?))
    }

    /// The actor's folder and the file name of an image key; `None` for every other object. The folder's name may be
    /// one that no actor can have.
    #[must_use]
    pub fn split_image<'a>(&self, key: &'a str) -> Option<(&'a str, &'a str)> {
        self.split_training_data(key).filter(|(_, filename)| !filename.contains('/') && is_image_name(filename))
    }

    /// The actor's folder in a key of the training data, and the rest of the key, which may contain `/`.
    #[must_use]
    pub fn split_training_data<'a>(&self, key: &'a str) -> Option<(&'a str, &'a str)> {
        key.strip_prefix(&self.prefix)?.strip_prefix("/training_data/")?.split_once('/')
    }
}

/// A key as S3 encodes it in listings and notifications: percent-encoded, with `+` for a space.
///
/// # Errors
/// If it is not UTF-8, as every key is.
pub fn url_decoded(key: &str) -> Result<String, Utf8Error> {
    let with_spaces = key.replace('+', " ");
    Ok(percent_decode_str(&with_spaces).decode_utf8()?.into_owned())
}

/// What a file is said to hold, by its ending.
#[must_use]
pub fn content_type(filename: &str) -> &'static str {
    match extension(filename).as_deref() {
        Some("png") => "image/png",
        Some("jpg" | "jpeg" | "jpe" | "jfif") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("json") => "application/json",
        Some("txt" | "caption") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// A file's ending in lower case, without the dot; `None` for names like `.png` or `png`.
#[must_use]
pub fn extension(filename: &str) -> Option<String> {
    let (stem, ending) = filename.rsplit_once('.')?;
    (!stem.is_empty()).then(|| ending.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::new("/system_actors/")
    }

    #[test]
    fn an_image_key_names_its_actor_and_file() {
        let key = "system_actors/training_data/Jörg + 1/b ü+1_2.JPG";
        let keys = keys();
        let (folder, file) = keys.split_image(key).unwrap();
        assert_eq!((folder, file), ("Jörg + 1", "b ü+1_2.JPG"));
        assert_eq!(keys.image(&folder.parse().unwrap(), file), key);
    }

    #[test]
    fn every_ending_of_a_jpeg_is_one() {
        for name in ["a_1.jpg", "a_1.JPEG", "a_1.jpe", "a_1.JFIF"] {
            assert!(is_image_name(name), "{name}");
            assert_eq!(content_type(name), "image/jpeg", "{name}");
        }
        assert_eq!(IMAGE_EXTENSIONS_IN_WORDS.replace(" or ", ", "), IMAGE_EXTENSIONS.join(", "));
    }

    #[test]
    fn what_is_not_an_actors_image_is_nobodys() {
        for key in [
            "system_actors/base_images/a_base.png",
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
