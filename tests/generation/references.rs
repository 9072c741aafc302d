//! Several images of a character, for models that take them.

use balancer_tests::pictures;
use balancer_tests::replicate::Outcome;
use serde_json::json;

use crate::generation::support::{Scenario, always};

/// A scenario whose actor has further base images: four usable ones, the same one again, an unusable one, and one of an
/// actor with a longer name.
async fn with_further() -> Scenario {
    let scenario = Scenario::nothing(always(Outcome::Succeeds)).await;
    let world = &scenario.world;
    let picture = |index| balancer_tests::world::any_picture(domain::kind::Kind::Photorealistic, index);
    for (name, content) in [
        ("2.png", picture(2)),
        ("3.jpg", picture(3)),
        ("4.jpg", b"no image".to_vec()),
        ("5.jpg", picture(2)),
        ("6.jpg", picture(6)),
        ("7.jpg", picture(7)),
        ("notes.txt", b"words".to_vec()),
        ("x_base.jpg", picture(9)),
    ] {
        let key = format!("{}{name}", world.keys.further_base_images(&scenario.actor));
        world.bucket.put(&key, content, "image/jpeg").await.unwrap();
    }
    scenario
}

#[tokio::test]
async fn model_gets_as_many_references_as_it_takes() {
    for (model, field, images) in [
        ("black-forest-labs/flux-kontext-pro", "input_image", json!("data:…")),
        ("google/nano-banana", "image_input", json!(["data:…", "data:…", "data:…", "data:…"])),
        ("qwen/qwen-image-edit-plus", "image", json!(["data:…", "data:…", "data:…"])),
    ] {
        let mut scenario = with_further().await;
        scenario.world.set("REPLICATE_MODEL", model);
        scenario.request(1).await;
        scenario.run().await;
        scenario.assert_all_generated().await;
        assert_eq!(scenario.world.replicate.predictions()[0].input[field], images, "{model}");
    }
}

#[tokio::test]
async fn main_reference_comes_first() {
    let mut scenario = with_further().await;
    scenario.world.set("GENERATOR", "openai");
    scenario.request(1).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
    let edit = scenario.world.image_edits.edits().remove(0);
    let main = imaging::decode(&pictures::base_jpeg()).unwrap().dimensions();
    assert_eq!(edit.images, [main, (128, 72), (128, 72), (128, 72)]);
    assert!(edit.image_fields.iter().all(|name| name == "image[]"), "{edit:?}");
}

#[tokio::test]
async fn files_of_the_local_folder_are_references() {
    let mut scenario = Scenario::nothing(always(Outcome::Succeeds)).await;
    let folder = scenario.world.data.path().join(scenario.actor.as_str()).join("base_image");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("hero.jpg"), pictures::base_jpeg()).unwrap();
    for index in 1..3 {
        let picture = balancer_tests::world::any_picture(domain::kind::Kind::Photorealistic, index);
        std::fs::write(folder.join(format!("side_{index}.jpg")), picture).unwrap();
    }
    scenario.world.set("REPLICATE_MODEL", "google/nano-banana");
    scenario.request(1).await;
    scenario.run().await;
    assert_eq!(scenario.world.replicate.predictions()[0].input["image_input"].as_array().unwrap().len(), 3);
}
