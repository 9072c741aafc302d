//! Who an actor is: what `actor.json` beside its images says, else its record, else its id's own words.

use aws::bucket::{Bucket, Fetched};
use aws::store::Store;
use aws::store::actors::ActorRecord;
use domain::actor::{ActorId, ActorType, Profile, Sex};
use domain::json;
use domain::keys::Keys;
use domain::manifest::profile_of;
use serde::Deserialize;

use super::HandlerError;
use super::base_image::BaseImages;

/// The file beside an actor's images that says who it is.
const ACTOR_FILE: &str = "actor.json";

/// It says two words; what is larger is something else.
const MOST_ACTOR_FILE_BYTES: u64 = 64 * 1024;

/// What a person may write there. Manifests may hold anything, but a slip of the pen in this file should be told.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActorFile {
    sex: Option<Sex>,
    #[serde(alias = "type")]
    actor_type: Option<ActorType>,
}

/// Refuses to work for an actor that has no record, no image and no base image: a slip of the pen should not make one.
///
/// # Errors
/// [`HandlerError::Rejected`] if nobody knows the actor.
pub(super) async fn reject_unknown(store: &Store, places: BaseImages<'_>, actor: &ActorId) -> Result<(), HandlerError> {
    if store.actor(actor).await?.is_some() || places.local.actor_dir(actor).is_some_and(|dir| dir.is_dir()) {
        return Ok(());
    }
    let folder = places.keys.training_data(actor);
    let also = [Some(folder.clone()), places.keys.decomposed_training_data(actor)];
    for place in also.into_iter().flatten().chain([places.keys.base_image_stem(actor)]) {
        if !places.bucket.list(&place).await?.is_empty() {
            return Ok(());
        }
    }
    Err(HandlerError::Rejected(format!(
        "nobody knows an actor {actor}, and there is nothing below {folder}; check the name, or upload its images"
    )))
}

/// Finds out who an actor is, and writes it into its record if that says otherwise.
///
/// # Errors
/// The inner one if `actor.json` can't be understood: a sentence for people. Nothing is made for an actor that may
/// be somebody else.
pub(super) async fn identify(
    bucket: &Bucket,
    store: &Store,
    keys: &Keys,
    actor: &ActorId,
    record: &ActorRecord,
) -> Result<Result<Profile, String>, HandlerError> {
    let key = keys.image(actor, ACTOR_FILE);
    let mut profile = profile_of(&record.metadata, actor);
    let understood = match bucket.get_at_most(&key, MOST_ACTOR_FILE_BYTES).await? {
        Fetched::Missing => Ok(ActorFile::default()),
        Fetched::TooLarge(bytes) => Err(format!("it has {bytes} bytes")),
        Fetched::Whole(file) => json::read(&file.bytes).map_err(|error| error.to_string()),
    };
    match understood {
        Ok(file) => {
            profile = Profile {
                sex: file.sex.unwrap_or(profile.sex),
                actor_type: file.actor_type.unwrap_or(profile.actor_type),
            };
        }
        Err(problem) => {
            return Ok(Err(format!(
                "{key} can't be understood: {problem}. Write {{\"sex\":\"female\",\"actor_type\":\"human\"}}, or remove it."
            )));
        }
    }
    if profile != record.profile {
        store.set_profile(actor, profile).await?;
    }
    Ok(Ok(profile))
}
