//! The generation handler against a stand-in for Replicate: its response to every answer.

mod comfyui;
mod coverage;
mod creation;
mod interruptions;
mod lost_creations;
mod models;
mod outage;
mod output;
mod polling;
mod reasons;
mod support;
mod time_limits;
