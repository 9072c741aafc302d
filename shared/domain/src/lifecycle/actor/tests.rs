use std::iter::successors;

use super::*;
use crate::lifecycle::tables::assert_documented;

/// Every state once. A new variant doesn't compile until it has a place here.
fn states() -> Vec<Standing> {
    use ActorState as S;
    let parked = |attention: Option<&str>| S::Parked { limit: None, attention: attention.map(str::to_owned) };
    let states = successors(Some(S::Waiting), |state| match state {
        S::Waiting => Some(S::Balancing),
        S::Balancing => Some(parked(None)),
        S::Parked { attention: None, .. } => Some(parked(Some("before"))),
        S::Parked { attention: Some(_), .. } => Some(S::Balanced),
        S::Balanced => Some(S::NeedsAttention),
        S::NeedsAttention => None,
    });
    states.map(|state| Standing { state, reason: Some("now".to_owned()) }).collect()
}

/// Every event once. A new variant doesn't compile until it has a place here.
fn events() -> Vec<ActorEvent> {
    use ActorEvent as E;
    let reason = || "next".to_owned();
    let verdict = |status| Some(E::Verdict { status, reason: reason() });
    successors(verdict(Status::Waiting), |event| match event {
        E::Verdict { status, .. } => match status {
            Status::Waiting => verdict(Status::Balancing),
            Status::Balancing => verdict(Status::Parked),
            Status::Parked => verdict(Status::Balanced),
            Status::Balanced => verdict(Status::NeedsAttention),
            Status::NeedsAttention => Some(E::WorkParked { limit: Some(Limit::Daily), reason: reason() }),
        },
        E::WorkParked { .. } => Some(E::WorkResumed),
        E::WorkResumed => Some(E::AttentionRequired { reason: reason() }),
        E::AttentionRequired { .. } => None,
    })
    .collect()
}

#[test]
fn documented_transitions_are_those_of_the_code() {
    let (states, events) = (states(), events());
    let names = (states.iter().map(|standing| standing.state.name()), events.iter().map(super::ActorEvent::name));
    assert_documented("actor", names.0, names.1, |state, event| {
        states[state].apply(&events[event]).map(|standing| standing.state.name())
    });
}

#[test]
fn parking_keeps_the_reason_for_attention() {
    let parked = |limit, reason: &str| ActorEvent::WorkParked { limit, reason: reason.to_owned() };
    for standing in states() {
        let attention = match &standing.state {
            ActorState::NeedsAttention => Some("now"),
            ActorState::Parked { attention, .. } => attention.as_deref(),
            ActorState::Waiting | ActorState::Balancing | ActorState::Balanced => None,
        };
        let once = standing.apply(&parked(Some(Limit::Daily), "no money")).unwrap();
        let twice = once.apply(&parked(None, "no credit")).unwrap();
        for (found, limit, reason) in [(&once, Some(Limit::Daily), "no money"), (&twice, None, "no credit")] {
            let state = ActorState::Parked { limit, attention: attention.map(str::to_owned) };
            assert_eq!(found, &Standing { state, reason: Some(reason.to_owned()) }, "{standing:?}");
        }
        let resumed = twice.apply(&ActorEvent::WorkResumed).unwrap();
        assert_eq!(resumed.state == ActorState::NeedsAttention, attention.is_some(), "{standing:?}");
        if attention.is_some() {
            assert_eq!(resumed.reason.as_deref(), attention);
        }
    }
}

#[test]
fn repeated_events_change_nothing_more() {
    for standing in states() {
        for event in events() {
            if let Ok(once) = standing.apply(&event) {
                let twice = once.apply(&event);
                assert!(twice.is_err() || twice == Ok(once), "{standing:?} {event:?}");
            }
        }
    }
}

#[test]
fn finished_work_does_not_concern_the_actor() {
    let current = CurrentWork {
        active_plan: Some("active".to_owned()),
        lease_token: Some("held".to_owned()),
        observed_revision: 10,
    };
    let manual = format!("{MANUAL}1");
    let none = CurrentWork::default();
    for (behalf, is_concerned, is_concerned_without_work) in [
        (OnBehalf::Plan("active"), true, false),
        (OnBehalf::Plan("earlier"), false, false),
        (OnBehalf::Plan(&manual), true, true),
        (OnBehalf::Evaluation("held"), true, false),
        (OnBehalf::Evaluation("lost"), false, false),
        (OnBehalf::Request(Some(9)), false, true),
        (OnBehalf::Request(Some(10)), false, true),
        (OnBehalf::Request(Some(11)), true, true),
        (OnBehalf::Request(None), true, true),
    ] {
        assert_eq!(behalf.concerns(&current), is_concerned, "{behalf:?}");
        assert_eq!(behalf.concerns(&none), is_concerned_without_work, "{behalf:?} without work");
    }
}
