//! Keys and names as users and operating systems write them: unusable ones are reported, and nothing is generated in
//! their place.

use aws::queues::Queue;
use balancer_tests::coded::coded_picture;
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::kind::Kind::{BwStylized, ColorStylized, Photorealistic};
use domain::manifest::BALANCING;
use domain::status::Status;
use serde_json::json;

/// The kinds of a full set of six.
const FULL_SET: [Kind; 6] = [Photorealistic, Photorealistic, Photorealistic, Photorealistic, BwStylized, ColorStylized];

async fn put(world: &World, key: &str, bytes: &[u8]) {
    world.bucket.put(key, bytes.to_vec(), "application/octet-stream").await.unwrap();
}

/// Adds this many images of a full set to an actor.
async fn put_images(world: &World, actor: &ActorId, count: usize) {
    for (number, kind) in (1..).zip(FULL_SET).take(count) {
        let key = world.keys.image(actor, &format!("hero_{number}.jpg"));
        put(world, &key, &coded_picture(kind, 9, number)).await;
    }
}

/// The actor's state once all messages have been handled.
async fn evaluated(world: &World, actor: &ActorId) -> (Status, String) {
    world.send(Queue::Evaluation, json!({ "actor_id": actor })).await;
    world.drive().await;
    let record = world.store.actor(actor).await.unwrap().unwrap();
    (record.status, record.reason.unwrap())
}

async fn generated(world: &World, actor: &ActorId) -> usize {
    let is_generated = |origin: Option<&str>| origin == Some(BALANCING);
    world.manifest(actor).await.images.values().filter(|image| is_generated(image.generation_type.as_deref())).count()
}

/// Asserts that the actor needs attention for this reason, and that nothing was generated or deleted.
async fn assert_left_alone(world: &World, actor: &ActorId, words: &[&str]) {
    let before = world.keys_below("training_data/").await;
    let (status, reason) = evaluated(world, actor).await;
    assert_eq!(status, Status::NeedsAttention, "{reason}");
    for word in words {
        assert!(reason.contains(word), "`{word}` is not in {reason}");
    }
    assert_eq!(world.keys_below("training_data/").await, before);
    assert!(world.keys_below("trash/").await.is_empty());
}

#[tokio::test]
async fn images_in_subfolders_stop_the_actor() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    for flat in [0, 2] {
        put_images(&world, &hero, flat).await;
        for number in 1..=3 {
            let deeper = world.keys.image(&hero, &format!("10_hero woman/hero_{number}.jpg"));
            put(&world, &deeper, &coded_picture(Photorealistic, 9, number)).await;
        }
        let folder = "found 3 images in system_actors/training_data/hero/10_hero woman: move them up";
        assert_left_alone(&world, &hero, &[folder, "nothing is deleted and nothing generated"]).await;
    }
}

#[tokio::test]
async fn upload_into_a_subfolder_is_reported() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    put(&world, &world.keys.image(&hero, "10_hero/hero_1.jpg"), &coded_picture(Photorealistic, 9, 1)).await;
    world.drive().await;
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!(record.status, Status::NeedsAttention);
    assert!(record.reason.unwrap().contains("training_data/hero/10_hero"));
}

#[tokio::test]
async fn set_of_unreadable_formats_only_is_unchanged() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    for name in ["IMG_1.HEIC", "IMG_2.heic", "3.avif"] {
        put(&world, &world.keys.image(&hero, name), b"an image").await;
    }
    assert_left_alone(&world, &hero, &["1 AVIF image, 2 HEIC images", "none that can", "JPEG or PNG"]).await;
}

#[tokio::test]
async fn set_of_bad_names_only_is_not_regenerated() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    put(&world, &world.keys.image(&hero, "odd\u{1}_1.jpg"), &coded_picture(Photorealistic, 9, 1)).await;
    assert_left_alone(&world, &hero, &["odd\\u{1}_1.jpg", "rename them"]).await;
}

#[tokio::test]
async fn set_of_undecodable_images_is_not_regenerated() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    for number in 1..=5 {
        put(&world, &world.keys.image(&hero, &format!("hero_{number}.jpg")), b"\0\0\0\x18ftypheic").await;
    }
    let words = ["No image of the set can be read", "hero_1.jpg: ", "and 2 more", "nothing generated"];
    assert_left_alone(&world, &hero, &words).await;
}

#[tokio::test]
async fn unread_formats_are_named_and_clutter_is_not() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    put_images(&world, &hero, 6).await;
    for number in 1..=20 {
        put(&world, &world.keys.image(&hero, &format!("._hero_{number}.jpg")), b"\0\x05\x16\x07").await;
    }
    let clutter =
        ["Thumbs.db", "desktop.ini", ".DS_Store", "hero_1.jpg:Zone.Identifier", "hero_1.txt", "hero_1_sdxl.npz"];
    for name in clutter.into_iter().chain(["1.heic", "2.heic", "3.gif"]) {
        put(&world, &world.keys.image(&hero, name), b"clutter").await;
    }
    let (status, reason) = evaluated(&world, &hero).await;
    assert_eq!(status, Status::Balanced, "{reason}");
    let named =
        "1 GIF image: ignored (convert it to JPEG or PNG). 2 HEIC images: ignored (convert them to JPEG or PNG).";
    assert!(reason.contains(named), "{reason}");
    assert!(!clutter.iter().any(|name| reason.contains(name)) && !reason.contains("._"), "{reason}");
    assert_eq!(world.manifest(&hero).await.images.len(), 6, "files other than images get no record");
}

#[tokio::test]
async fn key_with_control_characters_is_named() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    put_images(&world, &hero, 5).await;
    world.upload_base_image(&hero).await;
    put(&world, &world.keys.image(&hero, "odd\u{1}_99.jpg"), b"an image").await;
    put(&world, &world.keys.image(&hero, "hero 7+ü%.txt"), b"a caption").await;
    let (status, reason) = evaluated(&world, &hero).await;
    assert_eq!(status, Status::Balanced, "{reason}");
    assert!(reason.contains("odd\\u{1}_99.jpg: ignored") && reason.contains("rename it"), "{reason}");
    assert_eq!(generated(&world, &hero).await, 1);
    let names = world.keys_below("training_data/hero/").await;
    assert!(names.contains(&"odd\u{1}_99.jpg".to_owned()) && names.contains(&"hero 7+ü%.txt".to_owned()), "{names:?}");
}

#[tokio::test]
async fn macos_spelling_of_a_folder_is_no_empty_set() {
    let (world, jurgen) = (World::coded(&[]).await, actor("Jürgen"));
    world.upload_base_image(&jurgen).await;
    let key = "system_actors/training_data/Ju\u{308}rgen/a_1.jpg";
    put(&world, key, &coded_picture(Photorealistic, 9, 1)).await;
    world.drive().await;
    assert_left_alone(&world, &jurgen, &["found 1 image below system_actors/training_data/Ju\u{308}rgen/"]).await;
}

#[tokio::test]
async fn macos_spelling_of_a_local_folder_is_found() {
    let (world, jurgen) = (World::coded(&[]).await, actor("Jürgen"));
    world.upload_base_image(&jurgen).await;
    let folder = world.data.path().join("Ju\u{308}rgen/training_data");
    std::fs::create_dir_all(&folder).unwrap();
    let surplus = coded_picture(Photorealistic, 6, 7);
    std::fs::write(folder.join("u\u{308}_7.jpg"), &surplus).unwrap();
    put(&world, &world.keys.image(&jurgen, "ü_7.jpg"), &surplus).await;
    world.send(Queue::Deletion, json!({ "actor_id": "Ju\u{308}rgen", "filenames": ["ü_7.jpg"] })).await;
    world.send(Queue::Generation, json!({ "actor_id": "Ju\u{308}rgen", "generate": { "bw_stylized": 1 } })).await;
    world.drive().await;
    let dirs: Vec<_> = std::fs::read_dir(world.data.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(dirs, ["Ju\u{308}rgen"], "the folder on disk keeps its spelling");
    assert!(!folder.join("u\u{308}_7.jpg").exists(), "the deleted image is in the trash");
    assert!(folder.join("Jürgen_8.jpg").exists(), "the generated image lies beside the others");
}

#[tokio::test]
async fn actor_file_with_bom_or_in_utf16_is_read() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    put_images(&world, &hero, 6).await;
    let text = r#"{"sex":"female"}"#;
    let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [format!("\u{feff}{text}").into_bytes(), utf16] {
        put(&world, &world.keys.image(&hero, "actor.json"), &bytes).await;
        let (status, reason) = evaluated(&world, &hero).await;
        assert_eq!(status, Status::Balanced, "{reason}");
        let record = world.store.actor(&hero).await.unwrap().unwrap();
        assert_eq!(record.profile.descriptor(), "woman");
    }
    put(&world, &world.keys.image(&hero, "actor.json"), b"{\"sex\":\"caf\xe9\"}").await;
    assert!(evaluated(&world, &hero).await.1.contains("save it as UTF-8"));
}
