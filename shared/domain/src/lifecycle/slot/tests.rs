use std::iter::successors;

use jiff::civil::Date;

use super::*;
use crate::lifecycle::tables::assert_documented;

const CHARGE: Charge = Charge { day: Date::constant(2026, 1, 2), amount: MicroUsd(40_000) };
const AT: Timestamp = Timestamp::UNIX_EPOCH;

/// Every state once. A new variant doesn't compile until it has a place here.
fn states() -> impl Iterator<Item = SlotState> {
    let filename = || "hero_7.jpg".to_owned();
    successors(Some(SlotState::Pending), move |state| match state {
        SlotState::Pending => Some(SlotState::Reserved { charge: CHARGE }),
        SlotState::Reserved { .. } => Some(SlotState::Requested { charge: CHARGE, at: AT }),
        SlotState::Requested { .. } => Some(SlotState::Predicting { charge: CHARGE, id: "id".to_owned(), since: AT }),
        SlotState::Predicting { .. } => Some(SlotState::Staged),
        SlotState::Staged => Some(SlotState::Numbered { filename: filename() }),
        SlotState::Numbered { .. } => Some(SlotState::Done { filename: filename(), at: AT }),
        SlotState::Done { .. } => Some(SlotState::Failed { reason: "no".to_owned() }),
        SlotState::Failed { .. } => None,
    })
}

/// Every event once. A new variant doesn't compile until it has a place here.
fn events() -> impl Iterator<Item = SlotEvent> {
    use SlotEvent as E;
    let (settlement, reason) = (Settlement::Paid, || "no".to_owned());
    successors(Some(E::PriceReserved { charge: CHARGE }), move |event| match event {
        E::PriceReserved { .. } => Some(E::RequestBegun { at: AT, service: "Replicate" }),
        E::RequestBegun { .. } => Some(E::RequestFailed),
        E::RequestFailed => Some(E::PredictionFound { id: "id".to_owned(), at: AT }),
        E::PredictionFound { .. } => Some(E::FetchFailed),
        E::FetchFailed => Some(E::Interrupted { since: AT }),
        E::Interrupted { .. } => Some(E::OutageNoted { since: Some(AT) }),
        E::OutageNoted { .. } => {
            Some(E::AttemptFailed { settlement, prompt: Some(NextPrompt { id: "p".to_owned(), own: None }) })
        }
        E::AttemptFailed { .. } => Some(E::Abandoned { settlement, reason: reason() }),
        E::Abandoned { .. } => Some(E::ImageStaged),
        E::ImageStaged => Some(E::NumberAssigned { filename: "hero_7.jpg".to_owned() }),
        E::NumberAssigned { .. } => Some(E::NumberReleased),
        E::NumberReleased => Some(E::ImageLost { reason: reason() }),
        E::ImageLost { .. } => Some(E::ImagePlaced { at: AT }),
        E::ImagePlaced { .. } => None,
    })
}

/// A slot in this state with a past.
fn slot(state: SlotState) -> SlotProgress {
    SlotProgress {
        service: Some("Replicate".to_owned()),
        state,
        attempt: 1,
        prompt_id: None,
        own_prompt: None,
        spent: MicroUsd(40_000),
        outage_since: Some(AT),
        fetches: 2,
        interruptions: 3,
        interrupted_since: Some(AT),
    }
}

#[test]
fn documented_transitions_are_those_of_the_code() {
    let states: Vec<_> = states().collect();
    let events: Vec<_> = events().collect();
    assert_documented(
        "slot",
        states.iter().map(SlotState::name),
        events.iter().map(SlotEvent::name),
        |state, event| slot(states[state].clone()).apply(&events[event]).map(|next| next.state.name()),
    );
}

#[test]
fn every_charge_is_settled_exactly_once() {
    for state in states() {
        for event in events() {
            let before = slot(state.clone());
            let Ok(after) = before.apply(&event) else { continue };
            let is_over = before.state.charge().is_some() && after.state.charge().is_none();
            let settled = before.settled_by(&after);
            assert_eq!(settled.is_some(), is_over, "{before:?} {event:?}");
            let paid = if matches!(settled, Some((_, Settlement::Paid))) { CHARGE.amount } else { MicroUsd::ZERO };
            assert_eq!(after.spent, before.spent + paid, "{before:?} {event:?}");
        }
    }
}

#[test]
fn final_states_allow_no_event() {
    for state in states().filter(SlotState::is_final) {
        for event in events() {
            let rejected = slot(state.clone()).apply(&event).unwrap_err();
            assert_eq!((rejected.state, rejected.event), (state.name(), event.name()));
        }
    }
}

#[test]
fn charge_in_doubt_counts_as_paid() {
    for state in states().filter(|state| !state.is_final()) {
        let may_be_charged = matches!(state, SlotState::Requested { .. } | SlotState::Predicting { .. });
        let expected = if may_be_charged { Settlement::Paid } else { Settlement::Released };
        assert_eq!(state.settlement_in_doubt(), expected, "{state:?}");
        assert!(state.is_under_way() || !may_be_charged, "{state:?}");
    }
}

#[test]
fn next_attempt_begins_afresh() {
    let failed = SlotEvent::AttemptFailed { settlement: Settlement::Paid, prompt: None };
    let before = SlotProgress { prompt_id: Some("other".to_owned()), ..slot(SlotState::Reserved { charge: CHARGE }) };
    let expected = SlotProgress {
        attempt: 2,
        prompt_id: Some("other".to_owned()),
        spent: MicroUsd(80_000),
        ..SlotProgress::default()
    };
    assert_eq!(before.apply(&failed), Ok(expected));
}

#[test]
fn interruption_keeps_attempt_and_reservation() {
    let before = slot(SlotState::Predicting { charge: CHARGE, id: "id".to_owned(), since: AT });
    let expected = SlotProgress { interruptions: 4, fetches: 0, ..slot(SlotState::Reserved { charge: CHARGE }) };
    assert_eq!(before.apply(&SlotEvent::Interrupted { since: AT }), Ok(expected));
}

#[test]
fn progress_survives_serialization() {
    for state in states() {
        let before = slot(state);
        let json = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<SlotProgress>(&json).unwrap(), before, "{json}");
    }
}
