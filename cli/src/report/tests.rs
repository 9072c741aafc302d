use std::fs;

use super::*;
use crate::samples::{CLOSES_SCRIPT, Sample};

fn options(output: PathBuf) -> Options {
    Options { output, with_costs: false, max_bytes: bytes_of(DEFAULT_MAX_MB) }
}

#[tokio::test]
async fn report_contains_pictures_and_no_script() {
    let (sample, out) = (Sample::new(), tempfile::tempdir().unwrap());
    let output = out.path().join("sets.html");
    let written = write(&sample.sets(), &[], &options(output.clone())).await.unwrap();
    assert_eq!((written.files, written.unreadable), (vec![output.clone()], Vec::new()));
    let text = fs::read_to_string(&output).unwrap();
    assert_eq!(text.matches("src=\"data:image/jpeg;base64,").count(), 7, "the set, the base image, the trash");
    for forbidden in ["<script", "<link", CLOSES_SCRIPT, "href=\"/", "src=\"/", "http:", "https:", "onerror=alert(1)>"]
    {
        assert!(!text.contains(forbidden), "{forbidden}");
    }
}

#[tokio::test]
async fn same_sets_give_the_same_bytes() {
    let (sample, out) = (Sample::new(), tempfile::tempdir().unwrap());
    let (one, other) = (out.path().join("one.html"), out.path().join("other.html"));
    for output in [&one, &other] {
        write(&sample.sets(), &[], &options(output.clone())).await.unwrap();
    }
    assert_eq!(fs::read(one).unwrap(), fs::read(other).unwrap());
}

#[tokio::test]
async fn report_names_no_absolute_path() {
    let (sample, out) = (Sample::new(), tempfile::tempdir().unwrap());
    let data = sample.data().canonicalize().unwrap().display().to_string();
    let reason = format!("There is no base image: put one into {data}/hero/base_image.");
    let suspension = serde_json::json!({ "status": "needs_attention", "reason": reason, "rounds": 1, "images": "" });
    let manifest = serde_json::json!({ "actor_id": "hero", "balancing": suspension, "images": {} });
    sample.put("manifest.json", manifest.to_string().as_bytes());
    let output = out.path().join("sets.html");
    write(&sample.sets(), &[], &options(output.clone())).await.unwrap();
    let text = fs::read_to_string(output).unwrap();
    assert!(!text.contains(&data) && text.contains("the data folder/hero/base_image"), "{text}");
}

#[tokio::test]
async fn large_report_is_split_by_actor() {
    let (sample, out) = (Sample::new(), tempfile::tempdir().unwrap());
    fs::create_dir_all(sample.data().join("other/training_data")).unwrap();
    let output = out.path().join("sets.html");
    let options = Options { max_bytes: 1, ..options(output.clone()) };
    let written = write(&sample.sets(), &[], &options).await.unwrap();
    assert_eq!(written.files, [output, out.path().join("sets-2.html")]);
    assert!(fs::read_to_string(&written.files[1]).unwrap().contains("Part 2 of 2"));
}
