//! Real manifests are imported and exported without loss.

use std::fs;

use aws::exchange;
use balancer_tests::stack::TestStack;
use domain::actor::ActorId;
use domain::manifest::Manifest;
use domain::numbering::{filename, highest, number_of};
use serde_json::Value;

/// The real manifests; none without the data.
fn recorded() -> Vec<Value> {
    let read = |path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    real_data::manifests().into_iter().map(read).collect()
}

fn filenames(manifest: &Value) -> Vec<&str> {
    manifest["images"].as_object().unwrap().keys().map(String::as_str).collect()
}

/// The values in `recorded` that `exported` lacks or contains differently.
fn losses(path: &str, recorded: &Value, exported: &Value) -> Vec<String> {
    match (recorded, exported) {
        (Value::Object(fields), Value::Object(kept)) => fields
            .iter()
            .flat_map(|(name, value)| losses(&format!("{path}/{name}"), value, kept.get(name).unwrap_or(&Value::Null)))
            .collect(),
        (Value::Array(items), Value::Array(kept)) if items.len() == kept.len() => items
            .iter()
            .zip(kept)
            .enumerate()
            .flat_map(|(index, (item, kept))| losses(&format!("{path}/{index}"), item, kept))
            .collect(),
        _ if recorded == exported || is_same_moment(recorded, exported) => Vec::new(),
        _ => vec![format!("{path}: {recorded} became {exported}")],
    }
}

/// Recorded timestamps are in UTC, without a time zone. Exported ones have milliseconds.
fn is_same_moment(recorded: &Value, exported: &Value) -> bool {
    const TO_THE_MILLISECOND: usize = "2025-10-17T14:30:14.004".len();
    match (recorded.as_str(), exported.as_str()) {
        (Some(recorded), Some(exported)) => {
            let is_moment = recorded.len() > TO_THE_MILLISECOND && recorded.as_bytes()[10] == b'T';
            is_moment && exported.strip_suffix('Z') == recorded.get(..TO_THE_MILLISECOND)
        }
        _ => false,
    }
}

#[test]
fn manifest_keeps_every_field() {
    for recorded in recorded() {
        let manifest: Manifest = serde_json::from_value(recorded.clone()).unwrap();
        let written = serde_json::to_value(&manifest).unwrap();
        assert_eq!(losses("", &recorded, &written), Vec::<String>::new());
    }
}

#[test]
fn next_number_follows_the_highest_in_use() {
    for recorded in recorded() {
        let actor: ActorId = recorded["actor_id"].as_str().unwrap().parse().unwrap();
        let names = filenames(&recorded);
        // Computed independently of the code: the digits between the last underscore and the last dot.
        let numbers = names.iter().map(|name| {
            let (stem, _) = name.rsplit_once('.').unwrap();
            stem.rsplit_once('_').unwrap().1.parse::<u64>().unwrap()
        });
        let highest_in_use = numbers.max().unwrap();
        assert_eq!(highest(names.iter().copied()), highest_in_use, "{actor}");
        let next = filename(&actor, highest_in_use + 1);
        assert!(!names.contains(&next.as_str()) && number_of(&next) == highest_in_use + 1, "{next}");
    }
}

#[tokio::test]
async fn recorded_manifests_are_imported_without_loss() {
    let manifests = recorded();
    if manifests.is_empty() {
        return;
    }
    let stack = TestStack::without_triggers().await;
    let mut lost = Vec::new();
    for recorded in &manifests {
        let manifest: Manifest = serde_json::from_value(recorded.clone()).unwrap();
        let actor: ActorId = manifest.actor_id.parse().unwrap();
        assert!(exchange::import(&stack.store, &actor, manifest.clone()).await.unwrap(), "{actor} is new");
        let exported = stack.manifest(&actor).await;
        assert_eq!(exported.last_number, highest(filenames(recorded)), "{actor}");
        lost.extend(losses(actor.as_str(), recorded, &serde_json::to_value(&exported).unwrap()));
        assert!(!exchange::import(&stack.store, &actor, manifest).await.unwrap(), "{actor} is known by now");
        assert_eq!(stack.manifest(&actor).await, exported, "a second import changes nothing");
    }
    assert!(lost.is_empty(), "{} losses, the first of them {:#?}", lost.len(), &lost[..lost.len().min(8)]);
}
