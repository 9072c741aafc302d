//! `balancer demo`: a sample actor, and a picture of its set before and after.

mod album;
mod contact_sheet;
mod sample_actor;

pub use album::Album;
pub use sample_actor::{ACTOR_ID, write_sample};
