//! Progress: bars where somebody watches, plain lines where nobody does.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::outcome::remark;

/// All progress bars, so that remarks can be printed above them.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Runs a closure while no bar is shown.
pub fn aside(act: impl FnOnce()) {
    BARS.suspend(act);
}

/// One long piece of work.
pub struct Progress(ProgressBar);

impl Progress {
    /// Begins `steps` steps of `work`.
    pub fn start(work: &str, steps: u64) -> Self {
        let bar = BARS.add(ProgressBar::new(steps)).with_message(work.to_owned()).with_style(bar_style());
        if !std::io::stderr().is_terminal() {
            remark(format!("{work} ({steps})"));
        }
        Self(bar)
    }

    /// One step is done.
    pub fn step(&self) {
        self.0.inc(1);
    }

    /// All is done.
    pub fn finish(self) {
        self.0.finish_and_clear();
    }
}

/// A piece of work whose length nobody knows.
pub struct Spinner(ProgressBar);

impl Spinner {
    /// Begins it.
    pub fn start(work: &str) -> Self {
        let spinner = BARS.add(ProgressBar::new_spinner()).with_message(work.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(120));
        if !std::io::stderr().is_terminal() {
            remark(work);
        }
        Self(spinner)
    }

    /// It is done.
    pub fn finish(self) {
        self.0.finish_and_clear();
    }
}

/// What many actors are at, a line each.
pub struct StatusLines {
    lines: HashMap<String, (ProgressBar, String)>,
    is_watched: bool,
}

impl StatusLines {
    /// An empty board.
    pub fn new() -> Self {
        Self { lines: HashMap::new(), is_watched: std::io::stderr().is_terminal() }
    }

    /// `name` is at `state` now, `done` of `all` steps.
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
            if !self.is_watched {
                remark(&state);
            }
            *shown = state;
        }
    }

    /// Takes the board away.
    pub fn clear(self) {
        for (bar, _) in self.lines.into_values() {
            bar.finish_and_clear();
        }
    }
}

fn bar_style() -> ProgressStyle {
    // The template is constant; were it wrong, the plain bar would do.
    ProgressStyle::with_template("{spinner} {bar:24} {pos:>3}/{len:<3} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
