//! The state after a run: everything that must not depend on faults, repetitions or order.

use std::collections::BTreeMap;

use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::kind::KindCounts;
use domain::manifest::BALANCING;
use domain::plan::PlanState;
use domain::status::Status;

/// The price of an image, in millionths of a dollar.
const PRICE: u64 = 40_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalState {
    status: Status,
    /// File names of the images in the bucket.
    files: Vec<String>,
    /// File names of the captions in the bucket.
    captions: Vec<String>,
    /// File names in the local copy, which has the same bytes.
    local: Vec<String>,
    /// File names in the manifest, which has the same `ETag`s.
    recorded: Vec<String>,
    counts: KindCounts,
    trash: Vec<String>,
    local_trash: Vec<String>,
    staging: Vec<String>,
    /// The number of plans in each state.
    plans: BTreeMap<String, usize>,
    /// The images that the plans have deleted and generated.
    done: (u32, u32),
    /// Images that the stand-in for the generator's service has charged.
    charged: usize,
    /// Whether the service can't be asked for an image whose answer was lost.
    loses_answers: bool,
    /// Images with a cost in the manifest.
    recorded_as_paid: usize,
    dead_letters: u64,
    rejections: Vec<String>,
    /// The sum of the plans' costs, in millionths of a dollar.
    spent_on_images: u64,
    vision_requests: usize,
    /// Reserved and not booked, in millionths of a dollar.
    reserved: u64,
}

impl FinalState {
    pub async fn of(world: &World, actor: &ActorId) -> Self {
        let record = world.store.actor(actor).await.unwrap().unwrap();
        let manifest = world.manifest(actor).await;
        let listed = world.bucket.list(&world.keys.training_data(actor)).await.unwrap();
        let (mut files, mut captions) = (Vec::new(), Vec::new());
        for object in &listed {
            let name = object.key.rsplit('/').next().unwrap().to_owned();
            let bytes = world.bucket.get(&object.key).await.unwrap().unwrap().bytes;
            assert_eq!(std::fs::read(world.local_folder(actor).join(&name)).ok(), Some(bytes), "{name}");
            if name.ends_with(".txt") {
                captions.push(name);
                continue;
            }
            let recorded = manifest.images.get(&name).and_then(|image| image.etag.as_ref());
            assert_eq!(recorded, Some(&object.etag), "{name}");
            files.push(name);
        }
        let plans = world.store.plans(actor).await.unwrap();
        let mut states = BTreeMap::new();
        for plan in &plans {
            assert!(
                matches!(plan.state, PlanState::Superseded | PlanState::Completed | PlanState::Reviewed),
                "{plan:#?}"
            );
            *states.entry(format!("{:?}", plan.state)).or_default() += 1;
        }
        let day = world.clock.today();
        let spending = world.store.spending(day).await.unwrap();
        Self {
            status: record.status,
            files,
            captions,
            local: world.local_files(actor),
            recorded: manifest.images.keys().cloned().collect(),
            counts: KindCounts::tally(manifest.images.values().filter_map(|image| image.kind)),
            trash: base_names(&world.keys_below(&format!("trash/{actor}/")).await),
            local_trash: files_below(&world.data.path().join(actor.as_str()).join("trash")),
            staging: world.keys_below("staging/").await,
            plans: states,
            done: (plans.iter().map(|plan| plan.deleted).sum(), plans.iter().map(|plan| plan.generated).sum()),
            charged: world.charged(),
            loses_answers: world.loses_answers(),
            recorded_as_paid: manifest
                .images
                .values()
                .filter(|image| image.generation_type.as_deref() == Some(BALANCING) && image.cost_micro_usd.is_some())
                .count(),
            dead_letters: world.dead_letters().await,
            rejections: world.store.rejections().await.unwrap().into_iter().map(|rejection| rejection.reason).collect(),
            spent_on_images: plans.iter().map(|plan| plan.spent.0).sum(),
            vision_requests: world.vision.request_count(),
            reserved: spending.committed.0 - spending.spent.0,
        }
    }

    /// Asserts that an undisturbed run has balanced the set, with images that a service has charged or with free ones.
    pub fn assert_balanced(&self, is_charged: bool) {
        assert_eq!(self.status, Status::Balanced, "{self:#?}");
        assert_eq!(self.files, self.recorded);
        assert_eq!(self.captions, ["hero_1.txt"]);
        assert_eq!(self.trash, ["hero_2.jpg", "hero_2.txt"]);
        self.assert_local_copy_agrees();
        assert_eq!(self.done, (1, 2), "{self:#?}");
        let charged = if is_charged { 2 } else { 0 };
        assert_eq!((self.charged, self.recorded_as_paid), (charged, charged));
        assert!(self.staging.is_empty() && self.rejections.is_empty() && self.dead_letters == 0 && self.reserved == 0);
    }

    /// Asserts that an undisturbed run has suspended the set after its plans deleted and generated this many images.
    pub fn assert_suspended(&self, deleted: u32, generated: u32) {
        assert_eq!(self.status, Status::NeedsAttention, "{self:#?}");
        let done = ((deleted, generated), generated as usize, 1);
        assert_eq!((self.done, self.charged, self.files.len()), done, "{self:#?}");
        assert!(self.captions.is_empty() && self.trash.contains(&"hero_1.txt".to_owned()), "{self:#?}");
        self.assert_local_copy_agrees();
        assert!(self.staging.is_empty() && self.rejections.is_empty() && self.dead_letters == 0 && self.reserved == 0);
    }

    fn assert_local_copy_agrees(&self) {
        let mut names = [&self.files[..], &self.captions].concat();
        names.sort();
        assert_eq!((&names, &self.trash), (&self.local, &self.local_trash), "{self:#?}");
    }

    /// The state without what a paid service counts: a request that is under way when its worker stalls is charged.
    pub fn without_charges(&self) -> Self {
        Self { vision_requests: 0, reserved: 0, charged: 0, ..self.clone() }
    }

    /// Describes the difference from the state after an undisturbed run. A vision request may have been repeated once,
    /// because its answer can be lost; so may a request to a synchronous generator, and then it is booked, and charged if
    /// the service has received it.
    pub fn compare(&self, expected: &Self) -> Result<(), String> {
        let mut same = self.clone();
        if same.vision_requests == expected.vision_requests + 1 {
            same.vision_requests = expected.vision_requests;
        }
        let is_repeated = same.loses_answers && same.spent_on_images == expected.spent_on_images + PRICE;
        if is_repeated && (expected.charged..=expected.charged + 1).contains(&same.charged) {
            (same.spent_on_images, same.charged) = (expected.spent_on_images, expected.charged);
        }
        // The price of a request whose answer was lost stays reserved, because the service may have charged it.
        same.reserved = expected.reserved;
        if same == *expected { Ok(()) } else { Err(format!("is {self:#?}\nshould be {expected:#?}")) }
    }
}

fn base_names(keys: &[String]) -> Vec<String> {
    let mut names: Vec<String> = keys.iter().map(|key| key.rsplit('/').next().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn files_below(folder: &std::path::Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(files_below(&path));
        } else {
            names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    names.sort();
    names
}
