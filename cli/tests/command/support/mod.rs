//! Helpers of the command's tests.

pub(crate) mod actors;
pub(crate) mod background;
pub(crate) mod damaged;
pub(crate) mod deployed;
pub(crate) mod desk;
pub(crate) mod elsewhere;
pub(crate) mod gpu;
pub(crate) mod paid;
pub(crate) mod pictures;
pub(crate) mod readers;
pub(crate) mod run;
pub(crate) mod sets;
pub(crate) mod stack;
