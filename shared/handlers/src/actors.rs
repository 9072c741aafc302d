//! The settings of an actor, from the `actor.json` beside its images; its profile otherwise from its record or its id.

use aws::bucket::{Bucket, Fetched};
use aws::store::Store;
use aws::store::actors::ActorRecord;
use domain::actor::{ActorId, Profile};
use domain::keys::Keys;
use domain::manifest::profile_of;
use domain::settings::{ACTOR_FILE, ActorSettings};

use super::HandlerError;
use super::base_image::BaseImages;

/// The file has a dozen fields; a larger one is something else.
const MAX_ACTOR_FILE_BYTES: u64 = 64 * 1024;

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

/// Reads the settings of an actor, and updates its record if they or the profile that follows from them have changed.
///
/// # Errors
/// [`HandlerError::NeedsOperator`] if `actor.json` is invalid: nothing is deleted or generated for an actor with doubtful
/// settings.
pub(super) async fn identify(
    bucket: &Bucket,
    store: &Store,
    keys: &Keys,
    actor: &ActorId,
    record: &ActorRecord,
) -> Result<(ActorSettings, Profile), HandlerError> {
    let key = keys.image(actor, ACTOR_FILE);
    let parsed = match bucket.get_at_most(&key, MAX_ACTOR_FILE_BYTES).await? {
        Fetched::Missing => Ok(ActorSettings::default()),
        Fetched::TooLarge(bytes) => Err(format!("it has {bytes} bytes")),
        Fetched::Whole(file) => ActorSettings::read(&file.bytes).map_err(|error| error.to_string()),
    };
    let settings = parsed.map_err(|problem| {
        HandlerError::NeedsOperator(format!(
            "{key} can't be read: {problem}. Correct it, or remove it and request an evaluation, for example with `balancer send evaluation {actor}`."
        ))
    })?;
    let profile = settings.profile(profile_of(&record.metadata, actor));
    if profile != record.profile || settings != record.settings {
        store.set_settings(actor, &settings, profile).await?;
    }
    Ok((settings, profile))
}
