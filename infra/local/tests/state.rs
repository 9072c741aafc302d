//! A stack continues with the records and objects of one that was killed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws::bucket::{IfUnchanged, PutNew};
use aws::stack::Services;
use aws::store::spending::Reservation;
use domain::actor::ActorId;
use domain::budget::{Budget, Charge};
use domain::manifest::Image;
use domain::money::MicroUsd;
use jiff::Timestamp;
use jiff::civil::date;
use local_stack::{Account, EmulatorOptions, Error, LocalStack};
use support::options;
use tempfile::TempDir;

const BUDGET: Budget = Budget {
    daily: MicroUsd(1_000_000),
    daily_per_actor: MicroUsd(1_000_000),
    per_plan: MicroUsd(1_000_000),
    poll: Duration::from_secs(1),
};

/// The cost of [`Place::spend`].
const COST: Charge = Charge { day: date(2026, 3, 20), amount: MicroUsd(40_000) };

/// A directory for one stack after the other.
struct Place {
    root: TempDir,
    actor: ActorId,
}

impl Place {
    fn new() -> Self {
        let place = Self { root: tempfile::tempdir().unwrap(), actor: "hero".parse().unwrap() };
        fs::create_dir(place.state()).unwrap();
        place
    }

    fn state(&self) -> PathBuf {
        self.root.path().join("a state's folder")
    }

    fn journal(&self) -> PathBuf {
        self.state().join("records.jsonl")
    }

    async fn try_start(&self) -> Result<LocalStack, Error> {
        let emulator = EmulatorOptions { state_dir: Some(self.state()), ..EmulatorOptions::default() };
        LocalStack::start(emulator, options(self.root.path(), Account::default()).await).await
    }

    async fn start(&self) -> (LocalStack, Services) {
        let stack = self.try_start().await.unwrap();
        let services = stack.outputs().stack.services(stack.sdk_config());
        (stack, services)
    }

    /// Writes two items in one transaction.
    async fn spend(&self, services: &Services) {
        let reserved = services.store.reserve_assessment(&self.actor, COST, &BUDGET).await.unwrap();
        assert_eq!(reserved, Reservation::Granted);
    }

    /// The amounts committed in all, and for the actor.
    async fn spent(&self, services: &Services) -> [MicroUsd; 2] {
        let all = services.store.spending(COST.day).await.unwrap();
        [all, services.store.spending_on(&self.actor, COST.day).await.unwrap()].map(|sums| sums.committed)
    }
}

/// The names and contents of a bucket's objects, with their ETags.
async fn objects(services: &Services) -> Vec<(String, Vec<u8>, String)> {
    let mut objects = Vec::new();
    for listed in services.bucket.list("").await.unwrap() {
        let object = services.bucket.get(&listed.key).await.unwrap().unwrap();
        objects.push((listed.key, object.bytes, object.etag));
    }
    objects
}

/// Ends the emulator like SIGKILL: the launcher sends that signal to it.
fn kill(stack: LocalStack) {
    drop(stack);
}

#[tokio::test]
async fn records_outlive_the_emulator() {
    let place = Place::new();
    let (stack, services) = place.start().await;
    let store = &services.store;
    store.raise_last_number(&place.actor, 7).await.unwrap();
    store.raise_last_number(&place.actor, 12).await.unwrap();
    let image =
        Image { etag: Some("1".to_owned()), prompt: Some("a beach, “golden”".to_owned()), ..Image::default() };
    for name in ["hero_1.jpg", "hero_2.jpg"] {
        store.import_image(&place.actor, name, &image).await.unwrap();
    }
    store.forget_vanished(&place.actor, "hero_1.jpg", &image).await.unwrap();
    place.spend(&services).await;
    kill(stack);

    // The first restart replays the journal; the second one what the first has made of it.
    for _ in 0..2 {
        let (stack, services) = place.start().await;
        let images = services.store.images(&place.actor).await.unwrap();
        assert_eq!(images.into_iter().collect::<Vec<_>>(), [("hero_2.jpg".to_owned(), image.clone())]);
        assert_eq!(services.store.actor(&place.actor).await.unwrap().unwrap().last_number, 12);
        assert_eq!(place.spent(&services).await, [COST.amount; 2]);
        kill(stack);
    }
}

#[tokio::test]
async fn objects_outlive_the_emulator() {
    let place = Place::new();
    let (stack, services) = place.start().await;
    let bucket = &services.bucket;
    let put = async |key: &str, bytes: &[u8]| bucket.put(key, bytes.to_vec(), "image/jpeg").await.unwrap();
    let etag = put("training_data/hero/Grün & blau.jpg", b"first\nline").await;
    put("training_data/hero/hero_2.jpg", b"old").await;
    put("training_data/hero/hero_2.jpg", b"newer").await;
    let gone = put("training_data/hero/hero_3.jpg", b"gone").await;
    put("training_data/hero/HERO_2.jpg", b"").await;
    put("staging/hero/p/s.jpg", b"staged").await;
    let copied = bucket.copy_if("training_data/hero/Grün & blau.jpg", "trash/hero/p/one.jpg", &etag).await.unwrap();
    assert_eq!(copied, IfUnchanged::Done);
    assert_eq!(bucket.delete_if("training_data/hero/hero_3.jpg", &etag).await.unwrap(), IfUnchanged::Changed);
    assert_eq!(bucket.delete_if("training_data/hero/hero_3.jpg", &gone).await.unwrap(), IfUnchanged::Done);
    bucket.delete("staging/hero/p/s.jpg").await.unwrap();
    let before = objects(&services).await;
    assert_eq!(before.len(), 4);
    kill(stack);

    let (stack, services) = place.start().await;
    assert_eq!(objects(&services).await, before);
    let bucket = &services.bucket;
    let occupied = bucket.put_new("training_data/hero/hero_2.jpg", b"x".to_vec(), "image/jpeg").await.unwrap();
    assert_eq!(occupied, PutNew::Occupied);
    assert_eq!(bucket.delete_if(&before[0].0, &before[0].2).await.unwrap(), IfUnchanged::Done);
    kill(stack);
    let (_stack, services) = place.start().await;
    assert_eq!(objects(&services).await, before[1..]);
}

#[tokio::test]
async fn unfinished_line_of_the_journal_is_ignored() {
    let place = Place::new();
    let (stack, services) = place.start().await;
    services.store.raise_last_number(&place.actor, 7).await.unwrap();
    place.spend(&services).await;
    kill(stack);
    let journal = fs::read(place.journal()).unwrap();
    fs::write(place.journal(), &journal[..journal.len() - 2]).unwrap();

    let (stack, services) = place.start().await;
    assert_eq!(services.store.actor(&place.actor).await.unwrap().unwrap().last_number, 7);
    assert_eq!(place.spent(&services).await, [MicroUsd::ZERO; 2], "a transaction is kept completely or not at all");
    place.spend(&services).await;
    kill(stack);
    let (_stack, services) = place.start().await;
    assert_eq!(place.spent(&services).await, [COST.amount; 2]);
}

#[tokio::test]
async fn next_emulator_waits_for_the_end_of_the_last() {
    let place = Arc::new(Place::new());
    let (stack, services) = place.start().await;
    let next = tokio::spawn({
        let place = Arc::clone(&place);
        async move { place.start().await }
    });
    // The next one would be ready by then, without the records that follow.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!next.is_finished());
    services.store.raise_last_number(&place.actor, 7).await.unwrap();
    kill(stack);
    let (_stack, services) = next.await.unwrap();
    assert_eq!(services.store.actor(&place.actor).await.unwrap().unwrap().last_number, 7);
}

/// A table in memory, whose journal is compacted after every few lines.
const COMPACTION: &str = r#"
import asyncio, json, os, sys
sys.path.insert(0, sys.argv[1])
import state

class Table:
    def __init__(self):
        self.items = {}
    async def handle_request(self, method, path, headers, body, query):
        request, operation = json.loads(body), headers["x-amz-target"].split(".")[1]
        puts = [request["Item"]] if operation == "PutItem" else []
        if operation == "BatchWriteItem":
            puts = [write["PutRequest"]["Item"] for write in request["RequestItems"]["t"] if "PutRequest" in write]
            gone = [write["DeleteRequest"]["Key"] for write in request["RequestItems"]["t"] if "DeleteRequest" in write]
            for key in gone:
                self.items.pop(key["sk"]["S"], None)
        for item in puts:
            self.items[item["sk"]["S"]] = item
        found = self.items.get(request["Key"]["sk"]["S"]) if operation == "GetItem" else None
        return 200, {}, json.dumps({"Item": found} if found else {}).encode()

def key(sort):
    return {"pk": {"S": "p"}, "sk": {"S": sort}}

async def call(table, operation, request):
    await table.handle_request("POST", "/", {"x-amz-target": f"x.{operation}"}, json.dumps(request).encode(), {})

async def main():
    directory, table = sys.argv[2], Table()
    await state.Records(directory, "t").restore(table)
    for count in range(200):
        await call(table, "PutItem", {"TableName": "t", "Item": {**key("a"), "n": {"N": str(count)}}})
        await call(table, "BatchWriteItem", {"RequestItems": {"t": [
            {"PutRequest": {"Item": {**key(f"b{count % 3}"), "n": {"N": str(count)}}}},
            {"DeleteRequest": {"Key": key(f"b{(count + 1) % 3}")}},
        ]}})
        await call(table, "PutItem", {"TableName": "other", "Item": key("c")})
    del table.items["c"]
    size, restored = os.path.getsize(f"{directory}/records.jsonl"), Table()
    await state.Records(directory, "t").restore(restored)
    assert restored.items == table.items, (restored.items, table.items)
    print(size)

state.COMPACTED_FROM = 2000
asyncio.run(main())
"#;

#[tokio::test]
async fn long_journal_is_compacted_without_a_loss() {
    let (place, python) = (Place::new(), local_stack::prepare_environment().await.unwrap());
    let sources = env!("CARGO_MANIFEST_DIR");
    let mut command = std::process::Command::new(python);
    let ran = command.args(["-I", "-c", COMPACTION, sources]).arg(place.state()).output().unwrap();
    let size = String::from_utf8_lossy(&ran.stdout).trim().parse().unwrap_or(u64::MAX);
    assert!(size < 10_000, "{size}: {}", String::from_utf8_lossy(&ran.stderr));
}

#[tokio::test]
async fn leases_end_with_the_emulator() {
    let place = Place::new();
    let (stack, services) = place.start().await;
    let lease = |services: Services, token: &'static str| {
        let actor = place.actor.clone();
        async move { services.store.lease_actor(&actor, token, Timestamp::now()).await.unwrap().is_some() }
    };
    assert!(lease(services.clone(), "one").await);
    assert!(!lease(services, "two").await);
    kill(stack);
    let (_stack, services) = place.start().await;
    assert!(lease(services, "two").await);
}

#[tokio::test]
async fn damaged_state_is_named_with_the_remedy() {
    let place = Place::new();
    fs::write(place.journal(), "not a journal\n").unwrap();
    let error = place.try_start().await.unwrap_err().to_string();
    let folder = Path::new(&place.state()).display().to_string();
    assert!(error.contains(&folder) && error.contains("remove that folder"), "{error}");
}
