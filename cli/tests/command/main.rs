//! The `balancer` command end to end: arguments, output, and the resulting folder.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests fail and report this way")]

mod support;

mod answers;
mod assess_and_plan;
mod assess_with_service;
mod bad_images;
mod bad_input;
mod captions;
mod care;
mod comfyui;
mod credentials;
mod doctor;
mod doctor_in_aws;
mod durable;
mod ends;
mod export;
mod export_local;
mod export_output;
mod export_readers;
mod first_run;
mod generators;
mod grid;
mod import;
mod import_into_a_stack;
mod keeping;
mod killed;
mod killed_functions;
mod local;
mod names;
mod odd_folders;
mod operating;
mod pages;
mod paid;
mod prompts;
mod proposals;
mod requests;
mod serving;
mod several_stacks;
mod suspended;
mod trash;
mod unreadable;
mod watched_folder;
mod watching;
