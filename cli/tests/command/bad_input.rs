//! Invalid input: each error names the input and the remedy.

use std::fs;
use std::time::Duration;

use crate::support::actors::Actor;
use crate::support::paid::Service;
use crate::support::run::{Ran, balancer, run};

fn plan_of(text: &str) -> (Ran, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("assessments.json");
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (run(["plan", "--assessments", &file]), file)
}

#[test]
fn missing_folder_is_named() {
    for arguments in [&["assess", "/no/such/folder"][..], &["grid", "/no/such/folder", "-o", "x.png"]] {
        run(arguments).failed(1, &["/no/such/folder", "can't be read", "No such file"]);
    }
    run(["local", "--data", "/no/such/folder"]).failed(1, &["the data folder /no/such/folder can't be read"]);
}

#[test]
fn file_instead_of_a_folder_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.png");
    fs::write(&file, "").unwrap();
    let name = file.to_str().unwrap();
    run(["assess", name]).failed(1, &[name]);
    run(["local", "--data", name]).failed(1, &[name]);
}

#[test]
fn error_for_a_folder_without_images_names_formats() {
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().to_str().unwrap();
    run(["assess", name]).failed(1, &[name, "png, jpg, jpeg, jpe, jfif or webp"]);
    run(["grid", name, "-o", "x.png"]).failed(1, &[name, "png, jpg, jpeg, jpe, jfif or webp"]);
    run(["local", "--data", name]).failed(1, &[name, "training_data"]);
}

#[test]
fn folder_with_only_a_text_file_has_no_images() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("notes.txt"), "to do").unwrap();
    let name = dir.path().to_str().unwrap();
    run(["assess", name]).failed(1, &[name, "holds no usable image", "ignored in ", "1 other file (notes.txt)"]);
}

#[test]
fn wrong_usage_exits_with_2_and_a_hint() {
    for (arguments, word) in [
        (&["assess", ".", "--jsno"][..], "--json"),
        (&["asess", "."], "assess"),
        (&["assess"], "<DIR>"),
        (&["plan"], "--assessments"),
        (&["plan", "--assessments", "-", "--scope", "delete"], "delete_only"),
        (&["plan", "--assessments", "-", "--target-shares", "60/20/15"], "sum to 100"),
        (&["plan", "--assessments", "-", "--target-shares", "65/20"], "sum to 100"),
        (&["plan", "--assessments", "-", "--target-total", "0"], "1..=500"),
        (&["plan", "--assessments", "-", "--quality-floor", "11"], "1..=10"),
        (&["local", "--data", ".", "--watch", "--dry-run"], "--dry-run"),
        (&["local", "--data", ".", "--actor", "../x"], "can't be an actor's id"),
        (&["local", "--data", ".", "--port", "70000"], "--port"),
        (&["local", "--serve", "--host", "::1"], "an IPv4 address, such as 127.0.0.1"),
        (&["send", "deletion", "a"], "<FILE>"),
        (&["pin", "a"], "<FILE>"),
        (&["restore", "a", "--data", ".", "--stack", "s"], "--stack"),
        (&["redrive", "uploads"], "evaluation, deletion, generation"),
        (&["local", "--data", ".", "--max-deleted-percent", "101"], "0..=100"),
    ] {
        run(arguments).failed(2, &[word]);
    }
}

#[test]
fn plan_names_the_expected_input_format() {
    for text in ["", "not JSON", "{}", r#"[{"file":"a.jpg"}]"#, r#"[{"filename":"a.jpg","kind":"photo","quality":5}]"#]
    {
        let (ran, file) = plan_of(text);
        ran.failed(1, &[&file, "balancer assess --json"]);
    }
}

#[test]
fn quality_out_of_range_names_the_image() {
    for quality in [0, 11] {
        let (ran, file) = plan_of(&format!(r#"[{{"filename":"b.jpg","kind":"bw_stylized","quality":{quality}}}]"#));
        ran.failed(1, &[&file, "b.jpg", "from 1 to 10"]);
    }
}

#[test]
fn image_assessed_twice_is_named() {
    let image = r#"{"filename":"b.jpg","kind":"bw_stylized","quality":7}"#;
    let (ran, file) = plan_of(&format!("[{image},{image}]"));
    ran.failed(1, &[&file, "b.jpg", "twice"]);
}

#[test]
fn missing_assessments_file_is_named() {
    run(["plan", "--assessments", "/no/such/file.json"]).failed(1, &["/no/such/file.json", "can't be read"]);
}

#[test]
fn unknown_actor_is_named() {
    let data = tempfile::tempdir().unwrap();
    Actor::nothing(data.path(), "hero");
    let arguments = ["local", "--data", data.path().to_str().unwrap(), "--actor", "stranger"];
    run(arguments).failed(1, &[data.path().to_str().unwrap(), "stranger", "--actor"]);
}

#[test]
fn invalid_message_is_not_sent() {
    let arguments = ["send", "deletion", "a", "../b.jpg"];
    run(arguments).failed(2, &["../b.jpg", "without a path"]);
    run(["send", "generation", "a"]).failed(2, &["--photorealistic"]);
    run(["send", "generation", "a", "--bw-stylized", "101"]).failed(2, &["101 images", "at most 100"]);
}

/// What a model without a known price needs.
const UNPRICED: &[&str] = &["neither GENERATOR_USD_PER_IMAGE nor GENERATOR_USD_PER_MEGAPIXEL is set"];

#[test]
fn invalid_settings_are_rejected() {
    let data = tempfile::tempdir().unwrap();
    Actor::nothing(data.path(), "hero");
    for (option, service, key, name, value, words) in [
        (
            "--generator",
            "replicate",
            "REPLICATE_API_TOKEN",
            "REPLICATE_MODEL",
            "nano-banana",
            &["owner/name:version"][..],
        ),
        ("--generator", "replicate", "REPLICATE_API_TOKEN", "REPLICATE_MODEL", "google/nano-banana", UNPRICED),
        ("--generator", "replicate", "REPLICATE_API_TOKEN", "GENERATOR_USD_PER_IMAGE", "cheap", &["such as 0.04"]),
        ("--vision", "openai", "OPENAI_API_KEY", "VISION_TIMEOUT_SECONDS", "241", &["from 1 to 240"]),
    ] {
        let mut command = balancer();
        command.args(["local", option, service, "--data"]).arg(data.path()).env(key, "k").env(name, value);
        let ran = Ran::of(&mut command);
        assert!(!ran.remarks.contains("building"), "{ran:#?}");
        ran.failed(2, &[&[name, value], words].concat());
    }
}

#[test]
fn unusable_model_is_refused_before_the_upload() {
    let (data, service) = (tempfile::tempdir().unwrap(), Service::start(Duration::ZERO));
    Actor::nothing(data.path(), "hero");
    for (model, words) in [
        ("acme/inpainter", "its inputs are control_image, mask, prompt, seed"),
        ("acme/unheard-of", "Replicate does not know it"),
    ] {
        let mut command = balancer();
        command.args(["local", "--data"]).arg(data.path()).args(Service::arguments()).envs(service.environment());
        command.env("REPLICATE_MODEL", model).env("GENERATOR_USD_PER_IMAGE", "0.04");
        let ran = Ran::of(&mut command);
        assert!(!ran.remarks.contains("building"), "{ran:#?}");
        ran.failed(2, &[model, words, "set REPLICATE_MODEL to"]);
    }
    assert_eq!(service.replicate.creations(), 0);
}

#[test]
fn paid_service_without_its_key_is_wrong_usage() {
    let data = tempfile::tempdir().unwrap();
    Actor::nothing(data.path(), "hero");
    for (option, service, key) in
        [("--vision", "openai", "OPENAI_API_KEY"), ("--generator", "replicate", "REPLICATE_API_TOKEN")]
    {
        let mut command = balancer();
        command.args(["local", option, service, "--data"]).arg(data.path()).env_remove(key);
        let ran = Ran::of(&mut command);
        assert!(!ran.remarks.contains("building"), "{ran:#?}");
        ran.failed(2, &[service, key, "leave the option out"]);
    }
}
