//! The progress bars of the terminal.

use std::sync::LazyLock;

use indicatif::MultiProgress;

/// All progress bars, so that remarks can be printed above them.
pub static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);
