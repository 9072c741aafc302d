//! Predictions that Replicate does not finish, or rejects for their content, in various wordings.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use balancer_tests::replicate::Outcome;
use handlers::Clock;
use jiff::{SignedDuration, Timestamp};

use crate::generation::support::{Scenario, always, first, rejection};

const INTERRUPTIONS: [&str; 3] = [
    "Prediction interrupted; please retry (code: PA)",
    "Service is temporarily unavailable. Please try again later. (E003)",
    "You have reached the queue limit of this model.",
];

#[tokio::test]
async fn interruptions_use_up_no_attempt() {
    for message in INTERRUPTIONS {
        // By the world's clock, which deferrals advance, every creation in the first 90 seconds is interrupted.
        let (clock, began) = (Arc::new(OnceLock::<Clock>::new()), OnceLock::<Timestamp>::new());
        let world_clock = Arc::clone(&clock);
        let scenario = Scenario::images(5, move |_, _| {
            let now = world_clock.get().unwrap().now();
            match now.duration_since(*began.get_or_init(|| now)) < SignedDuration::from_secs(90) {
                true => Outcome::FailsWith(message),
                false => Outcome::Succeeds,
            }
        })
        .await;
        clock.set(scenario.world.clock.clone()).ok().unwrap();
        scenario.world.generate_with(5).await;
        scenario.assert_all_generated().await;
        assert!((6..=10).contains(&scenario.world.replicate.creations()), "{}", scenario.world.replicate.creations());
        let slots = scenario.world.store.slots(&scenario.actor, &scenario.plan().await.plan_id).await.unwrap();
        assert!(
            slots.values().all(|slot| slot.progress.attempt == 0 && slot.progress.interrupted_since.is_none()),
            "{slots:#?}"
        );
        let seeds: BTreeSet<Option<u64>> =
            scenario.world.replicate.predictions().iter().map(|prediction| prediction.seed()).collect();
        assert_eq!(seeds.len(), scenario.world.replicate.creations(), "each creation has its own seed");
    }
}

#[tokio::test]
async fn full_queue_at_creation_backs_off() {
    let full = |index: usize, _: &str| match index {
        0..6 => rejection(422, "You have reached the queue limit of this model."),
        _ => Outcome::Succeeds,
    };
    let scenario = Scenario::image(full).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
}

#[tokio::test]
async fn hour_of_interruptions_dead_letters_the_message() {
    let scenario = Scenario::image(always(Outcome::FailsWith(INTERRUPTIONS[0]))).await;
    let began = scenario.world.clock.now();
    scenario.run().await;
    scenario.assert_dead_letter(&["code: PA", "dead-letter"]).await;
    let waited = scenario.world.clock.now().duration_since(began).as_mins();
    assert!((60..80).contains(&waited), "{waited} minutes");
    assert!(scenario.world.replicate.creations() < 20, "{}", scenario.world.replicate.creations());
}

#[tokio::test]
async fn lost_creation_after_an_interruption_is_found() {
    let outcomes = |index: usize, _: &str| match index {
        0 => Outcome::FailsWith(INTERRUPTIONS[0]),
        1 => Outcome::ResponseLost,
        _ => Outcome::Succeeds,
    };
    let scenario = Scenario::image(outcomes).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
    assert_eq!(scenario.world.replicate.creations(), 2);
}

#[tokio::test]
async fn content_rejected_in_any_words_gets_another_prompt() {
    let outcomes = [
        Outcome::FailsWith("NSFW content detected. Try running it again, or try a different prompt."),
        Outcome::FailsWith("The output was flagged as sensitive."),
        Outcome::FailsWith("Content flagged for: sexual"),
        Outcome::FailsWith("Prompt blocked"),
        rejection(422, "Prompt blocked"),
        rejection(400, "NSFW content detected in the prompt"),
    ];
    for outcome in outcomes {
        let scenario = Scenario::image(first(outcome.clone())).await;
        scenario.run().await;
        scenario.assert_all_generated().await;
        assert_eq!(scenario.world.replicate.creations(), 2, "{outcome:?}");
        let rejected = scenario.world.store.actor(&scenario.actor).await.unwrap().unwrap().rejected_prompts;
        assert_eq!(rejected, [scenario.plan().await.slots[0].prompt_id.clone()].into(), "{outcome:?}");
        let manifest = scenario.world.manifest(&scenario.actor).await;
        assert!(!rejected.contains(manifest.images.values().next().unwrap().prompt_id.as_ref().unwrap()));
    }
}
