//! Evaluations measure and compare the images of a set once.

use std::collections::BTreeMap;

use aws::queues::Queue;
use balancer_tests::pictures::{base_image, full_set};
use balancer_tests::stack::{TestStack, actor};
use balancer_tests::world::{Fault, World};
use domain::actor::ActorId;
use domain::facts::Facts;
use domain::kind::Kind;
use domain::manifest::Image;
use domain::prompts::Library;
use domain::resemblance::Resemblance;
use embedded::generator::draw;
use image::imageops::crop_imm;
use imaging::{Comparable, encode_jpeg};
use serde_json::json;

async fn dry_run(stack: &TestStack, actor: &ActorId) {
    stack.send(Queue::Evaluation, json!({ "actor_id": actor.as_str(), "mode": "dry_run" })).await;
    stack.idle().await;
}

#[tokio::test]
async fn trimmed_copy_is_compared_in_one_evaluation() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let set = full_set();
    stack.upload_all(&actor, 1, &set).await;
    dry_run(&stack, &actor).await;
    let (width, height) = set[0].image.dimensions();
    let trimmed = crop_imm(&set[0].image, width / 40, 0, width - width / 40, height).to_image();
    // Its original is in the bucket only.
    stack.upload(&actor, "hero_50.jpg", &encode_jpeg(&trimmed).unwrap()).await;
    dry_run(&stack, &actor).await;

    let images = stack.manifest(&actor).await.images;
    let found: Vec<Resemblance> = images.values().flat_map(|image| image.compared.values().copied()).collect();
    let same = found.iter().filter(|&&resemblance| resemblance == Resemblance::SamePicture).count();
    assert_eq!(same, 1, "{found:?}");

    dry_run(&stack, &actor).await;
    assert_eq!(stack.manifest(&actor).await.images, images);
}

#[tokio::test]
async fn older_record_is_measured_and_not_assessed_again() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let names = stack.upload_all(&actor, 1, &full_set()).await;
    dry_run(&stack, &actor).await;
    let images = stack.manifest(&actor).await.images;
    let (name, current) = (&names[0], &images[&names[0]]);
    let facts = current.facts.clone().map(|facts| Facts { details: None, ..facts });
    let older = Image { facts, reason: Some("Seen before.".to_owned()), ..current.clone() };
    stack.store.import_image(&actor, name, &older).await.unwrap();

    dry_run(&stack, &actor).await;

    let measured = stack.manifest(&actor).await.images.remove(name).unwrap();
    assert_eq!(measured.facts, current.facts);
    assert_eq!(measured.reason.as_deref(), Some("Seen before."));
}

#[tokio::test]
async fn interrupted_evaluation_keeps_its_comparisons() {
    let (world, actor) = (World::coded(&[("VISION_PROVIDER", "embedded")]).await, actor("hero"));
    let original = &full_set()[0].image;
    let (width, height) = original.dimensions();
    for number in 1..=4 {
        let trimmed = crop_imm(original, number, 0, width - number, height).to_image();
        world.upload(&actor, &format!("hero_{number}.jpg"), &encode_jpeg(&trimmed).unwrap()).await;
    }
    world.wait_for_messages(4).await;
    while world.queues.total_depth().await.unwrap() > 0 {
        world.lose_messages(Queue::Evaluation).await;
    }
    let request = async || world.send(Queue::Evaluation, json!({ "actor_id": "hero", "mode": "dry_run" })).await;
    let compared = async || {
        let images = world.store.images(&actor).await.unwrap();
        images.values().map(|image| image.compared.len()).sum::<usize>()
    };
    let forget = async || {
        for (name, image) in world.store.images(&actor).await.unwrap() {
            world.store.import_image(&actor, &name, &Image { compared: BTreeMap::new(), ..image }).await.unwrap();
        }
    };
    request().await;
    world.drive().await;
    assert_eq!(compared().await, 6);

    forget().await;
    let made = world.network.calls().len();
    request().await;
    world.drive().await;
    let calls = world.network.calls().split_off(made);
    let last_read = calls.iter().rposition(|call| call.starts_with("GET ") && call.contains("/training_data/hero/"));

    forget().await;
    // The results of the first image were stored, those of the second one not.
    world.network.fail_after(last_read.unwrap() + 2, Fault::CrashBefore);
    request().await;
    world.deliver_batch(Queue::Evaluation).await;
    assert_eq!(compared().await, 3, "{calls:#?}");
    world.drive().await;
    assert_eq!(compared().await, 6);
}

#[test]
fn generated_drawings_are_different_pictures() {
    let drawn: Vec<Comparable> = Library::built_in()
        .of_kind(Kind::BwStylized)
        .take(12)
        .map(|prompt| Comparable::of(&draw(&base_image(), prompt.kind, &prompt.render("person"), 1)))
        .collect();
    for (index, one) in drawn.iter().enumerate() {
        for other in &drawn[..index] {
            assert_eq!(one.compare(other), Resemblance::Different, "drawing {index}");
        }
    }
}
