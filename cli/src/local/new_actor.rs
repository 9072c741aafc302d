//! Makes an actor from one picture.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::actor::ActorId;
use handlers::moving::write_new;
use imaging::{Encoding, decode};

use super::data_folder::ActorFolder;
use crate::outcome::{WrongUsage, remark};

/// The data folder of a new actor, unless the user names one.
pub const DEFAULT_DATA: &str = "images";

/// The actor that a base image begins: the named one, or the one of the file's name.
pub fn actor_of(picture: &Path, named: &[ActorId]) -> anyhow::Result<ActorId> {
    match named {
        [actor] => Ok(actor.clone()),
        [] => {
            let stem = picture.file_stem().unwrap_or_default().to_string_lossy();
            let unusable = |problem| WrongUsage(format!("{problem}; or give the actor's id with --actor"));
            Ok(stem.parse().map_err(unusable)?)
        }
        _ => bail!(WrongUsage("--from begins one actor; give --actor once".to_owned())),
    }
}

/// Makes the actor's folder with this base image, and the data folder, unless they exist. Replaces nothing: an actor with
/// another base image is an error.
pub fn make(data: &Path, actor: &ActorId, picture: &Path) -> anyhow::Result<()> {
    let bytes = fs::read(picture).with_context(|| format!("{} can't be read", picture.display()))?;
    decode(&bytes).with_context(|| format!("{} can't be used as a base image", picture.display()))?;
    fs::create_dir_all(data).with_context(|| format!("{} can't be created", data.display()))?;
    let folder = ActorFolder::find_or_new(data, actor)?;
    if let Some(present) = folder.base_image()? {
        return check_same(&present, &bytes, actor);
    }
    let path = folder.base_images().join(format!("{actor}_base.{}", ending(&bytes)));
    let failed = || format!("{} can't be written", path.display());
    fs::create_dir_all(folder.training_data()).with_context(failed)?;
    fs::create_dir_all(folder.base_images()).with_context(failed)?;
    if !write_new(&path, &bytes).with_context(failed)? {
        bail!("{} exists already; remove it, or give another --actor", path.display());
    }
    remark(format!("made the actor {actor} in {}", folder.dir.display()));
    Ok(())
}

fn check_same(present: &PathBuf, bytes: &[u8], actor: &ActorId) -> anyhow::Result<()> {
    let same = fs::read(present).with_context(|| format!("{} can't be read", present.display()))? == bytes;
    if !same {
        bail!(
            "the actor {actor} has another base image, {}; leave --from out to go on with it, or give another --actor",
            present.display()
        );
    }
    Ok(())
}

fn ending(bytes: &[u8]) -> &'static str {
    match Encoding::of(bytes) {
        Some(Encoding::Png) => "png",
        Some(Encoding::WebP) => "webp",
        Some(Encoding::Jpeg) | None => "jpg",
    }
}

#[cfg(test)]
mod tests {
    use image::RgbImage;
    use imaging::encode_png;

    use super::*;

    fn hero() -> ActorId {
        "hero".parse().unwrap()
    }

    fn picture(dir: &Path, shade: u8) -> PathBuf {
        let path = dir.join(format!("{shade}.jpg"));
        let image = RgbImage::from_pixel(96, 96, image::Rgb([shade; 3]));
        fs::write(&path, encode_png(&image).unwrap()).unwrap();
        path
    }

    #[test]
    fn actor_is_made_once_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (data, one) = (dir.path().join("data"), picture(dir.path(), 1));
        make(&data, &hero(), &one).unwrap();
        let base = data.join("hero/base_image/hero_base.png");
        assert_eq!(fs::read(&base).unwrap(), fs::read(&one).unwrap());
        make(&data, &hero(), &one).unwrap();
        let error = make(&data, &hero(), &picture(dir.path(), 2)).unwrap_err().to_string();
        assert!(error.contains("another base image"), "{error}");
        assert_eq!(fs::read(&base).unwrap(), fs::read(&one).unwrap());
    }

    #[test]
    fn existing_actor_without_base_image_gets_it() {
        let dir = tempfile::tempdir().unwrap();
        let training_data = dir.path().join("hero/training_data");
        fs::create_dir_all(&training_data).unwrap();
        fs::write(training_data.join("a.jpg"), "kept").unwrap();
        make(dir.path(), &hero(), &picture(dir.path(), 1)).unwrap();
        assert!(dir.path().join("hero/base_image/hero_base.png").is_file());
        assert_eq!(fs::read(training_data.join("a.jpg")).unwrap(), b"kept");
    }

    #[test]
    fn unusable_picture_makes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (text, data) = (dir.path().join("a.png"), dir.path().join("data"));
        fs::write(&text, "text").unwrap();
        assert!(make(&data, &hero(), &text).is_err());
        assert!(make(&data, &hero(), &dir.path().join("missing.png")).is_err());
        assert!(!data.exists());
    }

    #[test]
    fn file_name_is_the_id_unless_one_is_given() {
        assert_eq!(actor_of(Path::new("x/hero.png"), &[]).unwrap(), hero());
        assert_eq!(actor_of(Path::new("x/IMG_1.png"), &[hero()]).unwrap(), hero());
        assert!(actor_of(Path::new("a?.png"), &[]).is_err());
        assert!(actor_of(Path::new("a.png"), &[hero(), hero()]).is_err());
    }
}
