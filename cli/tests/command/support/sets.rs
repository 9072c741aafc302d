//! Sets in a data folder as a finished run leaves them, for commands that need no stack.

use std::fs;
use std::path::Path;

use image::{Rgb, RgbImage};
use imaging::{decode, encode_jpeg, measure};
use serde_json::{Map, Value, json};

use super::actors::Actor;

/// A picture of this size that differs for each shade.
pub(crate) fn shaded(size: (u32, u32), shade: u8) -> RgbImage {
    RgbImage::from_fn(size.0, size.1, |x, y| Rgb([shade, (x / 8) as u8, (y / 8) as u8]))
}

pub(crate) fn jpeg(size: (u32, u32), shade: u8) -> Vec<u8> {
    encode_jpeg(&shaded(size, shade)).unwrap()
}

/// A balanced actor of three images, one of each kind, with captions and the trigger `ohwx`.
pub(crate) fn balanced(data: &Path, id: &str) -> Actor {
    let actor = Actor::nothing(data, id).with_base();
    fs::write(
        actor.dir.join("actor.json"),
        r#"{ "trigger": "ohwx", "class": "woman", "target_total": 3, "target_shares": "34/33/33" }"#,
    )
    .unwrap();
    for (number, kind) in [(1, "photorealistic"), (2, "bw_stylized"), (3, "color_stylized")] {
        add(&actor, &format!("{id}_{number}.jpg"), &jpeg((1024, 1024), number), kind);
    }
    actor
}

/// Puts an image into the set, and records it with a caption.
pub(crate) fn add(actor: &Actor, name: &str, bytes: &[u8], kind: &str) {
    actor.put(name, bytes);
    let facts = measure(bytes, &decode(bytes).unwrap());
    let record = json!({ "type": kind, "quality": 8, "reason": "Sharp.", "caption": format!("scene of {name}"), "facts": facts });
    change_records(actor, |images| drop(images.insert(name.to_owned(), record)));
}

/// Changes the records of the actor's manifest.
pub(crate) fn change_records(actor: &Actor, change: impl FnOnce(&mut Map<String, Value>)) {
    let path = actor.dir.join("manifest.json");
    let mut manifest: Value = match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).unwrap(),
        Err(_) => json!({ "actor_id": actor.id, "images": {} }),
    };
    change(manifest["images"].as_object_mut().unwrap());
    fs::write(path, manifest.to_string()).unwrap();
}
