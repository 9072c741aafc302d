//! Assertions on every balanced set.

use std::collections::BTreeSet;
use std::fs;

use domain::actor::ActorId;
use domain::kind::KindCounts;
use domain::manifest::{BALANCING, Image, Manifest};
use domain::numbering::number_of;
use domain::plan::PlanState;

use crate::pictures::QUALITY_FLOOR;
use crate::stack::TestStack;

/// Six images by 65/20/15, by largest remainder.
pub const TARGET: KindCounts = KindCounts { photorealistic: 4, bw_stylized: 1, color_stylized: 1 };

/// The usable images of a manifest by kind.
#[must_use]
pub fn counts(manifest: &Manifest) -> KindCounts {
    KindCounts::tally(manifest.images.values().filter_map(|image| image.kind))
}

/// Asserts that manifest and bucket agree, that the set is at its target with every image above the quality floor, and
/// that nothing is left in staging. Returns the manifest.
///
/// # Panics
/// If an assertion fails.
pub async fn assert_balanced(stack: &TestStack, actor: &ActorId) -> Manifest {
    let manifest = stack.manifest(actor).await;
    assert_eq!(counts(&manifest), TARGET, "{manifest:#?}");
    let usable = manifest.images.values().filter(|image| image.unusable.is_none());
    assert!(usable.clone().all(|image| image.quality >= Some(QUALITY_FLOOR)), "{manifest:#?}");
    assert_eq!(manifest.total_images, usable.count() as u64);
    assert_eq!(stack.filenames(actor).await, manifest.images.keys().cloned().collect::<Vec<_>>());
    assert!(stack.keys_below("staging/").await.is_empty());
    assert_eq!(stack.dead_letters().await, 0);
    for (filename, image) in &manifest.images {
        assert_complete(stack, actor, filename, image);
    }
    assert_one_generation_for_each_plan(stack, actor, &manifest).await;
    manifest
}

fn assert_complete(stack: &TestStack, actor: &ActorId, filename: &str, image: &Image) {
    assert_eq!(image.index, number_of(filename), "{filename}");
    assert_eq!(image.s3_url, Some(stack.bucket.url(&stack.keys.image(actor, filename))), "{filename}");
    assert_eq!(image.local_path.as_deref(), stack.local_folder(actor).join(filename).to_str(), "{filename}");
    assert!(image.generated_at.is_some() && image.etag.is_some() && image.generation_id.is_some(), "{filename}");
    if image.generation_type.as_deref() == Some(BALANCING) {
        let (prompt, preview) = (image.prompt.as_deref().unwrap(), image.prompt_preview.as_deref().unwrap());
        assert!(prompt.starts_with(preview.trim_end_matches('…')), "{filename}: {preview}");
        assert!(image.prompt_id.is_some() && image.plan_id.is_some(), "{filename}");
    }
}

/// Asserts that every generating plan has a batch, and that its images name both.
async fn assert_one_generation_for_each_plan(stack: &TestStack, actor: &ActorId, manifest: &Manifest) {
    let plans = stack.plans(actor).await;
    let reviewed = plans.iter().filter(|plan| plan.state == PlanState::Reviewed && !plan.slots.is_empty());
    let of_plans: Vec<_> = reviewed.map(|plan| (plan.generation_id.unwrap(), plan.plan_id.as_str())).collect();
    let generations = manifest.generations.iter().filter(|generation| generation.origin == BALANCING);
    let recorded: Vec<_> = generations
        .map(|generation| (generation.generation_id, generation.metadata["plan_id"].as_str().unwrap()))
        .collect();
    assert_eq!(recorded.iter().collect::<BTreeSet<_>>(), of_plans.iter().collect::<BTreeSet<_>>());
    for image in manifest.images.values().filter(|image| image.generation_type.as_deref() == Some(BALANCING)) {
        assert!(of_plans.contains(&(image.generation_id.unwrap(), image.plan_id.as_deref().unwrap())), "{image:#?}");
    }
}

/// The numbers of all images that were ever generated for the actor, including deleted ones.
pub async fn numbers_made(stack: &TestStack, actor: &ActorId, manifest: &Manifest, first: u64) -> Vec<u64> {
    let trash = stack.keys_below(&format!("trash/{actor}/")).await;
    let mut numbers: Vec<u64> = manifest.images.keys().chain(&trash).map(|name| number_of(name)).collect();
    numbers.retain(|&number| number >= first);
    numbers.sort_unstable();
    numbers
}

/// Asserts that the local copy contains the same files as the bucket.
///
/// # Panics
/// If an assertion fails.
pub async fn assert_local_copy_equals_bucket(stack: &TestStack, actor: &ActorId) {
    let folder = stack.local_folder(actor);
    let mut local: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    local.sort_unstable();
    assert_eq!(local, stack.filenames(actor).await);
    for filename in local {
        let object = stack.object(&stack.keys.image(actor, &filename)).await;
        assert!(fs::read(folder.join(&filename)).unwrap() == object, "{filename} differs");
    }
}
