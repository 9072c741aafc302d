//! The guarantees that hold after a run, computed only from the operator's actions.

use std::collections::{BTreeMap, BTreeSet};

use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::kind::KindCounts;
use domain::manifest::BALANCING;
use domain::status::Status;

/// The operator's knowledge of the set.
#[derive(Debug, Default)]
pub struct Reference {
    /// The last upload under each name.
    uploads: BTreeMap<String, Vec<u8>>,
    /// Every name that was uploaded, replaced or removed.
    touched: BTreeSet<String>,
    /// The pinned names.
    pinned: BTreeSet<String>,
}

impl Reference {
    pub fn uploaded(&mut self, name: &str, bytes: &[u8]) {
        self.uploads.insert(name.to_owned(), bytes.to_vec());
        self.touched.insert(name.to_owned());
    }

    pub fn removed(&mut self, name: &str) {
        self.uploads.remove(name);
        self.pinned.remove(name);
        self.touched.insert(name.to_owned());
    }

    pub fn pinned(&mut self, name: &str, is_pinned: bool) {
        if is_pinned {
            self.pinned.insert(name.to_owned());
        } else {
            self.pinned.remove(name);
        }
    }

    /// Returns the first broken guarantee.
    pub async fn compare(&self, world: &World, actor: &ActorId) -> Result<(), String> {
        let mut objects = BTreeMap::new();
        for object in world.bucket.list(&world.keys.training_data(actor)).await.unwrap() {
            let bytes = world.bucket.get(&object.key).await.unwrap().unwrap().bytes;
            objects.insert(object.key.rsplit('/').next().unwrap().to_owned(), (object.etag, bytes));
        }
        let manifest = world.manifest(actor).await;
        let trash = trash(world, actor).await;

        for (name, (etag, bytes)) in &objects {
            let image = manifest.images.get(name).ok_or(format!("{name} is not in the manifest"))?;
            check(image.etag.as_ref() == Some(etag), || format!("the manifest has another version of {name}"))?;
            let local = std::fs::read(world.local_folder(actor).join(name)).ok();
            check(local.as_ref() == Some(bytes), || format!("the local copy has another version of {name}"))?;
        }
        check(manifest.images.len() == objects.len(), || "the manifest has images that the bucket lacks".to_owned())?;
        check(world.local_files(actor).len() == objects.len(), || {
            "the local copy has other files than the bucket".to_owned()
        })?;
        for (name, bytes) in &self.uploads {
            let is_there = objects.get(name).is_some_and(|(_, there)| there == bytes);
            check(is_there || trash.contains(bytes), || format!("{name} is lost"))?;
        }
        for name in &self.pinned {
            check(objects.contains_key(name), || format!("{name} was pinned and is gone"))?;
        }
        self.compare_money(world, actor, &objects, &trash).await?;
        let record = world.store.actor(actor).await.unwrap().unwrap();
        let counts = KindCounts::tally(manifest.images.values().filter_map(|image| image.kind));
        match record.status {
            Status::Balanced => check(counts.total() == 6, || format!("balanced at {counts}"))?,
            Status::NeedsAttention => check(record.reason.is_some(), || "no reason is given".to_owned())?,
            other => return Err(format!("{other:?} in the end: {:?}", record.reason)),
        }
        check(world.keys_below("staging/").await.is_empty(), || "something is left in staging".to_owned())?;
        check(world.dead_letters().await == 0, || "there are dead letters".to_owned())
    }

    /// Each paid image is in the set or the trash, under its own number, unless the operator removed or replaced it.
    /// The booked costs equal the charges.
    async fn compare_money(
        &self,
        world: &World,
        actor: &ActorId,
        objects: &BTreeMap<String, (String, Vec<u8>)>,
        trash: &BTreeSet<Vec<u8>>,
    ) -> Result<(), String> {
        let paid: Vec<Vec<u8>> = world.replicate.outputs();
        let is_kept =
            |picture: &&Vec<u8>| objects.values().any(|(_, bytes)| bytes == *picture) || trash.contains(*picture);
        let missing = paid.iter().filter(|picture| !is_kept(picture)).count();
        check(missing <= self.touched.len(), || format!("{missing} of {} paid images are missing", paid.len()))?;
        let plans = world.store.plans(actor).await.unwrap();
        let spent: u64 = plans.iter().map(|plan| plan.spent.0).sum();
        check(spent == paid.len() as u64 * 40_000, || format!("{spent} is booked for {} images", paid.len()))?;
        let manifest = world.manifest(actor).await;
        let generated = manifest.images.iter().filter(|(_, image)| image.generation_type.as_deref() == Some(BALANCING));
        let overwritten: Vec<_> = generated.filter(|(name, _)| self.uploads.contains_key(*name)).collect();
        check(overwritten.is_empty(), || {
            format!("numbers used twice: {:?}", overwritten.iter().map(|(name, _)| name).collect::<Vec<_>>())
        })
    }
}

async fn trash(world: &World, actor: &ActorId) -> BTreeSet<Vec<u8>> {
    let mut trash = BTreeSet::new();
    for object in world.bucket.list(&format!("{}/trash/{actor}/", balancer_tests::harness::KEY_PREFIX)).await.unwrap() {
        trash.insert(world.bucket.get(&object.key).await.unwrap().unwrap().bytes);
    }
    trash
}

fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
