//! `balancer dashboard`: a web page on this machine that shows the sets of a folder or a stack.
//!
//! Every request passes [`gate`] first. The pages are made of what [`shelf`] has read; while they are made, no picture
//! is decoded. [`live`] tells open pages which actors have changed.

mod acting;
mod activity;
mod answers;
mod gate;
mod live;
mod lookup;
#[cfg(test)]
mod measurement;
mod pictures;
mod routes;
mod server;
mod settings;
mod shelf;
mod stamps;
mod start;
#[cfg(test)]
mod tests;

pub use start::{Listener, Options};
