//! How long the server takes for a page. It prints figures and asserts none, because they depend on the machine:
//! `cargo test --release --workspace page_times -- --ignored --nocapture`

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::tests::Browser;

const ACTORS: u32 = 200;
const IMAGES: u32 = 20;
const LARGE_SET: u32 = 500;
const REPETITIONS: u32 = 20;

#[tokio::test]
#[ignore = "a measurement"]
async fn page_times() {
    let browser = Browser::open().await;
    for number in 0..ACTORS {
        write_actor(browser.data(), &format!("actor_{number:03}"), IMAGES);
    }
    write_actor(browser.data(), "large", LARGE_SET);
    for page in ["/", "/?q=actor_1", "/a/large", "/a/large/history", "/a/large/plan", "/activity", "/settings"] {
        let start = Instant::now();
        let bytes = browser.get(page).await.body.len();
        let first = start.elapsed();
        let start = Instant::now();
        for _ in 0..REPETITIONS {
            browser.get(page).await;
        }
        println!("{page}: {bytes} bytes, first {first:.1?}, then {:.1?}", start.elapsed() / REPETITIONS);
    }
}

/// An actor whose image files are empty: no page decodes them.
fn write_actor(data: &Path, actor: &str, images: u32) {
    let dir = data.join(actor);
    fs::create_dir_all(dir.join("training_data")).unwrap();
    let mut records = Map::new();
    for number in 0..images {
        let file = format!("{actor}_{number}.jpg");
        fs::write(dir.join("training_data").join(&file), b"").unwrap();
        records.insert(file, record(number));
    }
    fs::write(dir.join("manifest.json"), json!({ "actor_id": actor, "images": records }).to_string()).unwrap();
}

fn record(number: u32) -> Value {
    let kind = ["photorealistic", "bw_stylized", "color_stylized"][number as usize % 3];
    let hash: String = (0..43).map(|place| char::from(b'A' + ((number * 7 + place * 11) % 26) as u8)).collect();
    let facts = json!({ "sha256": format!("{number:064x}"), "perceptual_hash": hash, "width": 1024, "height": 768 });
    json!({
        "type": kind,
        "quality": number % 10 + 1,
        "flags": ["looking_at_camera", "symmetrical"],
        "reason": "Sharp, and the face is turned to the camera.",
        "caption": "standing in a street at night, with a red umbrella, seen from the side",
        "facts": facts,
    })
}
