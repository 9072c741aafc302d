//! The `balancer` command as people meet it: what is typed, what is answered, what lies in the folder afterwards.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "that is how tests fail and remark")]

mod support;

mod assess_and_plan;
mod bad_images;
mod bad_input;
mod care;
mod credentials;
mod ends;
mod first_run;
mod grid;
mod keeping;
mod killed;
mod local;
mod names;
mod odd_folders;
mod paid;
mod proposals;
mod serving;
mod several_stacks;
mod suspended;
mod trash;
mod unreadable;
mod watched_folder;
mod watching;
