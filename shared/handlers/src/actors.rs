//! The profile of an actor: from the `actor.json` beside its images, else from its record, else from its id.

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

/// The file beside an actor's images that overrides its profile.
const ACTOR_FILE: &str = "actor.json";

/// The file has two fields; a larger one is something else.
const MAX_ACTOR_FILE_BYTES: u64 = 64 * 1024;

/// The contents of [`ACTOR_FILE`]. Unknown fields are errors, so that a misspelt one is noticed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActorFile {
    sex: Option<Sex>,
    #[serde(alias = "type")]
    actor_type: Option<ActorType>,
}

/// Rejects a request for an actor without record, images and base image, because its id is probably misspelt.
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
        "there is no actor {actor}, and nothing below {folder}; check the name, or upload its images"
    )))
}

/// Determines the profile of an actor, and updates its record if the profile has changed.
///
/// # Errors
/// [`HandlerError::NeedsOperator`] if `actor.json` is invalid: nothing is generated for an actor with a doubtful
/// profile.
pub(super) async fn identify(
    bucket: &Bucket,
    store: &Store,
    keys: &Keys,
    actor: &ActorId,
    record: &ActorRecord,
) -> Result<Profile, HandlerError> {
    let key = keys.image(actor, ACTOR_FILE);
    let parsed = match bucket.get_at_most(&key, MAX_ACTOR_FILE_BYTES).await? {
        Fetched::Missing => Ok(ActorFile::default()),
        Fetched::TooLarge(bytes) => Err(format!("it has {bytes} bytes")),
        Fetched::Whole(file) => json::read(&file.bytes).map_err(|error| error.to_string()),
    };
    let file = parsed.map_err(|problem| {
        HandlerError::NeedsOperator(format!(
            "{key} can't be read: {problem}. Write {{\"sex\":\"female\",\"actor_type\":\"human\"}}, or remove it."
        ))
    })?;
    let known = profile_of(&record.metadata, actor);
    let profile =
        Profile { sex: file.sex.unwrap_or(known.sex), actor_type: file.actor_type.unwrap_or(known.actor_type) };
    if profile != record.profile {
        store.set_profile(actor, profile).await?;
    }
    Ok(profile)
}
