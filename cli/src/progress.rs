//! Progress: bars in a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::bars::BARS;
use crate::outcome::remark;

/// A bar for work with a known number of steps.
pub struct Progress(ProgressBar);

impl Progress {
    pub fn start(work: &str, steps: u64) -> Self {
        let bar = BARS.add(ProgressBar::new(steps)).with_message(work.to_owned()).with_style(bar_style());
        if !std::io::stderr().is_terminal() {
            remark(format!("{work} ({steps})"));
        }
        Self(bar)
    }

    pub fn step(&self) {
        self.0.inc(1);
    }

    pub fn finish(self) {
        self.0.finish_and_clear();
    }
}

/// A spinner for work of unknown length.
pub struct Spinner(ProgressBar);

impl Spinner {
    pub fn start(work: &str) -> Self {
        let spinner = BARS.add(ProgressBar::new_spinner()).with_message(work.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(120));
        if !std::io::stderr().is_terminal() {
            remark(work);
        }
        Self(spinner)
    }

    pub fn finish(self) {
        self.0.finish_and_clear();
    }
}

/// The progress of many actors, one line for each.
pub struct StatusLines {
    lines: HashMap<String, (ProgressBar, String)>,
    is_terminal: bool,
}

impl StatusLines {
    pub fn new() -> Self {
        Self { lines: HashMap::new(), is_terminal: std::io::stderr().is_terminal() }
    }

    /// Shows that `name` is in `state`, after `done` of `all` steps.
    pub fn show(&mut self, name: &str, state: &str, done: u64, all: u64) {
        let (bar, shown) = self.lines.entry(name.to_owned()).or_insert_with(|| {
            let bar = BARS.add(ProgressBar::new(all)).with_style(bar_style());
            bar.enable_steady_tick(Duration::from_millis(120));
            (bar, String::new())
        });
        bar.set_length(all);
        bar.set_position(done);
        let state = format!("{name}: {state}");
        if *shown != state {
            bar.set_message(state.clone());
            if !self.is_terminal {
                remark(&state);
            }
            *shown = state;
        }
    }

    pub fn clear(self) {
        for (bar, _) in self.lines.into_values() {
            bar.finish_and_clear();
        }
    }
}

fn bar_style() -> ProgressStyle {
    // The template is a valid constant.
    ProgressStyle::with_template("{spinner} {bar:24} {pos:>3}/{len:<3} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
