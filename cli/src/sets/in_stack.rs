//! The sets of a running stack.

use std::collections::BTreeMap;

use anyhow::bail;
use aws::bucket::Fetched;
use aws::exchange;
use aws::stack::Services;
use aws::store::Store;
use aws::store::actors::ActorRecord;
use domain::actor::ActorId;
use domain::files::composed;
use domain::settings::Settings;
use handlers::Clock;
use handlers::base_image::BaseImages;
use imaging::MAX_BYTES;

use super::{ActorSet, Money, Place};
use crate::connection::Connected;

pub async fn actor(stack: &Connected, actor: &ActorId) -> anyhow::Result<ActorSet> {
    let record = stack.actor(actor).await?;
    ActorSet::in_table(&stack.services.store, &stack.parameters.settings(), actor, record).await
}

impl ActorSet {
    /// Reads the rest of an actor whose record was read. `of_stack` are the settings of the stack.
    pub async fn in_table(
        store: &Store,
        of_stack: &Settings,
        actor: &ActorId,
        record: ActorRecord,
    ) -> anyhow::Result<Self> {
        let Some(manifest) = exchange::export(store, actor, of_stack).await? else {
            bail!("{actor} has just been removed from the stack");
        };
        let today = Clock::system().today();
        Ok(Self {
            actor: actor.clone(),
            manifest,
            status: record.status,
            // An outage explains why an unfinished set makes no progress.
            reason: record.outage().or_else(|| record.reason.clone()).unwrap_or_default(),
            round: record.round,
            settings: of_stack.of_actor(&record.settings),
            own_settings: record.settings,
            plans: store.plans(actor).await?,
            active_plan: record.active_plan,
            approved_plan: record.approved_plan,
            money: Some(Money {
                today: store.spending_on(actor, today).await?.spent,
                ever: store.spending_ever_on(actor).await?,
                last_assessment: store.assessment_costs(actor).await?.last().map(|evaluation| evaluation.cost),
            }),
        })
    }
}

pub async fn picture(stack: &Connected, actor: &ActorId, place: &Place) -> anyhow::Result<Option<Vec<u8>>> {
    let Services { bucket, keys, .. } = &stack.services;
    match place {
        Place::Base => base_image(stack, actor).await,
        Place::Set(file) => read(stack, &keys.image(actor, file)).await,
        Place::Trash { plan_id, file } => match bucket.get(&keys.trash(actor, plan_id, file)).await? {
            Some(object) => Ok(Some(object.bytes)),
            // A stack on this machine keeps the trash in the folder too, beyond its own end.
            None => match stack.local.trash_path(actor, plan_id, file) {
                Some(path) => Ok(stack.local.read(&path).await?),
                None => Ok(None),
            },
        },
    }
}

/// The texts of the caption files beside the images, by name.
pub async fn caption_files(stack: &Connected, actor: &ActorId) -> anyhow::Result<BTreeMap<String, String>> {
    let Services { bucket, keys, .. } = &stack.services;
    let folder = keys.training_data(actor);
    let mut texts = BTreeMap::new();
    for object in bucket.list(&folder).await? {
        let name = object.key.strip_prefix(&folder).filter(|name| name.ends_with(".txt"));
        if let Some(name) = name
            && let Some(bytes) = read(stack, &object.key).await?
        {
            texts.insert(composed(name), String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    // A stack on this machine doesn't copy captions to its bucket.
    for name in stack.local.filenames(actor).await?.into_iter().filter(|name| name.ends_with(".txt")) {
        if let Some(path) = stack.local.image_path(actor, &name)
            && let Some(bytes) = stack.local.read(&path).await?
        {
            texts.insert(name, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(texts)
}

async fn base_image(stack: &Connected, actor: &ActorId) -> anyhow::Result<Option<Vec<u8>>> {
    let Connected { services: Services { bucket, keys, store, .. }, local, .. } = stack;
    let noted = store.actor(actor).await?.map(|record| record.base_images).unwrap_or_default();
    let found = BaseImages { bucket, keys, local }.find(actor, &noted).await?;
    Ok(found.and_then(|found| found.file.ok()))
}

/// An object, unless it is larger than any usable image.
async fn read(stack: &Connected, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
    match stack.services.bucket.get_at_most(key, MAX_BYTES).await? {
        Fetched::Whole(object) => Ok(Some(object.bytes)),
        Fetched::Missing | Fetched::TooLarge(_) => Ok(None),
    }
}
