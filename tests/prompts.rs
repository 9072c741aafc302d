//! Prompts of the user's own: where they come from, what they reach, and what becomes of an unusable file.

use aws::queues::Queue;
use balancer_tests::coded::{VARIANTS, coded_picture};
use balancer_tests::replicate::Outcome;
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::manifest::Image;
use domain::plan::{Plan, PlanState};
use domain::prompts::{Library, PROMPTS_FILE};
use domain::status::Status;
use serde_json::json;

/// A file with one photographic prompt, and further lines at its beginning.
fn file(head: &str, id: &str, scene: &str) -> String {
    format!(
        "{head}\n[[prompt]]\nid = \"{id}\"\nkind = \"photorealistic\"\nframing = \"wide\"\nangle = \"back\"\ntext = \"Film still of the {{character}} {scene}. Wide shot from behind.\"\n"
    )
}

const REPLACE: &str = "mode = \"replace\"";

/// An actor with a base image and a set that lacks one of four photographs.
async fn lacking_a_photograph(world: &World) -> ActorId {
    let hero = actor("hero");
    world.upload_base_image(&hero).await;
    let set = [Kind::Photorealistic, Kind::Photorealistic, Kind::Photorealistic, Kind::BwStylized, Kind::ColorStylized];
    for (number, kind) in (1..).zip(set) {
        world.upload(&hero, &format!("hero_{number}.jpg"), &coded_picture(kind, 9, number)).await;
    }
    world.wait_for_messages(1).await;
    hero
}

async fn put_stacks_prompts(world: &World, file: &str) {
    world.bucket.put(&world.keys.prompts(), file.as_bytes().to_vec(), "application/toml").await.unwrap();
}

async fn generated(world: &World, hero: &ActorId) -> Vec<Image> {
    let images = world.store.images(hero).await.unwrap();
    images.into_values().filter(|image| image.plan_id.is_some()).collect()
}

async fn status(world: &World, hero: &ActorId) -> (Status, String) {
    let record = world.store.actor(hero).await.unwrap().unwrap();
    (record.status, record.reason.unwrap_or_default())
}

async fn plans(world: &World, hero: &ActorId) -> Vec<Plan> {
    world.store.plans(hero).await.unwrap()
}

/// A target of photographs, for which a file with one prompt suffices.
const PHOTOGRAPHS: [(&str, &str); 2] = [("TARGET_TOTAL", "6"), ("TARGET_SHARES", "100/0/0")];

/// A photograph of the target is missing, so that an actor without images gets all six.
async fn without_images(world: &World) -> ActorId {
    let hero = actor("hero");
    world.upload_base_image(&hero).await;
    hero
}

#[tokio::test]
async fn stacks_prompts_reach_generator_and_records() {
    let world = World::coded(&PHOTOGRAPHS).await;
    let own = file(REPLACE, "lighthouse", "at a lighthouse");
    put_stacks_prompts(&world, &own).await;
    let hero = without_images(&world).await;
    world.send(Queue::Evaluation, json!({ "actor_id": hero })).await;
    world.drive().await;

    let revision = Library::read(own.as_bytes()).unwrap().revision().map(str::to_owned);
    let text = "Film still of the person at a lighthouse. Wide shot from behind.";
    let predictions = world.replicate.predictions();
    assert_eq!(predictions.len(), 6);
    assert!(predictions.iter().all(|prediction| prediction.prompt == text), "{predictions:#?}");
    let plan = plans(&world, &hero).await.remove(0);
    assert_eq!((&plan.prompts_revision, plan.own_prompts.len()), (&revision, 1), "{plan:#?}");
    let remark = plan.notes.iter().find(|note| note.filename == world.keys.prompts()).unwrap();
    assert!(remark.remark.contains("1 of the kind photorealistic for a target of 6"), "{remark:?}");
    for image in world.manifest(&hero).await.images.values() {
        assert_eq!((image.prompt.as_deref(), &image.prompts_revision), (Some(text), &revision));
        assert_eq!(image.prompt_id.as_deref(), Some("lighthouse"));
        assert_eq!(image.prompt_scene.as_deref(), Some("at a lighthouse"));
    }
}

#[tokio::test]
async fn built_in_prompts_leave_no_trace_in_records() {
    let world = World::coded(&[]).await;
    let hero = lacking_a_photograph(&world).await;
    world.drive().await;
    let plan = plans(&world, &hero).await.remove(0);
    let written = serde_json::to_value(&plan).unwrap();
    for field in ["prompts_revision", "own_prompts", "outfits"] {
        assert!(written.get(field).is_none(), "{field}");
    }
    let image = generated(&world, &hero).await.remove(0);
    assert!(image.prompt.is_some() && image.prompts_revision.is_none() && image.prompt_scene.is_none());
}

#[tokio::test]
async fn actors_prompts_come_before_the_stacks() {
    let world = World::coded(&PHOTOGRAPHS).await;
    put_stacks_prompts(&world, &file(REPLACE, "lighthouse", "at a lighthouse")).await;
    let hero = without_images(&world).await;
    world.upload(&hero, PROMPTS_FILE, file(REPLACE, "harbor", "in a harbor").as_bytes()).await;
    world.send(Queue::Evaluation, json!({ "actor_id": hero })).await;
    world.drive().await;
    let images = generated(&world, &hero).await;
    assert_eq!(images.len(), 6);
    assert!(images.iter().all(|image| image.prompt_id.as_deref() == Some("harbor")), "{images:#?}");
}

#[tokio::test]
async fn unusable_prompts_stop_the_actor_until_corrected() {
    let world = World::coded(&[]).await;
    let hero = lacking_a_photograph(&world).await;
    world.upload(&hero, "hero_6.jpg", &coded_picture(Kind::BwStylized, 2, 6)).await;
    world.upload(&hero, PROMPTS_FILE, file("", "harbor", "in a {harbour}").as_bytes()).await;
    world.drive().await;
    let (attention, reason) = status(&world, &hero).await;
    assert_eq!(attention, Status::NeedsAttention);
    let key = world.keys.image(&hero, PROMPTS_FILE);
    assert!(reason.contains(&format!("The prompts in {key} can't be used: line 7: the only placeholders")), "{reason}");
    assert!(reason.contains("`balancer prompts check FILE`") && reason.contains("nothing is deleted"), "{reason}");
    assert!(plans(&world, &hero).await.is_empty() && world.keys_below("trash/").await.is_empty());

    world.send(Queue::Evaluation, json!({ "actor_id": hero, "mode": "dry_run" })).await;
    world.drive().await;
    let dry_run = plans(&world, &hero).await.remove(0);
    assert!(dry_run.obstacle.is_some_and(|obstacle| obstacle.contains("line 7")) && dry_run.delete.len() == 1);

    world.upload(&hero, PROMPTS_FILE, file("", "harbor", "in a harbor").as_bytes()).await;
    world.wait_for_messages(1).await;
    world.drive().await;
    assert_eq!(status(&world, &hero).await.0, Status::Balanced);
    assert_eq!(world.replicate.predictions().len(), 1);
}

#[tokio::test]
async fn kind_without_prompts_is_named() {
    let world = World::coded(&[]).await;
    put_stacks_prompts(&world, &file(REPLACE, "lighthouse", "at a lighthouse")).await;
    let hero = lacking_a_photograph(&world).await;
    world.drive().await;
    let (attention, reason) = status(&world, &hero).await;
    assert_eq!(attention, Status::NeedsAttention);
    assert!(reason.contains("it has no prompt of the kind bw_stylized, and the target has 1"), "{reason}");
    world.send(Queue::Generation, json!({ "actor_id": hero, "generate": { "color_stylized": 1 } })).await;
    world.drive().await;
    let rejected = world.store.rejections().await.unwrap();
    assert!(rejected.iter().any(|it| it.reason.contains("no prompt of the kind color_stylized")), "{rejected:#?}");
    assert!(world.replicate.predictions().is_empty());
}

#[tokio::test]
async fn edited_file_does_not_change_images_under_way() {
    let world = World::coded(&PHOTOGRAPHS).await;
    put_stacks_prompts(&world, &file(REPLACE, "lighthouse", "at a lighthouse")).await;
    let hero = without_images(&world).await;
    world.send(Queue::Generation, json!({ "actor_id": hero, "generate": { "photorealistic": 2 } })).await;
    world.generate_one().await;
    let is_manual = |plan: &Plan| plan.state != PlanState::DryRun && plan.own_prompts.len() == 1;
    let plan = plans(&world, &hero).await.remove(0);
    assert!(is_manual(&plan), "{plan:#?}");
    put_stacks_prompts(&world, &file(REPLACE, "lighthouse", "at another lighthouse")).await;
    while world.generate_one().await {}
    let images = generated(&world, &hero).await;
    assert_eq!(images.len(), 2);
    for image in images {
        assert_eq!(image.prompt_scene.as_deref(), Some("at a lighthouse"));
        assert_eq!(image.prompts_revision, plan.prompts_revision);
    }
}

#[tokio::test]
async fn rejected_prompt_is_replaced_from_the_same_file() {
    let second = file("", "harbor", "in a harbor");
    let own = file(REPLACE, "lighthouse", "at a lighthouse") + &second;
    let paint = |kind, index| coded_picture(kind, 8, VARIANTS / 2 + index as u32);
    let script = |creation, _: &str| if creation == 0 { Outcome::ContentRejected } else { Outcome::Succeeds };
    let world = World::with(&PHOTOGRAPHS, script, paint).await;
    put_stacks_prompts(&world, &own).await;
    let hero = without_images(&world).await;
    world.send(Queue::Generation, json!({ "actor_id": hero, "generate": { "photorealistic": 1 } })).await;
    while world.generate_one().await {}
    let prompts: Vec<String> = world.replicate.predictions().into_iter().map(|created| created.prompt).collect();
    assert!(prompts.len() == 2 && prompts[0] != prompts[1], "{prompts:#?}");
    let image = generated(&world, &hero).await.remove(0);
    assert_eq!(image.prompt.as_ref(), Some(&prompts[1]));
    assert_eq!(image.prompts_revision.as_deref(), Library::read(own.as_bytes()).unwrap().revision());
}

#[tokio::test]
async fn outfits_of_the_file_vary() {
    let world = World::coded(&[("TARGET_TOTAL", "12")]).await;
    put_stacks_prompts(&world, "outfit = \"vary\"\noutfits = [\"a red coat\", \"a gray suit\"]\n").await;
    let hero = without_images(&world).await;
    world.send(Queue::Evaluation, json!({ "actor_id": hero })).await;
    world.drive().await;
    let images = generated(&world, &hero).await;
    assert_eq!(images.len(), 12);
    let mut worn = [0, 0];
    for image in images {
        let (prompt, scene) = (image.prompt.unwrap(), image.prompt_scene.unwrap());
        let outfit = ["a red coat", "a gray suit"].iter().position(|outfit| prompt.contains(outfit)).unwrap();
        assert!(prompt.contains("but not its clothing") && scene.starts_with("wearing a "), "{prompt}\n{scene}");
        assert!(outfit == 1 || image.requested_type != Some(Kind::BwStylized), "{prompt}");
        worn[outfit] += 1;
    }
    // Eight photographs and two colour images wear both in turn, two drawings only the one without a colour.
    assert_eq!(worn, [5, 7]);
}

#[tokio::test]
async fn suspended_set_is_retried_with_other_prompts() {
    let world = World::coded(&[("QUALITY_FLOOR", "10")]).await;
    let hero = lacking_a_photograph(&world).await;
    world.drive().await;
    let attempts = plans(&world, &hero).await.len();
    let again = async || {
        world.upload(&hero, "hero_7.txt.heic", b"any file that evaluations report").await;
        world.wait_for_messages(1).await;
        world.drive().await;
        plans(&world, &hero).await.len()
    };
    assert!(world.store.actor(&hero).await.unwrap().unwrap().suspension.is_some());
    assert_eq!(again().await, attempts);
    put_stacks_prompts(&world, &file("", "lighthouse", "at a lighthouse")).await;
    let retried = again().await;
    assert!(retried > attempts, "the stack's prompts have changed");
    world.upload(&hero, PROMPTS_FILE, file("", "harbor", "in a harbor").as_bytes()).await;
    world.wait_for_messages(1).await;
    world.drive().await;
    assert!(plans(&world, &hero).await.len() > retried, "the actor's prompts have changed");
}
