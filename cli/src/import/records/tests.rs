use proptest::prelude::*;
use serde_json::json;

use super::*;

fn manifest(fields: Value) -> Manifest {
    let mut all = json!({ "actor_id": "hero" });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    read(all.to_string().as_bytes()).unwrap().1
}

fn images() -> Manifest {
    manifest(json!({
        "created_at": "2025-10-17T14:30:14.004172",
        "generations": [{ "generation_id": 1, "type": "existing", "generated_at": "2025-10-17T14:30:14" }],
        "images": {
            "hero_3.jpg": { "prompt": "one", "index": 0, "generation_id": 1, "s3_url": "s3://b/hero_3.jpg" },
            "hero_17.jpg": { "prompt": "two", "index": 17, "generation_id": 1 },
        },
    }))
}

fn record() -> Manifest {
    manifest(json!({
        "metadata": { "sex": "male", "age": "16" },
        "base_images": [{ "filename": "hero_base.jpg", "s3_url": "s3://b/hero_base.jpg" }],
        "status": "success",
    }))
}

fn empty() -> Manifest {
    Manifest::empty(&"hero".parse().unwrap())
}

fn merged(sources: &[&Manifest]) -> Manifest {
    let mut into = empty();
    sources.iter().for_each(|source| drop(merge(&mut into, source)));
    into
}

#[test]
fn both_kinds_of_manifest_combine_in_either_order() {
    let (images, record) = (images(), record());
    let both = merged(&[&images, &record]);
    assert_eq!(both, merged(&[&record, &images]));
    assert_eq!((both.images.len(), both.total_images, both.last_number), (2, 2, 17));
    assert_eq!((both.metadata["sex"].as_str(), both.base_images.len()), (Some("male"), 1));
    assert_eq!((both.images["hero_3.jpg"].index, both.other["status"].as_str()), (0, Some("success")));
}

#[test]
fn second_merge_changes_nothing() {
    let mut into = merged(&[&images(), &record()]);
    let before = into.clone();
    for source in [images(), record()] {
        let again = merge(&mut into, &source);
        assert_eq!(again, Merged { present: source.images.len(), ..Merged::default() });
    }
    assert_eq!(into, before);
}

#[test]
fn known_values_stay_and_differences_are_named() {
    let mut into = merged(&[&record()]);
    let merged = merge(&mut into, &manifest(json!({ "metadata": { "sex": "female", "ethnicity": "indian" } })));
    assert_eq!((into.metadata["sex"].as_str(), merged.metadata), (Some("male"), vec!["ethnicity".to_owned()]));
    assert_eq!(merged.differences, ["its `sex` is \"male\", and \"female\" in the source"]);
}

#[test]
fn image_found_before_the_import_gets_its_prompt() {
    let own = json!({ "images": { "hero_3.jpg": { "quality": 8, "etag": "1", "generation_id": 1 } } });
    let mut into = manifest(own);
    let merged = merge(&mut into, &images());
    assert_eq!((merged.records, merged.prompts), (vec!["hero_17.jpg".to_owned()], vec!["hero_3.jpg".to_owned()]));
    let image = &into.images["hero_3.jpg"];
    assert_eq!((image.prompt.as_deref(), image.quality, image.etag.as_deref()), (Some("one"), Some(8), Some("1")));
}

#[test]
fn batches_of_the_same_number_are_told_apart() {
    let mut into = manifest(json!({
        "generations": [{ "generation_id": 1, "type": "balancing", "generated_at": "2026-01-01T00:00:00Z" }],
        "images": { "hero_20.jpg": { "generation_id": 1 } },
    }));
    merge(&mut into, &images());
    let numbers: Vec<_> = into.generations.iter().map(|batch| (batch.generation_id, batch.origin.as_str())).collect();
    assert_eq!(numbers, [(1, "balancing"), (2, "existing")]);
    assert_eq!(into.images["hero_3.jpg"].generation_id, Some(2));
    assert_eq!(into.images["hero_20.jpg"].generation_id, Some(1));
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    let mut into = empty();
    let names = ["../hero_1.jpg", "a/b.jpg", "notes.txt", "a\u{1}.jpg", "actor.json", ".hidden.jpg", "a.heic"];
    let hostile: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
    let merged = merge(&mut into, &manifest(json!({ "images": hostile })));
    assert_eq!((merged.refused.len(), into.images.len()), (names.len(), 0), "{merged:?}");
    let harmless = json!({ "images": { "a \"quoted\" <script>.jpg": {}, "J\u{202e}gpj.jpg": {} } });
    assert_eq!(merge(&mut into, &manifest(harmless)).records.len(), 2);
}

#[test]
fn other_documents_are_no_manifests() {
    for (text, words) in [
        ("{\"actor_id\": \"hero\", ", "no JSON"),
        ("[]", "other JSON"),
        ("{\"total_images\": 3}", "neither `actor_id` nor `character_name`"),
        ("{\"actor_id\": \"hero\"}", "none of `images`"),
        ("{\"actor_id\": \"hero\", \"images\": []}", "another form"),
        ("{\"actor_id\": \"hero\", \"images\": {\"a.jpg\": {\"index\": -1}}}", "another form"),
        ("{\"actor_id\": \"hero\", \"images\": {}, \"schema\": 2}", "`schema` is 2"),
        ("{\"actor_id\": \"hero\", \"images\": {}, \"version\": \"3.1\"}", "install a newer one"),
        ("{\"actor_id\": \"../hero\", \"images\": {}}", "can't be an actor's id"),
    ] {
        let problem = read(text.as_bytes()).unwrap_err();
        assert!(problem.contains(words), "{text}: {problem}");
    }
    assert!(read(b"{\"actor_id\": \"hero\", \"images\": {}, \"schema\": 1, \"version\": \"1.4\"}").is_ok());
}

fn any_images() -> impl Strategy<Value = Manifest> {
    proptest::collection::btree_map(1_u64..40, "[a-c]{0,2}", 0..6).prop_map(|images| {
        let images: Map<String, Value> = images
            .into_iter()
            .map(|(number, prompt)| (format!("hero_{number}.jpg"), json!({ "prompt": prompt })))
            .collect();
        manifest(json!({ "images": images }))
    })
}

proptest! {
    #[test]
    fn merge_only_adds_and_can_be_repeated(one in any_images(), other in any_images()) {
        let mut into = merged(&[&one]);
        let before = into.clone();
        merge(&mut into, &other);
        for (name, image) in &before.images {
            prop_assert_eq!(&into.images[name], image);
        }
        let highest = highest(one.images.keys().chain(other.images.keys()).map(String::as_str));
        prop_assert_eq!(into.last_number, highest);
        let once = into.clone();
        merge(&mut into, &other);
        prop_assert_eq!(into, once);
    }
}
