//! New images show the framings and angles that the set lacks.

use aws::queues::Queue;
use balancer_tests::coded::coded_picture;
use balancer_tests::openai::{Answer, VisionRequest, VisionService, true_entry};
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::content::{Angle, Framing};
use domain::kind::Kind;
use domain::plan::{Plan, PlanState};
use domain::prompts::Library;
use serde_json::json;

/// A set of four photographs, of which half are wanted as close-ups from the front and half as wide ones from the back.
const SHARES: [(&str, &str); 4] = [
    ("TARGET_TOTAL", "4"),
    ("TARGET_SHARES", "100/0/0"),
    ("FRAMING_SHARES", "50/0/0/50"),
    ("ANGLE_SHARES", "50/0/0/50"),
];

/// A vision service that sees only close-ups from the front.
fn close_ups(request: &VisionRequest) -> Answer {
    let entry = |image| {
        let mut entry = true_entry(image);
        (entry["framing"], entry["angle"]) = (json!(Framing::CloseUp), json!(Angle::Front));
        entry
    };
    Answer::Entries(request.images.iter().map(entry).collect())
}

#[tokio::test]
async fn new_images_show_what_the_set_lacks() {
    let (mut world, hero) = (World::coded(&SHARES).await, actor("hero"));
    let service = VisionService::start(close_ups).await;
    world.set("OPENAI_BASE_URL", &format!("{}/v1", service.address()));
    for number in 0..2 {
        world.upload(&hero, &format!("hero_{number}.jpg"), &coded_picture(Kind::Photorealistic, 8, number)).await;
    }
    world.wait_for_messages(2).await;
    world.drive().await;
    world.upload_base_image(&hero).await;
    world.send(Queue::Evaluation, json!({ "actor_id": "hero", "mode": "dry_run" })).await;
    world.drive().await;

    let is_dry_run = |plan: &Plan| plan.state == PlanState::DryRun;
    let plan = world.store.plans(&hero).await.unwrap().into_iter().find(is_dry_run).unwrap();
    let first = Library::built_in().by_id(&plan.slots[0].prompt_id).unwrap();
    assert_eq!((first.framing, first.angle), (Framing::Wide, Angle::Back), "{plan:#?}");
    let coverage = plan.coverage.unwrap();
    assert_eq!((coverage.wanted.framing, coverage.before.framing), ([2, 0, 0, 2], [2, 0, 0, 0]));
    assert_eq!((coverage.after.framing.iter().sum::<u32>(), coverage.after.angle.iter().sum::<u32>()), (4, 4));
    assert!(coverage.after.framing[3] >= 1 && coverage.after.angle[3] >= 1, "{coverage}");
}
