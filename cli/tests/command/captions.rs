//! `balancer caption`

use std::fs;

use imaging::{decode, measure};
use serde_json::{Value, json};

use crate::care::{balancer_at, watch};
use crate::support::actors::Actor;
use crate::support::run::{Ran, balancer};
use crate::support::stack::Place;

#[test]
fn caption_is_set_shown_kept_and_removed() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    actor.put("hero_2.txt", "written beside\nsecond line".as_bytes());
    let mut watching = watch(&place, &[]);
    let caption = |arguments: &[&str]| balancer_at(&place, &[&["caption", "hero"], arguments].concat());
    let all: Value = caption(&["--json"]).done().json()["captions"].clone();
    assert_eq!(all.as_array().unwrap().len(), 6);
    assert_eq!(all[0], json!({ "file": "hero_1.jpg" }), "nothing describes an upload that the model can't caption");
    assert_eq!(all[1], json!({ "file": "hero_2.jpg", "text": "written beside", "source": "file" }));

    let set = caption(&["hero_1.jpg", "reads a\n  letter by candlelight", "--json"]).done().json()["captions"].clone();
    assert_eq!(set, json!([{ "file": "hero_1.jpg", "text": "reads a letter by candlelight", "source": "user" }]));
    assert_eq!(actor.manifest()["images"]["hero_1.jpg"]["caption"], "reads a letter by candlelight");

    caption(&["x.jpg", "text"]).failed(1, &["hero has no image x.jpg"]);
    caption(&["hero_1.jpg", " \n "]).failed(2, &["the caption is empty", "--remove"]);
    caption(&["hero_1.jpg", &"long ".repeat(200)]).failed(2, &["900 are the most"]);
    let shown = caption(&["hero_1.jpg"]).done().answer;
    assert!(shown.contains("reads a letter by candlelight") && shown.contains("you"), "{shown}");
    caption(&["hero_1.jpg", "--remove"]).done();
    assert!(actor.manifest()["images"]["hero_1.jpg"].get("caption").is_none());
    watching.wait_for("hero: changed the caption of hero_1.jpg");
    drop(watching);
}

#[test]
fn caption_follows_its_image_to_the_trash_and_back() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let described = |name: String| {
        let file = fs::read(actor.training_data().join(&name)).unwrap();
        let facts = measure(&file, &decode(&file).unwrap());
        let image = json!({ "caption": format!("about {name}"), "facts": facts });
        (name, image)
    };
    let images: serde_json::Map<String, Value> = actor.files().into_iter().map(described).collect();
    fs::write(actor.dir.join("manifest.json"), json!({ "actor_id": "hero", "images": images }).to_string()).unwrap();
    Ran::of(&mut place.local()).done();
    let trashed = actor.trash().into_iter().find(|name| name.ends_with(".jpg")).unwrap();
    assert!(actor.manifest()["images"].get(&trashed).is_none());
    Ran::of(balancer().args(["restore", "hero", "--data"]).arg(place.data()).arg(&trashed)).done();
    assert_eq!(actor.manifest()["images"][&trashed]["caption"], format!("about {trashed}"));
}
