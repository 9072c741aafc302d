//! Images are compared with the base image.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws::queues::Queue;
use balancer_tests::coded::{Code, coded_image, coded_picture, read_code};
use balancer_tests::openai::{
    Answer, NumberedImage, Quirk, Vendor, VisionRequest, VisionService, in_a_cell, true_entry,
};
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::content::SameCharacter;
use domain::kind::Kind;
use domain::plan::Plan;
use domain::status::Status;
use image::RgbImage;
use providers::vision::{Pictures, VisionModel};
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;

use crate::vision::support::{codes, model, pictures};

/// The variants of images that show another character.
const STRANGERS: std::ops::Range<u32> = 500..600;

fn base() -> Arc<RgbImage> {
    Arc::new(coded_image(Code { kind: Kind::Photorealistic, quality: 9, variant: 7 }))
}

/// An answer in which this function determines the character of each image.
fn judged(request: &VisionRequest, character: impl Fn(&NumberedImage) -> SameCharacter) -> Answer {
    let entry = |image: &NumberedImage| {
        let mut entry = true_entry(image);
        entry["same_character"] = json!(character(image));
        entry
    };
    Answer::Entries(request.images.iter().map(entry).collect())
}

fn perfect_eyes(request: &VisionRequest) -> Answer {
    judged(request, |image| {
        let is_stranger = read_code(&image.image).is_some_and(|code| STRANGERS.contains(&code.variant));
        if is_stranger { SameCharacter::No } else { SameCharacter::Yes }
    })
}

/// The characters in the answers about three images beside a base image.
async fn compared(model: &VisionModel) -> Vec<Option<SameCharacter>> {
    let (events, received) = unbounded_channel();
    let grant = crate::vision::support::grant_everything(received);
    let shown = Pictures { images: pictures(&codes(3)), reference: Some(base()) };
    let (batch, ()) = tokio::join!(model.assess(shown, "plan", events), grant);
    batch.images.into_iter().map(|seen| seen.unwrap().content.same_character).collect()
}

#[tokio::test]
async fn every_request_shows_the_base_image() {
    for (mode, vendor) in [("grid", None), ("individual", None), ("grid", Some(Quirk::OnePicture))] {
        let service = VisionService::of(Vendor { quirk: vendor, ..Vendor::default() }, move |request| {
            let reference = request.reference.as_ref().expect("a base image");
            let expected = if mode == "grid" { in_a_cell(&base()) } else { RgbImage::clone(&base()) };
            assert_eq!(reference.dimensions(), expected.dimensions());
            assert_eq!(read_code(reference), read_code(&expected));
            perfect_eyes(request)
        })
        .await;
        let characters = compared(&model(&service, &[("VISION_MODE", mode)]).await).await;
        assert_eq!(characters, [Some(SameCharacter::Yes); 3], "{mode}");
        assert!(service.violations().is_empty(), "{:?}", service.violations());
    }
}

#[tokio::test]
async fn server_for_single_pictures_compares_nothing() {
    let vendor = Vendor { quirk: Some(Quirk::OnePicture), ..Vendor::default() };
    let service = VisionService::of(vendor, perfect_eyes).await;
    let characters = compared(&model(&service, &[("VISION_MODE", "individual")]).await).await;
    assert_eq!(characters, [None; 3]);
}

/// An actor with a base image and six good images in balance, of which two show another character.
async fn with_strangers(answers: fn(&VisionRequest) -> Answer) -> (World, VisionService, ActorId) {
    with_strangers_at(VisionService::start(answers).await).await
}

async fn with_strangers_at(service: VisionService) -> (World, VisionService, ActorId) {
    let (mut world, hero) = (World::coded(&[]).await, actor("hero"));
    world.set("OPENAI_BASE_URL", &format!("{}/v1", service.address()));
    world.upload_base_image(&hero).await;
    let photo = Kind::Photorealistic;
    let set = [(photo, 1), (photo, 2), (photo, 3), (photo, 501), (Kind::BwStylized, 502), (Kind::ColorStylized, 4)];
    for (number, (kind, variant)) in (1..).zip(set) {
        world.upload(&hero, &format!("hero_{number}.jpg"), &coded_picture(kind, 9, variant)).await;
    }
    world.wait_for_messages(1).await;
    (world, service, hero)
}

/// The plan of a dry run.
async fn dry_run(world: &World, actor: &ActorId) -> Plan {
    let request = format!("dry-run-{}", world.store.plans(actor).await.unwrap().len());
    world.send(Queue::Evaluation, json!({ "actor_id": actor, "mode": "dry_run", "request_id": request })).await;
    world.drive().await;
    let plans = world.store.plans(actor).await.unwrap();
    plans.into_iter().find(|plan| plan.request_id.as_deref() == Some(&request)).unwrap()
}

fn remarks(plan: &Plan) -> Vec<&str> {
    plan.notes.iter().map(|note| note.remark.as_str()).collect()
}

#[tokio::test]
async fn set_with_strangers_ends_without_them() {
    let (world, service, hero) = with_strangers(perfect_eyes).await;
    world.drive().await;
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!(record.status, Status::Balanced, "{:?}", record.reason);
    let plan = world.store.plans(&hero).await.unwrap().remove(0);
    let deleted: Vec<&str> = plan.delete.iter().map(|deletion| deletion.filename.as_str()).collect();
    assert_eq!(deleted, ["hero_4.jpg", "hero_5.jpg"]);
    for deletion in &plan.delete {
        assert!(deletion.reason.contains("Shows another character than the base image."), "{}", deletion.reason);
    }
    let images = world.store.images(&hero).await.unwrap();
    assert_eq!(images.len(), 6);
    assert!(images.values().all(|image| image.content.same_character == Some(SameCharacter::Yes)), "{images:#?}");
    assert!(service.violations().is_empty(), "{:?}", service.violations());
}

#[tokio::test]
async fn doubt_alone_deletes_no_uploaded_image() {
    let (world, _service, hero) = with_strangers(|request| judged(request, |_| SameCharacter::Unsure)).await;
    world.drive().await;
    assert_eq!(world.store.actor(&hero).await.unwrap().unwrap().status, Status::Balanced);
    assert!(world.store.plans(&hero).await.unwrap().is_empty());
}

#[tokio::test]
async fn other_base_image_is_compared_with_again() {
    let (world, service, hero) = with_strangers(|request| judged(request, |_| SameCharacter::Yes)).await;
    world.drive().await;
    assert_eq!(service.request_count(), 1);
    let evaluate = async || {
        world.send(Queue::Evaluation, json!({ "actor_id": hero })).await;
        world.drive().await;
    };
    evaluate().await;
    assert_eq!(service.request_count(), 1, "the same base image costs nothing");
    world.upload_as_base_image(&hero, coded_picture(Kind::Photorealistic, 9, 700)).await;
    evaluate().await;
    assert_eq!(service.request_count(), 2);
}

#[tokio::test]
async fn unclear_base_image_is_named_and_costs_no_image() {
    let unclear = |request: &VisionRequest| match judged(request, |_| SameCharacter::No) {
        Answer::Entries(entries) => {
            Answer::Text(json!({ "reference": "several_characters", "cells": entries }).to_string())
        }
        other => other,
    };
    let (world, service, hero) = with_strangers(unclear).await;
    for evaluation in ["which asks the service", "which finds the answers in the records"] {
        let plan = dry_run(&world, &hero).await;
        assert!(plan.delete.is_empty() && plan.slots.is_empty());
        let remark = "the base image shows several characters, so no image was compared with it";
        assert_eq!(remarks(&plan), [remark], "{evaluation}");
        assert_eq!(service.request_count(), 1);
    }
}

#[tokio::test]
async fn ambiguity_found_once_voids_later_comparisons() {
    let asked = AtomicU32::new(0);
    let first_unclear = move |request: &VisionRequest| match judged(request, |_| SameCharacter::No) {
        Answer::Entries(entries) if asked.fetch_add(1, Ordering::Relaxed) == 0 => {
            Answer::Text(json!({ "reference": "several_characters", "cells": entries }).to_string())
        }
        other => other,
    };
    let (world, service, hero) = with_strangers_at(VisionService::start(first_unclear).await).await;
    dry_run(&world, &hero).await;
    world.upload(&hero, "hero_7.jpg", &coded_picture(Kind::BwStylized, 9, 503)).await;
    let plan = dry_run(&world, &hero).await;
    assert_eq!(service.request_count(), 2);
    let deleted: Vec<_> = plan.delete.iter().map(|deletion| (&deletion.filename, &deletion.reason)).collect();
    assert!(deleted.iter().all(|(_, reason)| !reason.contains("another character")), "{deleted:?}");
    assert_eq!(remarks(&plan), ["the base image shows several characters, so no image was compared with it"]);
}

#[tokio::test]
async fn single_pictures_are_named_and_assessed_once() {
    let vendor = Vendor { quirk: Some(Quirk::OnePicture), ..Vendor::default() };
    let (mut world, service, hero) = with_strangers_at(VisionService::of(vendor, perfect_eyes).await).await;
    world.set("VISION_MODE", "individual");
    let first = dry_run(&world, &hero).await;
    let requests = service.request_count();
    let second = dry_run(&world, &hero).await;
    for plan in [first, second] {
        assert!(plan.delete.is_empty(), "{:?}", plan.delete);
        let [remark] = remarks(&plan)[..] else { panic!("{:?}", plan.notes) };
        assert!(remark.contains("takes one picture in a request (VISION_MODE=grid "), "{remark}");
    }
    assert_eq!(service.request_count(), requests, "another attempt would fail again");

    world.set("VISION_MODE", "grid");
    let compared = dry_run(&world, &hero).await;
    assert_eq!((compared.delete.len(), remarks(&compared).len()), (2, 0), "{:?}", compared.notes);
    assert_eq!(service.request_count(), requests + 1);
}

#[tokio::test]
async fn unusable_base_image_is_named_and_costs_no_image() {
    let (world, service, hero) = with_strangers(perfect_eyes).await;
    world.upload_as_base_image(&hero, b"no image".to_vec()).await;
    let plan = dry_run(&world, &hero).await;
    assert!(plan.delete.is_empty() && plan.slots.is_empty());
    assert!(plan.notes[0].remark.starts_with("the base image is unusable: "), "{:?}", plan.notes);
    assert!(service.request_count() > 0 && service.violations().is_empty(), "{:?}", service.violations());
}
