//! Finds and decodes an actor's base image.

mod further;

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use aws::bucket::{Bucket, Fetched};
use domain::actor::ActorId;
use domain::files::{IMAGE_EXTENSIONS, composed, extension, is_image_name};
use domain::keys::Keys;
use domain::manifest::BaseImage;
use image::RgbImage;
use imaging::{DecodeError, MAX_BYTES, decode};
use percent_encoding::percent_decode_str;

use super::HandlerError;
use crate::local_copy::LocalCopy;

/// Where base images are looked for.
#[derive(Debug, Clone, Copy)]
pub struct BaseImages<'a> {
    pub bucket: &'a Bucket,
    pub keys: &'a Keys,
    pub local: &'a LocalCopy,
}

/// The file of a base image.
pub struct Found {
    /// The path or the key.
    pub name: String,
    /// The content, or why it is not read.
    pub file: Result<Vec<u8>, DecodeError>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Object(String),
}

impl BaseImages<'_> {
    /// The actor's base image, upright and in RGB: the first existing one of its record, else of its local `base_image`
    /// folder, else of its base keys.
    ///
    /// # Errors
    /// [`HandlerError::NeedsOperator`] if there is none or it is unusable.
    pub(super) async fn load(&self, actor: &ActorId, noted: &[BaseImage]) -> Result<Arc<RgbImage>, HandlerError> {
        let Some(Found { name, file }) = self.find(actor, noted).await? else {
            return Err(HandlerError::NeedsOperator(self.absence(actor)));
        };
        let decoded = match file {
            Ok(bytes) => tokio::task::spawn_blocking(move || decode(&bytes)).await?,
            Err(too_large) => Err(too_large),
        };
        let unusable = |error| HandlerError::NeedsOperator(format!("The base image {name} is unusable: {error}."));
        decoded.map(Arc::new).map_err(unusable)
    }

    /// The file that [`load`](Self::load) decodes; `None` if there is none.
    pub async fn find(&self, actor: &ActorId, noted: &[BaseImage]) -> Result<Option<Found>, HandlerError> {
        for place in self.places(actor, noted) {
            if let Some((name, file)) = self.fetch(&place).await? {
                return Ok(Some(Found { name, file }));
            }
        }
        Ok(None)
    }

    fn absence(&self, actor: &ActorId) -> String {
        let key = format!("{}{{{}}}", self.keys.base_image_stem(actor), IMAGE_EXTENSIONS.join(","));
        match self.local.actor_dir(actor) {
            Some(dir) => {
                format!(
                    "There is no base image of {actor}: put one into {}, or at {key}.",
                    dir.join("base_image").display()
                )
            }
            None => format!("There is no base image of {actor}: put one at {key}."),
        }
    }

    fn places(&self, actor: &ActorId, noted: &[BaseImage]) -> Vec<Place> {
        let dir = self.local.actor_dir(actor);
        let first = noted.first().into_iter().flat_map(|image| self.noted_places(dir.as_deref(), image));
        let files = dir.iter().flat_map(|dir| named_files(&dir.join("base_image"), actor));
        let stems = [Some(self.keys.base_image_stem(actor)), self.keys.decomposed_base_image_stem(actor)];
        let keys = |stem: String| IMAGE_EXTENSIONS.map(|ending| Place::Object(format!("{stem}{ending}")));
        first.chain(files).chain(stems.into_iter().flatten().flat_map(keys)).collect()
    }

    fn noted_places(&self, dir: Option<&Path>, image: &BaseImage) -> Vec<Place> {
        let inside = |parent: Option<&Path>, path: &Option<String>| {
            Some(Place::File(parent?.join(safe_relative(parent?, path.as_deref()?)?)))
        };
        let in_s3 = |url: &str| key_in(self.bucket.name(), url).filter(|key| self.keys.is_base_image(key));
        let places = [
            inside(dir.and_then(Path::parent), &image.moved_to),
            inside(dir, &image.moved_relative_path),
            inside(dir, &image.relative_path),
            image.s3_url.as_deref().and_then(in_s3).map(Place::Object),
        ];
        places.into_iter().flatten().collect()
    }

    /// The file or object at a place, with its name.
    async fn fetch(&self, place: &Place) -> Result<Option<(String, Result<Vec<u8>, DecodeError>)>, HandlerError> {
        match place {
            Place::File(path) => Ok(self.local.read(path).await?.map(|bytes| (path.display().to_string(), Ok(bytes)))),
            Place::Object(key) => Ok(match self.bucket.get_at_most(key, MAX_BYTES).await? {
                Fetched::Missing => None,
                Fetched::TooLarge(bytes) => Some((key.clone(), Err(DecodeError::TooLarge(bytes)))),
                Fetched::Whole(object) => Some((key.clone(), Ok(object.bytes))),
            }),
        }
    }
}

/// The files of the `base_image` folder, ordered by ending and then by name.
fn named_files(folder: &Path, actor: &ActorId) -> Vec<Place> {
    let mut files: Vec<(usize, bool, PathBuf)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?;
            let ending = extension(name).filter(|_| is_image_name(name))?;
            let rank = IMAGE_EXTENSIONS.iter().position(|known| **known == ending)?;
            let is_named_for_actor = composed(name).starts_with(actor.as_str());
            Some((rank, !is_named_for_actor, path))
        })
        .collect();
    files.sort();
    files.into_iter().map(|(_, _, path)| Place::File(path)).collect()
}

/// The path relative to the folder; `None` if it leads out of it.
fn safe_relative<'a>(folder: &Path, path: &'a str) -> Option<&'a Path> {
    let path = Path::new(path);
    let path = path.strip_prefix(folder).unwrap_or(path);
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)).then_some(path)
}

/// The key of an object in our bucket, from `s3://bucket/key` or either form of `https://…amazonaws.com/…`.
fn key_in(bucket: &str, url: &str) -> Option<String> {
    let path = if let Some(rest) = url.strip_prefix("s3://") {
        rest.strip_prefix(bucket)?
    } else {
        let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
        if host.strip_prefix(bucket).is_some_and(|rest| rest.starts_with(".s3.") || rest.starts_with(".s3-")) {
            return decoded(path);
        }
        return decoded(path.strip_prefix(bucket)?.strip_prefix('/')?).filter(|_| host.starts_with("s3."));
    };
    path.strip_prefix('/').map(str::to_owned)
}

fn decoded(path: &str) -> Option<String> {
    Some(percent_decode_str(path).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_url_must_be_in_the_own_bucket() {
        let key = Some("p/base_images/a_base.jpg".to_owned());
        assert_eq!(key_in("b", "s3://b/p/base_images/a_base.jpg"), key);
        assert_eq!(key_in("b", "https://b.s3.us-west-1.amazonaws.com/p/base_images/a_base.jpg"), key);
        assert_eq!(key_in("b", "https://s3.us-west-1.amazonaws.com/b/p/base_images/a_base.jpg"), key);
        assert_eq!(key_in("b", "https://bb.s3.us-west-1.amazonaws.com/p/base_images/a_base.jpg"), None);
        assert_eq!(key_in("b", "https://example.com/b/p"), None);
        let accented = Some("p/base_images/a b_base.jpg".to_owned());
        assert_eq!(key_in("b", "https://b.s3.us-west-1.amazonaws.com/p/base_images/a%20b_base.jpg"), accented);
    }

    #[test]
    fn recorded_path_outside_the_folder_is_ignored() {
        let folder = Path::new("/data");
        let inside = Some(Path::new("base_image/a.png"));
        assert_eq!(safe_relative(folder, "base_image/a.png"), inside);
        assert_eq!(safe_relative(folder, "/data/base_image/a.png"), inside);
        assert_eq!(safe_relative(folder, "../other/a.png"), None);
        assert_eq!(safe_relative(folder, "/data/../etc/passwd"), None);
        assert_eq!(safe_relative(folder, "/etc/passwd"), None);
    }

    #[test]
    fn base_image_order_is_record_folder_bucket() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("hero/base_image");
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["z.webp", "hero.jpg", "a.jpg", "b.png", "notes.txt"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let config = aws_sdk_s3::Config::builder().behavior_version_latest().build();
        let bucket = Bucket::new(aws_sdk_s3::Client::from_conf(config), "b");
        let (keys, local) = (Keys::new("p"), LocalCopy::new(Some(data.path().to_owned())));
        let noted = BaseImage {
            moved_to: Some("hero/moved.png".to_owned()),
            moved_relative_path: Some("moved_relative.png".to_owned()),
            relative_path: Some("relative.png".to_owned()),
            s3_url: Some("s3://b/p/base_images/noted.png".to_owned()),
            ..BaseImage::default()
        };
        let elsewhere = BaseImage { s3_url: Some("s3://b/secrets/x.png".to_owned()), ..BaseImage::default() };
        let places = BaseImages { bucket: &bucket, keys: &keys, local: &local };
        let named = |noted: &[BaseImage]| -> Vec<String> {
            let places = places.places(&"hero".parse().unwrap(), noted).into_iter();
            places
                .map(|place| match place {
                    Place::File(path) => path.strip_prefix(data.path().join("hero")).unwrap().display().to_string(),
                    Place::Object(key) => key,
                })
                .collect()
        };
        let found = ["base_image/b.png", "base_image/hero.jpg", "base_image/a.jpg", "base_image/z.webp"];
        let keys_tried =
            ["png", "jpg", "jpeg", "jpe", "jfif", "webp"].map(|ending| format!("p/base_images/hero_base.{ending}"));
        let usual: Vec<&str> = found.iter().copied().chain(keys_tried.iter().map(String::as_str)).collect();
        let first = ["moved.png", "moved_relative.png", "relative.png", "p/base_images/noted.png"];
        assert_eq!(named(&[noted, elsewhere.clone()]), [first.as_slice(), &usual].concat());
        assert_eq!(named(&[elsewhere]), usual, "other folders of the bucket have no base images");
    }
}
