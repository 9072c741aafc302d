//! The pictures of a report as data URLs.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt, TryStreamExt, stream};

use crate::pages::{Details, Shown};
use crate::sets::{Place, Sets};
use crate::thumbnail::thumbnail;

/// The longest side of a picture, in pixels.
const SIDE: u32 = 320;

/// The pictures that are read and encoded at the same time; each may need much memory.
const AT_ONCE: usize = 2;

/// The base image, the images of the set and the deleted ones, without those that are missing or unusable.
pub async fn of(sets: &Sets, shown: &Shown) -> anyhow::Result<BTreeMap<Place, String>> {
    let details = Details::none();
    let deleted = shown.deleted();
    let places = shown.pictures(&details).chain(deleted).map(|picture| picture.place).chain([Place::Base]);
    let encoded = stream::iter(places.collect::<Vec<_>>()).map(|place| async move {
        let Some(bytes) = sets.picture(&shown.set.actor, &place).await? else { return Ok(None) };
        let encoded = tokio::task::spawn_blocking(move || thumbnail(&bytes, SIDE).ok()).await?;
        anyhow::Ok(encoded.map(|jpeg| (place, format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)))))
    });
    encoded.buffered(AT_ONCE).try_filter_map(async |found| Ok(found)).try_collect().await
}
