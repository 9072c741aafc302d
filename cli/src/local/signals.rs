//! The signals that end a run in an orderly way.

use std::fs;
use std::future;
use std::sync::LazyLock;

use tokio::signal::unix::{SignalKind, signal};

/// Whether SIGHUP was ignored when the program started, as `nohup` arranges. In that case the run must outlive its
/// terminal.
static IGNORES_HANGUP: LazyLock<bool> =
    LazyLock::new(|| fs::read_to_string("/proc/self/status").is_ok_and(|status| has_hangup_ignored(&status)));

/// Returns when the user presses Ctrl-C, when the program receives SIGTERM, or when its terminal is closed.
pub async fn interruption() {
    // Queried before a handler is installed, which would replace the ignored state.
    let ignores_hangup = *IGNORES_HANGUP;
    let hangup =
        async { if ignores_hangup { future::pending().await } else { arrival_of(SignalKind::hangup()).await } };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = arrival_of(SignalKind::terminate()) => {}
        () = hangup => {}
    }
}

async fn arrival_of(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => future::pending().await,
    }
}

/// Reads Linux's mask of ignored signals; SIGHUP is the first. Other systems don't show it.
fn has_hangup_ignored(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_of_ignored_signals_is_parsed() {
        let status = |mask: &str| format!("Name:\tbalancer\nSigBlk:\t0000000000000001\nSigIgn:\t{mask}\n");
        assert!(has_hangup_ignored(&status("0000000000001001")));
        assert!(!has_hangup_ignored(&status("0000000000001000")));
        assert!(!has_hangup_ignored("Name:\tbalancer\n"));
    }
}
