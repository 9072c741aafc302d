use std::iter::successors;

use jiff::Timestamp;

use super::*;
use crate::lifecycle::tables::assert_documented;

/// Every state once. A new variant doesn't compile until it has a place here.
fn states() -> impl Iterator<Item = DeletionState> {
    successors(Some(DeletionState::NotBegun), |state| match state {
        DeletionState::NotBegun => Some(DeletionState::Claimed),
        DeletionState::Claimed => Some(DeletionState::Trashed),
        DeletionState::Trashed => None,
    })
}

/// Every event once. A new variant doesn't compile until it has a place here.
fn events() -> impl Iterator<Item = DeletionEvent> {
    use DeletionEvent as E;
    successors(Some(E::ImageClaimed), |event| match event {
        E::ImageClaimed => Some(E::WorkerJoined),
        E::WorkerJoined => Some(E::ImageRemoved),
        E::ImageRemoved => Some(E::ObjectMissing),
        E::ObjectMissing => Some(E::ObjectReplaced { has_copy: false }),
        E::ObjectReplaced { has_copy: false } => Some(E::ObjectReplaced { has_copy: true }),
        E::ObjectReplaced { has_copy: true } => Some(E::ImageRestored),
        E::ImageRestored => None,
    })
}

fn image(etag: Option<&str>) -> Image {
    Image { etag: etag.map(str::to_owned), ..Image::default() }
}

fn deletion(id: &str, etag: &str) -> TrashRecord {
    TrashRecord {
        plan_id: id.to_owned(),
        deleted_at: Timestamp::UNIX_EPOCH,
        reason: "surplus".to_owned(),
        image: image(Some(etag)),
        sidecars: Vec::new(),
    }
}

#[test]
fn documented_transitions_are_those_of_the_code() {
    let (states, events): (Vec<_>, Vec<_>) = (states().collect(), events().collect());
    let names = (states.iter().map(|state| state.name()), events.iter().map(|event| event.name()));
    assert_documented("deletion", names.0, names.1, |state, event| {
        states[state].apply(events[event]).map(DeletionState::name)
    });
}

#[test]
fn list_of_events_is_complete() {
    assert_eq!(events().collect::<Vec<_>>(), DeletionEvent::ALL);
}

#[test]
fn only_its_own_claim_counts() {
    let claimed = Image { deleting: Some("p".to_owned()), ..image(None) };
    assert_eq!(DeletionState::of("p", Some(&claimed), true), DeletionState::Claimed);
    assert_eq!(DeletionState::of("p", Some(&claimed), false), DeletionState::Claimed, "the trash record has expired");
    for image in [None, Some(&image(None)), Some(&Image { deleting: Some("q".to_owned()), ..image(None) })] {
        assert_eq!(DeletionState::of("p", image, true), DeletionState::Trashed);
        assert_eq!(DeletionState::of("p", image, false), DeletionState::NotBegun);
    }
}

#[test]
fn unclaimed_image_is_claimed_with_its_record() {
    let known = Image { prompt: Some("a portrait".to_owned()), ..image(Some("1")) };
    let wanted = deletion("p", "1");
    for version in [Version::Assessed, Version::Any] {
        let Admission::Claim(record) = admit(Some(&known), None, &wanted, version) else { panic!("{version:?}") };
        assert_eq!((record.plan_id.as_str(), &record.image), ("p", &known));
        assert_eq!(admit(None, None, &wanted, version), Admission::Claim(wanted.clone()), "not evaluated yet");
    }
}

#[test]
fn pinned_image_is_never_claimed() {
    let pinned = Image { pinned: true, ..image(Some("1")) };
    for kept in [None, Some(deletion("p", "1"))] {
        for version in [Version::Assessed, Version::Any] {
            assert_eq!(admit(Some(&pinned), kept.clone(), &deletion("p", "1"), version), Admission::Pinned);
        }
    }
}

#[test]
fn planned_deletion_keeps_another_object() {
    let (known, wanted) = (image(Some("2")), deletion("p", "1"));
    assert_eq!(admit(Some(&known), None, &wanted, Version::Assessed), Admission::Replaced);
    let Admission::Claim(record) = admit(Some(&known), None, &wanted, Version::Any) else { panic!() };
    assert_eq!(record.image.etag.as_deref(), Some("1"), "the record describes the object that is deleted");
    // A record without an ETag was imported, or its object was just generated.
    let unread = image(None);
    assert!(matches!(admit(Some(&unread), None, &wanted, Version::Assessed), Admission::Claim(_)));
}

#[test]
fn completed_deletion_is_not_repeated() {
    let kept = deletion("p", "1");
    for known in [None, Some(image(Some("1"))), Some(image(Some("2")))] {
        for version in [Version::Assessed, Version::Any] {
            let found = admit(known.as_ref(), Some(kept.clone()), &deletion("p", "1"), version);
            assert_eq!(found, Admission::Over(kept.clone()), "{known:?} {version:?}");
        }
    }
}

#[test]
fn claimed_image_is_deleted_under_its_first_id() {
    let claimed = Image { deleting: Some("first".to_owned()), ..image(Some("1")) };
    let kept = deletion("first", "1");
    let second = |etag| deletion("second", etag);
    let join = |kept: Option<TrashRecord>, wanted: TrashRecord, version| admit(Some(&claimed), kept, &wanted, version);
    for version in [Version::Assessed, Version::Any] {
        assert_eq!(join(Some(kept.clone()), second("1"), version), Admission::Join(kept.clone()));
    }
    assert_eq!(join(Some(kept.clone()), second("2"), Version::Assessed), Admission::Replaced);
    assert_eq!(join(Some(kept.clone()), second("2"), Version::Any), Admission::Join(kept));
    // Its trash record has expired.
    let Admission::Join(record) = join(None, second("1"), Version::Assessed) else { panic!() };
    assert_eq!(record.plan_id, "first");
}
