//! `balancer assess --vision openai`, against a stand-in for the service.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use balancer_tests::coded::{coded_picture, read_code};
use balancer_tests::openai::{Answer, MODEL, VisionService, true_entry};
use domain::kind::Kind;
use imaging::{decode, measure};
use providers::vision::PROMPT_VERSION;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::run::{Ran, balancer};

/// A folder with a base image beside it, and a service that recognises the character of variant 1 alone.
struct Folder {
    dir: TempDir,
    service: VisionService,
    _runtime: Runtime,
}

impl Folder {
    fn new() -> Self {
        let (dir, runtime) = (TempDir::new().unwrap(), Runtime::new().unwrap());
        let images = dir.path().join("set");
        fs::create_dir(&images).unwrap();
        for variant in 1..=3 {
            let picture = coded_picture(Kind::Photorealistic, 9, variant);
            fs::write(images.join(format!("a_{variant}.jpg")), picture).unwrap();
        }
        fs::write(dir.path().join("base.jpg"), coded_picture(Kind::Photorealistic, 9, 1)).unwrap();
        let service = runtime.block_on(VisionService::start(|request| {
            let entries = request.images.iter().map(|image| {
                let is_same = read_code(&image.image).unwrap().variant == 1;
                let mut entry = true_entry(image);
                entry["same_character"] = if is_same { json!("yes") } else { json!("no") };
                entry
            });
            Answer::Entries(entries.collect())
        }));
        Self { dir, service, _runtime: runtime }
    }

    fn assess(&self, arguments: &[&str]) -> Ran {
        let mut command = balancer();
        command.arg("assess").arg(self.dir.path().join("set")).args(["--vision", "openai"]).args(arguments);
        Ran::of(command.envs(self.service.variables()))
    }

    fn base(&self) -> String {
        self.dir.path().join("base.jpg").display().to_string()
    }
}

#[test]
fn service_compares_with_the_base_image() {
    let folder = Folder::new();
    let ran = folder.assess(&["--base", &folder.base(), "--json"]).done();
    assert!(ran.remarks.contains("3 images cost at most $0.0"), "{ran:#?}");
    let all = ran.json()["images"].clone();
    let qualities: Vec<_> = all.as_array().unwrap().iter().map(|image| image["quality"].as_u64().unwrap()).collect();
    assert_eq!(qualities, [9, 2, 2], "{all:#}");
    assert_eq!(all[1]["content"]["same_character"], "no");
    assert_eq!((&all[0]["facts"]["width"], &all[0]["content"]["framing"]), (&json!(768), &json!("medium")));
    assert!(folder.service.violations().is_empty(), "{:?}", folder.service.violations());

    let set = folder.dir.path().join("set.json");
    fs::write(&set, ran.answer).unwrap();
    let planned = Ran::of(balancer().args(["plan", "--json", "--assessments"]).arg(&set)).done().json();
    assert_eq!(planned["delete"].as_array().unwrap().len(), 2);
}

#[test]
fn recorded_assessments_cost_nothing_again() {
    let folder = Folder::new();
    let actor = folder.dir.path().join("hero");
    fs::create_dir(&actor).unwrap();
    fs::rename(folder.dir.path().join("set"), actor.join("training_data")).unwrap();
    symlink(actor.join("training_data"), folder.dir.path().join("set")).unwrap();
    let recorded = |variant: u32| {
        let file = fs::read(actor.join(format!("training_data/a_{variant}.jpg"))).unwrap();
        let image = json!({
            "type": "photorealistic", "quality": 7, "flags": ["text"], "reason": "Seen.", "facts": measure(&file, &decode(&file).unwrap()),
            "assessed_by": format!("openai/{MODEL}/prompt-{PROMPT_VERSION}"),
        });
        (format!("a_{variant}.jpg"), image)
    };
    let images: Map<String, Value> = (1..=2).map(recorded).collect();
    fs::write(actor.join("manifest.json"), json!({ "actor_id": "hero", "images": images }).to_string()).unwrap();
    fs::write(actor.join("training_data/actor.json"), r#"{"quality_limits":{"text":3}}"#).unwrap();
    let ran = folder.assess(&["--json"]).done();
    assert!(ran.remarks.contains("1 image costs at most $0.0"), "{ran:#?}");
    assert!(ran.remarks.contains("the manifest has an assessment of 2 images"), "{ran:#?}");
    let all = ran.json()["images"].clone();
    let qualities: Vec<_> = all.as_array().unwrap().iter().map(|image| image["quality"].as_u64().unwrap()).collect();
    assert_eq!(qualities, [3, 3, 9], "the actor's own limit of lettering applies");
    assert_eq!(folder.service.request_count(), 1);
    // With a base image, the recorded assessments miss the comparison.
    folder.assess(&["--base", &folder.base()]).done();
    assert_eq!(folder.service.request_count(), 2);
}

#[test]
fn both_models_are_shown_beside_each_other() {
    let folder = Folder::new();
    let table = folder.assess(&["--base", &folder.base(), "--compare"]).done().answer;
    let header = table.lines().next().unwrap();
    assert!(header.contains("embedded") && header.contains("openai") && header.contains("character"), "{table}");
    assert!(table.contains("Shows another character than the base image."), "{table}");
    let all = folder.assess(&["--compare", "--json"]).done().json()["images"].clone();
    assert_eq!(all[2]["openai"]["quality"], 9, "no base image, no comparison");
    assert!(all[2]["embedded"]["quality"].is_u64());
}

#[test]
fn wrong_options_are_named() {
    let folder = Folder::new();
    let set = folder.dir.path().join("set");
    let assess =
        |arguments: &[&str]| Ran::of(balancer().arg("assess").arg(&set).args(arguments).env_remove("OPENAI_API_KEY"));
    assess(&["--vision", "openai"]).failed(2, &["openai needs OPENAI_API_KEY"]);
    assess(&["--compare"]).failed(2, &["--vision openai"]);
    let missing = Path::new("missing.png").display().to_string();
    folder.assess(&["--base", &missing]).failed(1, &["the base image missing.png can't be read"]);
    fs::write(folder.dir.path().join("base.jpg"), "text").unwrap();
    folder.assess(&["--base", &folder.base()]).failed(1, &["base.jpg is unusable"]);
    assert_eq!(folder.service.request_count(), 0, "nothing is paid for");
}
