//! Invalid uploads and messages damage nothing and are reported.

mod files;
mod hostile;
mod messages;
mod names;
mod needs_attention;
