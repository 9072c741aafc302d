//! The lifecycles of stored records: the states of each, and the events that change them.
//!
//! Each lifecycle is a pure function of a state and an event. The store reads a record, applies an event and writes the
//! result on condition that the record has not changed since. Only a deletion stores no state; see [`deletion`]. The
//! section "Lifecycles" of `docs/ARCHITECTURE.md` lists all transitions; a test compares it with the code.

pub mod actor;
pub mod deletion;
pub mod plan;
pub mod slot;
#[cfg(test)]
mod tables;

/// An event is impossible in the record's present state. Nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {record} in state `{state}` allows no event `{event}`")]
pub struct ImpossibleEvent {
    /// The kind of record.
    pub record: &'static str,
    /// The name of its state.
    pub state: &'static str,
    /// The name of the event.
    pub event: &'static str,
}
