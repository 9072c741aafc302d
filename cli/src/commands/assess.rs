//! `balancer assess DIR`

mod models;
mod shown;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use anyhow::{Context, bail};
use domain::assessment::{Assessment, Observation, Observed, Origin, assess, void_ambiguous_comparisons};
use domain::manifest::{Image, Manifest, Observer};
use domain::settings::{ACTOR_FILE, ActorSettings, Settings};
use image::RgbImage;
use imaging::{PREVIEW_SIDE, compare_nominated, decode, reference_id, shrink};
use providers::vision::VisionConfig;

use crate::arguments::Assess;
use crate::local::data_folder::is_there;
use crate::local::{Vision, vision_config_with_key};
use crate::outcome::{Outcome, WrongUsage, remark};
use crate::pictures::{Picture, read_folder};
use models::observe;

/// Assesses a folder's images with the vision model, or with both to compare them.
pub async fn run(arguments: &Assess) -> anyhow::Result<Outcome> {
    if arguments.compare && arguments.vision == Vision::Embedded {
        bail!(WrongUsage("--compare needs a service to compare with: add --vision openai".to_owned()));
    }
    let config = vision_config_with_key(arguments.vision)?;
    let pictures = read_folder(&arguments.dir)?;
    let base = arguments.base.as_deref().map(base_image).transpose()?;
    if base.is_some() && arguments.vision == Vision::Embedded {
        remark("the embedded model doesn't compare images with a base image; --vision openai does");
    }
    let settings = arguments.settings.settings().of_actor(&own_settings(&arguments.dir)?);
    let set = Set { pictures, base, recorded: recorded(&arguments.dir)? };
    let assessments = set.assess(config, &settings).await?;
    if arguments.compare {
        let embedded = set.assess(VisionConfig::Embedded, &settings).await?;
        shown::side_by_side(&set, &embedded, &assessments, arguments.json)?;
    } else {
        shown::one_model(&set, &assessments, arguments.json)?;
    }
    Ok(Outcome::Done)
}

/// The images of a folder, with what their assessment depends on.
struct Set {
    pictures: Vec<Picture>,
    base: Option<Base>,
    recorded: BTreeMap<String, Image>,
}

impl Set {
    /// Assesses the images that the model can assess, and reports the others.
    async fn assess(&self, config: VisionConfig, settings: &Settings) -> anyhow::Result<Vec<Assessment>> {
        let observations = observe(config, self).await?;
        let (mut observed, mut previews) = (Vec::new(), Vec::new());
        for (picture, observation) in self.pictures.iter().zip(observations) {
            let filename = picture.filename.clone();
            match observation {
                Ok(observation) => {
                    let (origin, pinned) = self.origin_and_pin(picture);
                    observed.push(Observed { filename, observation, facts: picture.facts.clone(), origin, pinned });
                    previews.push(picture.preview.as_ref());
                }
                Err(reason) => remark(format!("{filename} is not assessed: {reason}")),
            }
        }
        void_ambiguous_comparisons(&mut observed);
        if let Some(reason) = observed.iter().find_map(|image| image.observation.content.not_compared) {
            remark(format!("the base image {reason}, so images were not compared with it"));
        }
        Ok(assess(&observed, &compare_nominated(&observed, &previews), settings))
    }

    fn origin_and_pin(&self, picture: &Picture) -> (Origin, bool) {
        let is_of_this_file =
            |image: &&Image| image.facts.as_ref().is_none_or(|facts| facts.sha256 == picture.facts.sha256);
        let image = self.recorded.get(&picture.filename).filter(is_of_this_file);
        (image.map(Image::origin).unwrap_or_default(), image.is_some_and(|image| image.pinned))
    }

    /// The recorded observation of this file by this observer, which needs no new request.
    fn recorded_observation(&self, picture: &Picture, observer: Observer<'_>) -> Option<Observation> {
        let image = self.recorded.get(&picture.filename)?;
        let is_of_this_file = image.facts.as_ref().is_some_and(|facts| facts.sha256 == picture.facts.sha256);
        image.observation_by(observer).filter(|_| is_of_this_file)
    }
}

/// The base image, as the model sees it, and the id under which records name it.
struct Base {
    picture: Arc<RgbImage>,
    id: String,
}

fn base_image(path: &Path) -> anyhow::Result<Base> {
    let bytes = fs::read(path).with_context(|| format!("the base image {} can't be read", path.display()))?;
    match decode(&bytes) {
        Ok(image) => Ok(Base { picture: Arc::new(shrink(&image, PREVIEW_SIDE)), id: reference_id(&bytes) }),
        Err(error) => bail!("the base image {} is unusable: {error}", path.display()),
    }
}

/// The folder as a path that shows the actor's folder. `training_data` may be a link to another place.
fn of_actor(dir: &Path) -> anyhow::Result<PathBuf> {
    let path = if dir.ends_with("training_data") { absolute(dir) } else { dir.canonicalize() };
    path.with_context(|| format!("the folder {} can't be read", dir.display()))
}

/// The settings in the `actor.json` beside the images, or beside `training_data`.
fn own_settings(dir: &Path) -> anyhow::Result<ActorSettings> {
    let dir = of_actor(dir)?;
    let beside = dir.ends_with("training_data").then(|| dir.with_file_name(ACTOR_FILE));
    let path = [Some(dir.join(ACTOR_FILE)), beside].into_iter().flatten().find(|path| is_there(path));
    let Some(path) = path else { return Ok(ActorSettings::default()) };
    let read = || Ok::<_, anyhow::Error>(ActorSettings::read(&fs::read(&path)?)?);
    read().with_context(|| format!("{} can't be read", path.display()))
}

/// The manifest that `balancer local` has written for the folder: only it records which images are generated or pinned.
fn recorded(dir: &Path) -> anyhow::Result<BTreeMap<String, Image>> {
    let dir = of_actor(dir)?;
    let path = dir.with_file_name("manifest.json");
    if !dir.ends_with("training_data") || !path.is_file() {
        return Ok(BTreeMap::new());
    }
    let text = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
    match serde_json::from_slice::<Manifest>(&text) {
        Ok(manifest) => Ok(manifest.images),
        Err(error) => {
            remark(format!("{} is no manifest, so every image counts as uploaded: {error}", path.display()));
            Ok(BTreeMap::new())
        }
    }
}
