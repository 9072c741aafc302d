//! A data folder for tests, with texts that a page must not interpret.

use std::fs;
use std::path::{Path, PathBuf};

use domain::actor::ActorId;
use image::{Rgb, RgbImage};
use imaging::encode_jpeg;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::sets::{InFolder, Sets};

pub const BREAKS_OUT: &str = r#""><img src=x onerror=alert(1)>.jpg"#;
pub const QUOTED: &str = "'+alert(1)+'.jpg";
pub const REVERSED: &str = "a\u{202e}gpj.b.jpg";
pub const CLOSES_SCRIPT: &str = "</script><script>alert(1)</script>";

/// The name of an image that may not exist in a folder.
pub fn long() -> String {
    format!("{}.jpg", "x".repeat(196))
}

pub struct Sample {
    dir: TempDir,
    pub hero: ActorId,
}

impl Sample {
    /// One actor, `hero`, with a base image, six images and one in the trash.
    pub fn new() -> Self {
        let sample = Self { dir: tempfile::tempdir().unwrap(), hero: "hero".parse().unwrap() };
        let names = [BREAKS_OUT, QUOTED, REVERSED, &long(), "hero_1.jpg"];
        for (shade, name) in (1..).zip(names) {
            sample.put(&format!("training_data/{name}"), &picture(shade));
        }
        sample.put("training_data/broken.jpg", b"no image");
        sample.put("base_image/hero_base.jpg", &picture(99));
        sample.put("trash/plan-1/old.jpg", &picture(98));
        sample.put("manifest.json", serde_json::to_string(&manifest()).unwrap().as_bytes());
        sample
    }

    pub fn data(&self) -> &Path {
        self.dir.path()
    }

    pub fn actor_dir(&self) -> PathBuf {
        self.data().join("hero")
    }

    pub fn sets(&self) -> Sets {
        Sets::InFolder(InFolder::open(self.data()).unwrap())
    }

    /// Writes a file of the actor.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.actor_dir().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

pub fn picture(shade: u8) -> Vec<u8> {
    let pixel = |x: u32, y: u32| Rgb([(x * 3) as u8, (y * 3) as u8, shade]);
    encode_jpeg(&RgbImage::from_fn(80, 64, pixel)).unwrap()
}

fn manifest() -> Value {
    let image = |quality: u8, reason: &str| record(quality, reason, (1024, 768));
    let mut generated = image(7, "Sharp.");
    generated["generation_type"] = json!("balancing");
    generated["plan_id"] = json!("plan-1");
    generated["prompt"] = json!(CLOSES_SCRIPT);
    generated["caption"] = json!(CLOSES_SCRIPT);
    let trashed = json!({
        "plan_id": "plan-1",
        "deleted_at": "2026-01-02T03:04:05Z",
        "reason": CLOSES_SCRIPT,
        "image": image(2, "Blurry."),
    });
    json!({
        "actor_id": "hero",
        "images": {
            BREAKS_OUT: image(9, CLOSES_SCRIPT),
            QUOTED: image(8, "Sharp."),
            REVERSED: record(3, "Blurry.", (80, 64)),
            long(): image(6, "Sharp."),
            "hero_1.jpg": generated,
            "broken.jpg": { "unusable": CLOSES_SCRIPT },
        },
        "trash": { "old.jpg": [trashed] },
        "metadata": { "trigger": CLOSES_SCRIPT },
    })
}

/// A record whose hashes are unique if the quality is.
fn record(quality: u8, reason: &str, (width, height): (u32, u32)) -> Value {
    let facts = json!({ "sha256": format!("{quality:064}"), "perceptual_hash": "", "width": width, "height": height });
    json!({ "type": "photorealistic", "quality": quality, "reason": reason, "facts": facts })
}
