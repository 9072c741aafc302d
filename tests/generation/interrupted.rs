//! A Replicate that accepts creations and does not finish them, or rejects them for their content, in various wordings.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use balancer_tests::replicate::Outcome;
use handlers::Clock;
use jiff::{SignedDuration, Timestamp};

use crate::support::{Wanted, always, first, refusal};

const INTERRUPTIONS: [&str; 3] = [
    "Prediction interrupted; please retry (code: PA)",
    "Service is temporarily unavailable. Please try again later. (E003)",
    "You have reached the queue limit of this model.",
];

#[tokio::test]
async fn interruptions_are_waited_out_without_an_attempt() {
    for words in INTERRUPTIONS {
        // By the world's clock, which waiting advances: every creation in the first 90 seconds is interrupted.
        let (clock, began) = (Arc::new(OnceLock::<Clock>::new()), OnceLock::<Timestamp>::new());
        let telling = Arc::clone(&clock);
        let wanted = Wanted::images(5, move |_, _| {
            let now = telling.get().unwrap().now();
            match now.duration_since(*began.get_or_init(|| now)) < SignedDuration::from_secs(90) {
                true => Outcome::FailsWith(words),
                false => Outcome::Succeeds,
            }
        })
        .await;
        clock.set(wanted.world.clock.clone()).ok().unwrap();
        wanted.world.generate_with(5).await;
        wanted.assert_all_made().await;
        assert!((6..=10).contains(&wanted.world.replicate.creations()), "{}", wanted.world.replicate.creations());
        let slots = wanted.world.store.slots(&wanted.actor, &wanted.plan().await.plan_id).await.unwrap();
        assert!(slots.values().all(|slot| slot.attempt == 0 && slot.interrupted_since.is_none()), "{slots:#?}");
        let seeds: BTreeSet<u64> = wanted.world.replicate.begun().iter().map(|begun| begun.seed).collect();
        assert_eq!(seeds.len(), wanted.world.replicate.creations(), "a lost creation is found by its own seed");
    }
}

#[tokio::test]
async fn a_queue_that_is_full_at_the_creation_is_waited_out() {
    let full = |index: usize, _: &str| match index {
        0..6 => refusal(422, "You have reached the queue limit of this model."),
        _ => Outcome::Succeeds,
    };
    let wanted = Wanted::image(full).await;
    wanted.work().await;
    wanted.assert_all_made().await;
}

#[tokio::test]
async fn after_an_hour_of_interruptions_the_actor_says_so() {
    let wanted = Wanted::image(always(Outcome::FailsWith(INTERRUPTIONS[0]))).await;
    let began = wanted.world.clock.now();
    wanted.work().await;
    wanted.assert_dead_letter(&["code: PA", "dead-letter"]).await;
    let waited = wanted.world.clock.now().duration_since(began).as_mins();
    assert!((60..80).contains(&waited), "{waited} minutes");
    assert!(wanted.world.replicate.creations() < 20, "{}", wanted.world.replicate.creations());
}

#[tokio::test]
async fn a_lost_creation_after_an_interruption_is_found() {
    let fates = |index: usize, _: &str| match index {
        0 => Outcome::FailsWith(INTERRUPTIONS[0]),
        1 => Outcome::AnswerIsLost,
        _ => Outcome::Succeeds,
    };
    let wanted = Wanted::image(fates).await;
    wanted.work().await;
    wanted.assert_all_made().await;
    assert_eq!(wanted.world.replicate.creations(), 2);
}

#[tokio::test]
async fn content_refused_in_any_words_gets_another_prompt() {
    let fates = [
        Outcome::FailsWith("NSFW content detected. Try running it again, or try a different prompt."),
        Outcome::FailsWith("The output was flagged as sensitive."),
        Outcome::FailsWith("Content flagged for: sexual"),
        Outcome::FailsWith("Prompt blocked"),
        refusal(422, "Prompt blocked"),
        refusal(400, "NSFW content detected in the prompt"),
    ];
    for fate in fates {
        let wanted = Wanted::image(first(fate.clone())).await;
        wanted.work().await;
        wanted.assert_all_made().await;
        assert_eq!(wanted.world.replicate.creations(), 2, "{fate:?}");
        let rejected = wanted.world.store.actor(&wanted.actor).await.unwrap().unwrap().rejected_prompts;
        assert_eq!(rejected, [wanted.plan().await.slots[0].prompt_id.clone()].into(), "{fate:?}");
        let manifest = wanted.world.manifest(&wanted.actor).await;
        assert!(!rejected.contains(manifest.images.values().next().unwrap().prompt_id.as_ref().unwrap()));
    }
}
