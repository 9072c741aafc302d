//! A set with everything that its pages derive from the records, so that it is derived once.

use std::collections::BTreeMap;

use domain::assessment::Assessment;
use domain::caption::Caption;
use domain::manifest::Manifest;
use domain::status::Status;
use domain::trash::TrashRecord;

use super::medium::picture_id;
use super::picture::Picture;
use crate::sets::{ActorSet, Place};

/// A set and its assessments.
#[derive(Debug)]
pub struct Shown {
    pub set: ActorSet,
    assessments: BTreeMap<String, Assessment>,
    /// The assessments of the deleted images by plan and file name. Each is assessed alone, so they lack faults that
    /// come from comparisons within the set.
    of_deleted: BTreeMap<(String, String), Assessment>,
}

/// What only the pages of one set need, and takes further reads.
#[derive(Debug)]
pub struct Details {
    /// The captions by file name.
    pub captions: BTreeMap<String, Caption>,
    pub has_base: bool,
}

impl Details {
    /// The details of a set of which none were read.
    pub const fn none() -> Self {
        Self { captions: BTreeMap::new(), has_base: false }
    }
}

impl Shown {
    pub fn new(set: ActorSet) -> Self {
        Self { assessments: set.assessments(), of_deleted: assessments_of_deleted(&set), set }
    }

    /// Every image of the set, also the unusable ones.
    pub fn pictures<'a>(&'a self, details: &'a Details) -> impl Iterator<Item = Picture<'a>> {
        self.set.manifest.images.iter().map(|(file, image)| Picture {
            actor: &self.set.actor,
            place: Place::Set(file.clone()),
            file,
            image,
            assessment: self.assessments.get(file),
            caption: details.captions.get(file),
            deletion: None,
            planned_deletion: None,
        })
    }

    /// The deleted images, the latest first.
    pub fn deleted(&self) -> Vec<Picture<'_>> {
        let records =
            self.set.manifest.trash.iter().flat_map(|(file, records)| records.iter().map(move |it| (file, it)));
        let deleted = records.map(|(file, record)| Picture {
            actor: &self.set.actor,
            place: Place::Trash { plan_id: record.plan_id.clone(), file: file.clone() },
            file,
            image: &record.image,
            assessment: self.of_deleted.get(&(record.plan_id.clone(), file.clone())),
            caption: None,
            deletion: Some(record),
            planned_deletion: None,
        });
        let mut deleted: Vec<_> = deleted.collect();
        deleted.sort_by_key(|picture| std::cmp::Reverse(picture.deletion.map(|record| record.deleted_at)));
        deleted
    }

    /// The image or deleted image with this id.
    pub fn find<'a>(&'a self, id: &str, details: &'a Details) -> Option<Picture<'a>> {
        self.pictures(details).chain(self.deleted()).find(|picture| picture_id(&picture.place) == id)
    }

    /// Up to `number` images that represent the set: the best one of each kind in turn.
    pub fn best(&self, number: usize) -> Vec<Picture<'_>> {
        static NO_DETAILS: Details = Details::none();
        let mut pictures: Vec<_> = self.pictures(&NO_DETAILS).filter(|it| it.image.unusable.is_none()).collect();
        pictures.sort_by_key(|picture| std::cmp::Reverse(picture.quality()));
        let mut ranked: Vec<(usize, Picture<'_>)> = Vec::new();
        for picture in pictures {
            let rank = ranked.iter().filter(|(_, other)| other.kind() == picture.kind()).count();
            ranked.push((rank, picture));
        }
        ranked.sort_by_key(|(rank, picture)| (*rank, picture.kind().is_none(), picture.kind()));
        ranked.into_iter().take(number).map(|(_, picture)| picture).collect()
    }

    /// The rank among all actors: those that need the operator most come first.
    pub fn urgency(&self) -> impl Ord + use<> {
        let rank = match self.set.status {
            Status::NeedsAttention => 0,
            Status::Parked => 1,
            Status::Balancing => 2,
            Status::Waiting => 3,
            Status::Balanced => 4,
        };
        (rank, std::cmp::Reverse(self.distance()), self.set.actor.clone())
    }

    /// How many images the set has too many or too few.
    fn distance(&self) -> u32 {
        let (counts, wanted) = (self.set.counts(), self.set.wanted());
        domain::kind::Kind::ALL.into_iter().map(|kind| counts[kind].abs_diff(wanted[kind])).sum()
    }
}

fn assessments_of_deleted(set: &ActorSet) -> BTreeMap<(String, String), Assessment> {
    let records = set.manifest.trash.iter().flat_map(|(file, records)| records.iter().map(move |it| (file, it)));
    let alone = |(file, record): (&String, &TrashRecord)| {
        let images = BTreeMap::from([(file.clone(), record.image.clone())]);
        let manifest = Manifest { images, ..Manifest::empty(&set.actor) };
        Some(((record.plan_id.clone(), file.clone()), manifest.assessments(&set.settings).pop()?))
    };
    records.filter_map(alone).collect()
}
