//! `local` through each generator, with stand-ins for their services: balanced, and every charged image kept or in the
//! trash.

use std::sync::Arc;

use balancer_tests::image_edits::{self, ImageEdits};
use domain::kind::Kind;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::actors::Actor;
use crate::support::paid::Service;
use crate::support::pictures::drawn;
use crate::support::run::Ran;
use crate::support::stack::Place;

/// Runs `local` with these arguments and variables on an actor that needs every image. Asserts that the set is balanced.
/// Returns the run, and the number of images that it has generated.
fn balanced(arguments: &[&str], environment: &[(&str, String)]) -> (Ran, usize) {
    let place = Place::new();
    let actor = Actor::nothing(&place.data(), "new").with_base();
    let mut command = place.local();
    let environment = environment.iter().map(|(name, value)| (*name, value.as_str()));
    let ran = Ran::of(command.args(arguments).arg("--json").envs(environment)).done();
    let report = ran.last_line()["actors"][0].clone();
    assert_eq!((&report["status"], &report["total"]), (&json!("balanced"), &json!(6)), "{ran:#?}");
    actor.agrees_with_its_manifest();
    let generated = actor.files().len() + actor.trash().len();
    (ran, generated)
}

#[test]
fn embedded_generator_ends_with_what_it_is_not() {
    let (ran, generated) = balanced(&[], &[]);
    let last = ran.remarks.lines().last().unwrap();
    assert!(last.starts_with(&format!("The embedded generator drew {generated} images")), "{ran:#?}");
    assert!(last.contains("are no training material") && last.contains("$0.04 an image"), "{last}");
}

#[test]
fn replicate_is_charged_for_what_is_kept_or_rejected() {
    let service = Service::start(std::time::Duration::ZERO);
    let (ran, generated) = balanced(&Service::arguments(), &service.environment());
    assert_eq!(service.replicate.charged(), generated, "{ran:#?}");
    assert!(!ran.remarks.contains("training material"), "{ran:#?}");
}

#[test]
fn image_edits_are_charged_for_what_is_kept_or_rejected() {
    let runtime = Runtime::new().unwrap();
    let paint = |kind: Kind, index: usize| drawn(kind)[index % drawn(kind).len()].clone();
    let service = runtime.block_on(ImageEdits::start(Arc::new(paint)));
    let environment = [
        ("OPENAI_IMAGES_BASE_URL", format!("{}/v1", service.address())),
        ("OPENAI_IMAGES_API_KEY", image_edits::KEY.to_owned()),
        ("GENERATOR_USD_PER_IMAGE", "0.05".to_owned()),
    ];
    let (ran, generated) = balanced(&["--generator", "openai", "--aspect-ratio", "3:2"], &environment);
    assert_eq!(service.charged(), generated, "{ran:#?}");
    assert!(service.edits().iter().all(|edit| edit.fields["size"] == "1248x832"), "{:?}", service.edits());
    assert!(service.violations().is_empty());
}

#[test]
fn unusable_settings_of_a_generator_are_refused() {
    let refused = |arguments: &[&str], environment: &[(&str, &str)], words: &[&str]| {
        let place = Place::new();
        Actor::nothing(&place.data(), "new").with_base();
        let mut command = place.local();
        let ran = Ran::of(command.args(arguments).envs(environment.iter().copied()));
        ran.failed(2, words);
    };
    let key = ("OPENAI_IMAGES_API_KEY", "k");
    refused(&["--generator", "openai"], &[("GENERATOR_USD_PER_IMAGE", "0")], &["openai needs OPENAI_IMAGES_API_KEY"]);
    refused(&["--generator", "openai"], &[key], &["the price of OPENAI_IMAGES_MODEL gpt-image-2 is not known"]);
    refused(&["--aspect-ratio", "5:1"], &[], &["`5:1` must be width:height"]);
    refused(&["--aspect-ratio", "1:1"], &[], &["draws 16:9 only, not 1:1"]);
    refused(&["--aspect-ratio", "1:1", "--dry-run"], &[], &["draws 16:9 only, not 1:1"]);
    refused(&["--megapixels", "99"], &[], &["`99` must be a number of megapixels"]);
}

#[test]
fn dry_run_prices_the_images_of_its_format() {
    let place = Place::new();
    Actor::nothing(&place.data(), "new").with_base();
    let environment = [
        ("REPLICATE_API_TOKEN", "t"),
        ("REPLICATE_MODEL", "black-forest-labs/flux-2-pro"),
        ("GENERATOR_USD_PER_MEGAPIXEL", "0.015"),
    ];
    let mut command = place.local();
    command.args(["--generator", "replicate", "--megapixels", "2", "--dry-run", "--json"]).envs(environment);
    let proposal: Value = Ran::of(&mut command).done().last_line()["actors"][0]["dry_run"].clone();
    assert_eq!(proposal["cost"]["per_image_micro_usd"], json!(30_000), "{proposal:#}");
    assert_eq!(proposal["cost"]["generation_micro_usd"], json!(180_000), "{proposal:#}");
}
