//! The lifecycle of a slot: one image of a plan, from the reservation of its price to its place in the set.
//!
//! The embedded generator costs nothing: its slots go from pending to staged. A paid image passes every state in
//! between, so that an interrupted worker's successor knows what may have been charged.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::{Deserialize, Serialize};

use super::ImpossibleEvent;
use crate::budget::{Charge, Settlement};
use crate::money::MicroUsd;
use crate::prompts::OwnPrompt;

/// The progress of one slot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotProgress {
    /// The state of the current attempt.
    pub state: SlotState,
    /// The service that the current attempt was requested from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Failed attempts.
    pub attempt: u32,
    /// The prompt of the current attempt, if it replaces the one in the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_id: Option<String>,
    /// That prompt itself, if it is not built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_prompt: Option<OwnPrompt>,
    /// The price of all paid attempts.
    pub spent: MicroUsd,
    /// The beginning of the generator's present outage.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millisecond::optional")]
    pub outage_since: Option<Timestamp>,
    /// Fetches of the current prediction's output that returned no image.
    pub fetches: u32,
    /// Predictions of the current attempt that the generator accepted and did not finish.
    pub interruptions: u32,
    /// The first of these interruptions.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millisecond::optional")]
    pub interrupted_since: Option<Timestamp>,
}

/// The state of a slot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotState {
    /// Nothing has been reserved or requested.
    #[default]
    Pending,
    /// The price is reserved. Nothing is requested, so nothing is charged.
    Reserved {
        /// The reserved price.
        charge: Charge,
    },
    /// A prediction has been requested. It may exist, and may be charged, although its id is unknown.
    Requested {
        /// The reserved price.
        charge: Charge,
        /// The time just before the last request.
        #[serde(with = "millisecond::required")]
        at: Timestamp,
    },
    /// The prediction exists.
    Predicting {
        /// The reserved price.
        charge: Charge,
        /// The generator's id of the prediction.
        id: String,
        /// The time at which the id became known.
        #[serde(with = "millisecond::required")]
        since: Timestamp,
    },
    /// The image is paid for and lies in the staging area.
    Staged,
    /// The image has its file name and its record.
    Numbered {
        /// The file name, which ends in the number.
        filename: String,
    },
    /// The image is in its place.
    Done {
        /// The file name.
        filename: String,
        /// The time at which it was in place, at the latest.
        #[serde(with = "millisecond::required")]
        at: Timestamp,
    },
    /// There will be no image.
    Failed {
        /// The cause, as a sentence for the operator.
        reason: String,
    },
}

/// An event in the life of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotEvent {
    /// The price has been reserved.
    PriceReserved {
        /// The reserved price.
        charge: Charge,
    },
    /// A prediction is about to be requested, for the first time or after a search that found none.
    RequestBegun {
        /// The present time.
        at: Timestamp,
        /// The service.
        service: &'static str,
    },
    /// The first request certainly created no prediction.
    RequestFailed,
    /// The id of the prediction is known, from the response or from a search.
    PredictionFound {
        /// The generator's id of the prediction.
        id: String,
        /// The present time.
        at: Timestamp,
    },
    /// A fetch of the output returned no image. The prediction stays.
    FetchFailed,
    /// The generator did not finish the prediction and does not charge it. The attempt continues.
    Interrupted {
        /// The first interruption of the series.
        since: Timestamp,
    },
    /// The generator's outage has begun, continues, or is over.
    OutageNoted {
        /// The beginning; `None` if it is over.
        since: Option<Timestamp>,
    },
    /// The image has arrived and lies in the staging area.
    ImageStaged,
    /// The attempt gave no image, and another one follows.
    AttemptFailed {
        /// Whether the attempt was charged.
        settlement: Settlement,
        /// The prompt of the next attempt, if it differs.
        prompt: Option<NextPrompt>,
    },
    /// The last attempt gave no image.
    Abandoned {
        /// Whether the attempt was charged.
        settlement: Settlement,
        /// The cause, as a sentence for the operator.
        reason: String,
    },
    /// The image has got the next number.
    NumberAssigned {
        /// The file name.
        filename: String,
    },
    /// An upload has the number; the image needs another one.
    NumberReleased,
    /// The staged bytes of a numbered image are gone.
    ImageLost {
        /// The cause, as a sentence for the operator.
        reason: String,
    },
    /// The image is in its place.
    ImagePlaced {
        /// The present time.
        at: Timestamp,
    },
}

/// A prompt that replaces a rejected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPrompt {
    /// Its id.
    pub id: String,
    /// The prompt itself, if it is not built in.
    pub own: Option<OwnPrompt>,
}

impl SlotProgress {
    /// The progress after an event.
    ///
    /// # Errors
    /// If the event is impossible in this state.
    pub fn apply(&self, event: &SlotEvent) -> Result<Self, ImpossibleEvent> {
        use {SlotEvent as E, SlotState as S};
        let with = |state| Self { state, ..self.clone() };
        Ok(match (&self.state, event) {
            // Whatever the generator was asked before has been answered.
            (S::Pending, &E::PriceReserved { charge }) => Self { outage_since: None, ..with(S::Reserved { charge }) },
            (&S::Reserved { charge } | &S::Requested { charge, .. }, &E::RequestBegun { at, service }) => {
                Self { service: Some(service.to_owned()), ..with(S::Requested { charge, at }) }
            }
            (&S::Requested { charge, .. }, E::RequestFailed) => with(S::Reserved { charge }),
            (&S::Requested { charge, .. }, E::PredictionFound { id, at }) => {
                Self { outage_since: None, ..with(S::Predicting { charge, id: id.clone(), since: *at }) }
            }
            (S::Predicting { .. }, E::FetchFailed) => Self { fetches: self.fetches + 1, ..self.clone() },
            (&S::Predicting { charge, .. }, &E::Interrupted { since }) => Self {
                interruptions: self.interruptions + 1,
                interrupted_since: Some(since),
                fetches: 0,
                ..with(S::Reserved { charge })
            },
            (
                S::Pending | S::Reserved { .. } | S::Requested { .. } | S::Predicting { .. },
                &E::OutageNoted { since },
            ) => Self { outage_since: since, ..self.clone() },
            (S::Pending | S::Reserved { .. } | S::Requested { .. } | S::Predicting { .. }, event) => {
                return self.end_attempt(event);
            }
            (S::Staged, E::NumberAssigned { filename }) => with(S::Numbered { filename: filename.clone() }),
            (S::Numbered { .. }, E::NumberReleased) => with(S::Staged),
            (S::Numbered { .. }, E::ImageLost { reason }) => with(S::Failed { reason: reason.clone() }),
            (S::Numbered { filename }, &E::ImagePlaced { at }) => with(S::Done { filename: filename.clone(), at }),
            _ => return Err(self.rejected(event)),
        })
    }

    /// The end of the present attempt, whatever has been requested in it.
    fn end_attempt(&self, event: &SlotEvent) -> Result<Self, ImpossibleEvent> {
        let ended = |state, settlement| {
            let cost = self.state.charge().filter(|_| settlement == Settlement::Paid).map(|charge| charge.amount);
            let spent = self.spent + cost.unwrap_or_default();
            Self { state, spent, outage_since: None, interrupted_since: None, ..self.clone() }
        };
        Ok(match event {
            SlotEvent::ImageStaged => ended(SlotState::Staged, self.state.settlement_in_doubt()),
            SlotEvent::AttemptFailed { settlement, prompt } if self.state != SlotState::Pending => {
                let (prompt_id, own_prompt) = match prompt.clone() {
                    Some(NextPrompt { id, own }) => (Some(id), own),
                    None => (self.prompt_id.clone(), self.own_prompt.clone()),
                };
                Self {
                    service: None,
                    attempt: self.attempt + 1,
                    prompt_id,
                    own_prompt,
                    fetches: 0,
                    interruptions: 0,
                    ..ended(SlotState::Pending, *settlement)
                }
            }
            SlotEvent::Abandoned { settlement, reason } => {
                ended(SlotState::Failed { reason: reason.clone() }, *settlement)
            }
            _ => return Err(self.rejected(event)),
        })
    }

    fn rejected(&self, event: &SlotEvent) -> ImpossibleEvent {
        ImpossibleEvent { record: "slot", state: self.state.name(), event: event.name() }
    }

    /// The charge that the step from `self` to `next` settles.
    #[must_use]
    pub fn settled_by(&self, next: &Self) -> Option<(Charge, Settlement)> {
        let charge = self.state.charge().filter(|_| next.state.charge().is_none())?;
        Some((charge, if next.spent > self.spent { Settlement::Paid } else { Settlement::Released }))
    }
}

impl SlotState {
    /// The name of the state in the table and in the documentation.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Reserved { .. } => "reserved",
            Self::Requested { .. } => "requested",
            Self::Predicting { .. } => "predicting",
            Self::Staged => "staged",
            Self::Numbered { .. } => "numbered",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
        }
    }

    /// The price that is reserved and not yet settled.
    #[must_use]
    pub fn charge(&self) -> Option<Charge> {
        match self {
            Self::Reserved { charge } | Self::Requested { charge, .. } | Self::Predicting { charge, .. } => {
                Some(*charge)
            }
            Self::Pending | Self::Staged | Self::Numbered { .. } | Self::Done { .. } | Self::Failed { .. } => None,
        }
    }

    /// How to settle the charge if the attempt ends now: whatever may have been charged counts as paid.
    #[must_use]
    pub fn settlement_in_doubt(&self) -> Settlement {
        match self {
            Self::Requested { .. } | Self::Predicting { .. } => Settlement::Paid,
            Self::Pending
            | Self::Reserved { .. }
            | Self::Staged
            | Self::Numbered { .. }
            | Self::Done { .. }
            | Self::Failed { .. } => Settlement::Released,
        }
    }

    /// Whether the image may be paid for and is not yet in its place.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        match self {
            Self::Requested { .. } | Self::Predicting { .. } | Self::Staged | Self::Numbered { .. } => true,
            Self::Pending | Self::Reserved { .. } | Self::Done { .. } | Self::Failed { .. } => false,
        }
    }

    /// The time at which the state began, if it records one.
    #[must_use]
    pub fn entered_at(&self) -> Option<Timestamp> {
        match self {
            Self::Requested { at, .. } | Self::Predicting { since: at, .. } | Self::Done { at, .. } => Some(*at),
            Self::Pending | Self::Reserved { .. } | Self::Staged | Self::Numbered { .. } | Self::Failed { .. } => None,
        }
    }

    /// Whether no further work on the slot is needed.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Done { .. } | Self::Failed { .. } => true,
            Self::Pending
            | Self::Reserved { .. }
            | Self::Requested { .. }
            | Self::Predicting { .. }
            | Self::Staged
            | Self::Numbered { .. } => false,
        }
    }
}

impl SlotEvent {
    /// The name of the event in the documentation.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::PriceReserved { .. } => "price reserved",
            Self::RequestBegun { .. } => "request begun",
            Self::RequestFailed => "request failed",
            Self::PredictionFound { .. } => "prediction found",
            Self::FetchFailed => "fetch failed",
            Self::Interrupted { .. } => "interrupted",
            Self::OutageNoted { .. } => "outage noted",
            Self::ImageStaged => "image staged",
            Self::AttemptFailed { .. } => "attempt failed",
            Self::Abandoned { .. } => "abandoned",
            Self::NumberAssigned { .. } => "number assigned",
            Self::NumberReleased => "number released",
            Self::ImageLost { .. } => "image lost",
            Self::ImagePlaced { .. } => "image placed",
        }
    }
}

#[cfg(test)]
mod tests;
