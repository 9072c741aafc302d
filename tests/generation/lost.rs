//! An image that was asked for, and the answer got lost: it is found again, or counted as paid.

use std::time::Duration;

use balancer_tests::replicate::{Outcome, Place};
use jiff::SignedDuration;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{Wanted, always, first};

#[tokio::test]
async fn it_is_found_among_hundreds_and_however_odd_their_entries_are() {
    let wanted = Wanted::image(first(Outcome::AnswerIsLost)).await;
    wanted.work_once().await;
    wanted.world.replicate.let_others_begin(250);
    wanted.work().await;
    wanted.assert_all_made().await;
    assert_eq!(wanted.world.replicate.creations(), 1);
}

#[tokio::test]
async fn a_list_that_can_t_be_read_is_read_another_time() {
    for trouble in [
        ResponseTemplate::new(429).set_body_json(json!({ "detail": "Your rate limit resets in ~7s." })),
        ResponseTemplate::new(500),
        ResponseTemplate::new(200).set_body_string("<html>Just a moment</html>"),
    ] {
        let wanted = Wanted::image(first(Outcome::AnswerIsLost)).await;
        wanted.world.replicate.answer_next(Place::List, trouble);
        wanted.work().await;
        assert!(wanted.world.replicate.has_answered_so());
        wanted.assert_all_made().await;
        assert_eq!(wanted.world.replicate.creations(), 1);
    }
}

#[tokio::test]
async fn a_list_that_hangs_takes_no_more_time_than_there_is() {
    let mut wanted = Wanted::image(first(Outcome::AnswerIsLost)).await;
    wanted.work_once().await;
    wanted.world.replicate.answer_next(Place::List, ResponseTemplate::new(200).set_delay(Duration::from_secs(3600)));
    wanted.world.time_budget = Some(Duration::from_secs(1));
    let began = std::time::Instant::now();
    wanted.world.generate_one().await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    wanted.work().await;
    wanted.assert_all_made().await;
    assert_eq!(wanted.world.replicate.creations(), 1);
}

#[tokio::test]
async fn what_replicate_has_forgotten_is_counted_as_paid_and_asked_for_anew() {
    let wanted = Wanted::image(first(Outcome::AnswerIsLost)).await;
    wanted.work_once().await;
    wanted.world.advance_clock(SignedDuration::from_mins(61));
    wanted.work().await;
    wanted.assert_all_made_for(2).await;
    let begun = wanted.world.replicate.begun();
    assert_ne!(begun[0].seed, begun[1].seed, "it is another attempt");
}

#[tokio::test]
async fn a_paid_image_does_not_need_the_base_image_any_more() {
    for fate in [Outcome::AnswerIsLost, Outcome::SucceedsAfter(Duration::from_secs(2))] {
        let mut wanted = Wanted::image(always(fate)).await;
        wanted.world.time_budget = Some(Duration::from_secs(1));
        wanted.work_once().await;
        assert_eq!(wanted.world.replicate.creations(), 1);
        let key = format!("{}jpg", wanted.world.keys.base_image_stem(&wanted.actor));
        wanted.world.bucket.delete(&key).await.unwrap();
        wanted.work().await;
        wanted.assert_all_made().await;
    }
}

/// A list that doesn't hold anything yet.
fn nothing() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "next": null, "previous": null, "results": [] }))
}

#[tokio::test]
async fn an_image_that_is_listed_only_a_moment_later_is_not_asked_for_twice() {
    // It may have been begun ten seconds after it was asked for, and be listed fifteen seconds after that.
    for seconds in [0, 20] {
        let wanted = Wanted::image(first(Outcome::AnswerIsLost)).await;
        wanted.work_once().await;
        wanted.world.advance_clock(SignedDuration::from_secs(seconds));
        wanted.world.replicate.answer_next(Place::List, nothing());
        wanted.work().await;
        assert!(wanted.world.replicate.has_answered_so());
        wanted.assert_all_made().await;
        assert_eq!(wanted.world.replicate.creations(), 1);
    }
}

#[tokio::test]
async fn a_look_that_began_too_early_finds_out_nothing_however_long_it_takes() {
    let wanted = Wanted::image(first(Outcome::AnswerIsLost)).await;
    wanted.work_once().await;
    wanted.world.replicate.answer_next(Place::List, nothing().set_delay(Duration::from_secs(1)));
    let pass = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        wanted.world.advance_clock(SignedDuration::from_secs(40));
    };
    tokio::join!(wanted.work_once(), pass);
    assert!(wanted.world.replicate.has_answered_so());
    wanted.work().await;
    wanted.assert_all_made().await;
    assert_eq!(wanted.world.replicate.creations(), 1);
}

#[tokio::test]
async fn a_list_whose_next_page_is_said_to_lie_elsewhere_is_read_to_its_end_here() {
    for next in ["https://api.replicate.com/v1/predictions?cursor=100", "no page at all"] {
        let wanted = Wanted::image(first(Outcome::AnswerIsLost)).await;
        wanted.work_once().await;
        wanted.world.replicate.let_others_begin(100);
        wanted.world.advance_clock(SignedDuration::from_secs(60));
        let first_page = json!({ "next": next, "previous": null, "results": [] });
        wanted.world.replicate.answer_next(Place::List, ResponseTemplate::new(200).set_body_json(first_page));
        wanted.work().await;
        assert!(wanted.world.replicate.has_answered_so());
        wanted.assert_all_made().await;
        assert_eq!(wanted.world.replicate.creations(), 1, "{next}");
    }
}
