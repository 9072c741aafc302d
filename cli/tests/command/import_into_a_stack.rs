//! `import` with the name of a stack.

use std::fs;

use serde_json::json;

use crate::support::actors::Actor;
use crate::support::background::wait_until;
use crate::support::deployed::Deployed;

#[test]
fn stack_receives_records_images_and_requests_once() {
    let deployed = Deployed::start();
    let sources = tempfile::tempdir().unwrap();
    let photos = Actor::balanced(sources.path(), "photos").training_data();
    let kohya = sources.path().join("10_ohwx woman");
    fs::rename(photos, &kohya).unwrap();
    fs::write(kohya.join("photos_1.txt"), "ohwx woman").unwrap();
    let image = json!({ "prompt": "a prompt", "s3_url": "s3://other/x/hero_7.jpg" });
    let manifest = json!({ "actor_id": "hero", "images": { "hero_7.jpg": image } });
    let manifest_file = sources.path().join("hero.json");
    fs::write(&manifest_file, manifest.to_string()).unwrap();
    let [kohya, manifest_file] = [&kohya, &manifest_file].map(|path| path.to_str().unwrap());

    let planned = deployed.balancer(&["import", kohya, manifest_file, "--dry-run"]).done();
    assert!(planned.answer.contains("ohwx_woman: 6 images, 1 caption, actor.json"), "{planned:#?}");
    assert!(deployed.runtime.block_on(deployed.stack.store.actors()).unwrap().is_empty());
    let ran = deployed.balancer(&["import", kohya, manifest_file]).done();
    assert!(ran.answer.contains("hero: 1 record; 1 image only in s3://other/x/"), "{ran:#?}");
    let actor = "hero".parse().unwrap();
    let record = deployed.runtime.block_on(deployed.stack.store.actor(&actor)).unwrap().unwrap();
    assert_eq!(record.last_number, 7);
    let again = deployed.balancer(&["import", kohya, manifest_file]).done();
    assert!(again.answer.contains("Nothing has changed"), "{again:#?}");
    assert!(again.remarks.contains("the stack has records of it already"), "{again:#?}");

    // The uploads have triggered an evaluation.
    let status = || deployed.balancer(&["status", "ohwx_woman", "--json"]).answer;
    wait_until(|| status().contains("\"status\""), status);
    let known = deployed.balancer(&["import", "--bucket", "--json"]).done().json();
    assert_eq!(known["actors"][0]["taken"]["evaluation"], false, "{known}");
}

#[test]
fn unrecorded_images_in_the_bucket_are_evaluated() {
    let deployed = Deployed::without_triggers();
    let images = tempfile::tempdir().unwrap();
    let actor = Actor::balanced(images.path(), "hero");
    let put = |key: &str, bytes: Vec<u8>| {
        deployed.runtime.block_on(deployed.stack.bucket.put(key, bytes, "image/jpeg")).unwrap();
    };
    let keys = &deployed.stack.keys;
    for file in actor.files() {
        put(&keys.image(&"hero".parse().unwrap(), &file), fs::read(actor.training_data().join(&file)).unwrap());
    }
    put(&keys.image(&"hero".parse().unwrap(), "notes.md"), b"no image".to_vec());
    put(&format!("{}a:b/x_1.jpg", keys.training_data(&"x".parse().unwrap()).trim_end_matches("x/")), Vec::new());

    let planned = deployed.balancer(&["import", "--bucket", "--dry-run"]).failed(1, &["a:b", "can't be an actor's id"]);
    assert!(planned.answer.contains("hero: to be evaluated"), "{planned:#?}");
    assert!(
        planned.answer.contains("Would import 1 actor") && planned.remarks.contains("found 6 images"),
        "{planned:#?}"
    );
    assert!(deployed.runtime.block_on(deployed.stack.store.actors()).unwrap().is_empty());
    deployed.balancer(&["import", "--bucket"]).failed(1, &["a:b"]);
    let status = || deployed.balancer(&["status", "hero", "--json"]).answer;
    wait_until(|| status().contains("\"balanced\""), status);
    let again = deployed.balancer(&["import", "--bucket"]).failed(1, &["a:b"]);
    assert!(again.answer.contains("hero: nothing new; 6 already there"), "{again:#?}");
}
