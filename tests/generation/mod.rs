//! The generation handler against stand-ins for the image services: its response to every answer.

mod comfyui;
mod coverage;
mod creation;
mod formats;
mod image_edits;
mod interruptions;
mod lost_creations;
mod models;
mod outage;
mod output;
mod polling;
mod reasons;
mod references;
mod support;
mod time_limits;
