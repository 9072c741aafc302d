//! Import and export of manifests.

use std::collections::BTreeMap;

use domain::actor::ActorId;
use domain::files::composed;
use domain::manifest::{Image, Manifest, profile_of, timestamp_text};
use domain::numbering::highest;
use domain::settings::{ActorSettings, Settings};
use domain::status::Status;
use domain::suspension::{Suspension, fingerprint};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::store::actors::ActorRecord;
use crate::store::{Store, StoreError};

/// Imports the manifest of an actor without a record. Returns `false` and changes nothing if it has one.
pub async fn import(store: &Store, actor: &ActorId, mut manifest: Manifest) -> Result<bool, StoreError> {
    if store.actor(actor).await?.is_some() {
        return Ok(false);
    }
    for generation in &manifest.generations {
        store.import_generation(actor, generation).await?;
    }
    for (filename, image) in &manifest.images {
        store.import_image(actor, &composed(filename), image).await?;
    }
    for (filename, entries) in &manifest.trash {
        for trashed in entries {
            store.import_trashed(actor, &composed(filename), trashed).await?;
        }
    }
    manifest.metadata.retain(|name, _| !manifest.derived.contains(name));
    // The actor record is written last, so that an interrupted import is repeated.
    let record = ActorRecord {
        created_at: manifest.created_at.as_deref().and_then(timestamp),
        updated_at: manifest.updated_at.as_deref().and_then(timestamp),
        profile: profile_of(&manifest.metadata, actor),
        last_number: manifest.last_number.max(highest(manifest.images.keys().map(String::as_str))),
        last_generation: manifest.generations.iter().map(|generation| generation.generation_id).max().unwrap_or(0),
        metadata: manifest.metadata,
        base_images: manifest.base_images,
        exported: manifest.other,
        suspension: manifest.balancing.filter(|it| matches!(it.status, Status::NeedsAttention | Status::Parked)),
        ..ActorRecord::default()
    };
    store.import_actor(actor, &record).await
}

/// A time from a manifest, in UTC if it has no time zone. Truncated to milliseconds, as the table stores it.
fn timestamp(text: &str) -> Option<Timestamp> {
    let without_zone = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let time = text.parse::<Timestamp>().ok().or_else(without_zone)?;
    Timestamp::from_millisecond(time.as_millisecond()).ok()
}

/// Exports the manifest of an actor; `None` if the actor has no record. `settings` are those of the stack.
pub async fn export(store: &Store, actor: &ActorId, settings: &Settings) -> Result<Option<Manifest>, StoreError> {
    let Some(record) = store.actor(actor).await? else { return Ok(None) };
    let images = store.images(actor).await?;
    let mut generations = store.generations(actor).await?;
    for generation in &mut generations {
        let is_of = |id: Option<u32>| id == Some(generation.generation_id);
        generation.image_count = images.values().filter(|image| is_of(image.generation_id)).count() as u64;
    }
    let balancing = suspension(&record, &images);
    let settings = settings.of_actor(&record.settings);
    let (mut metadata, mut derived) = (record.metadata, Vec::new());
    let of_profile = [("sex", json!(record.profile.sex)), ("actor_type", json!(record.profile.actor_type))];
    let of_file = [("trigger", json!(record.settings.trigger)), ("class", json!(record.settings.class))];
    for (name, value) in of_profile.into_iter().chain(of_file) {
        if !metadata.contains_key(name) && !value.is_null() {
            metadata.insert(name.to_owned(), value);
            derived.push(name.to_owned());
        }
    }
    Ok(Some(Manifest {
        actor_id: actor.to_string(),
        created_at: record.created_at.map(timestamp_text),
        updated_at: record.updated_at.map(timestamp_text),
        total_images: images.values().filter(|image| image.unusable.is_none()).count() as u64,
        last_number: record.last_number,
        metadata,
        base_images: record.base_images,
        generations,
        images,
        trash: store.trash(actor).await?,
        derived,
        settings: Some(ActorSettings::from(&settings)),
        balancing,
        other: record.exported,
    }))
}

/// The suspension for the exported manifest: the set's own, or one for a set that is parked for a budget. The next run
/// retries sets that wait for anything else, such as credit with a service.
fn suspension(record: &ActorRecord, images: &BTreeMap<String, Image>) -> Option<Suspension> {
    match record.status {
        // An imported set that has not been evaluated yet keeps its suspension.
        Status::NeedsAttention | Status::Waiting => record.suspension.clone(),
        Status::Parked => {
            // An earlier run left the set parked, and nothing has changed since.
            if let Some(earlier) = record.suspension.as_ref().filter(|suspension| suspension.status == Status::Parked) {
                return Some(earlier.clone());
            }
            record.parked_for?;
            let set = images.iter().filter(|(_, image)| image.etag.is_some());
            Some(Suspension {
                status: record.status,
                reason: record.reason.clone().unwrap_or_default(),
                rounds: record.round,
                images: fingerprint(set.map(|(filename, image)| (filename.as_str(), image))),
                policy: None,
                circumstances: None,
            })
        }
        Status::Balancing | Status::Balanced => None,
    }
}
