//! Isolates a panic to the message whose processing caused it.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

/// The message of a panic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a panic, which is a bug in this program: {0}")]
pub struct Panicked(String);

/// Runs a future and turns its panic into an error.
///
/// The state in memory may be inconsistent after a panic. Handlers keep all state in the bucket and the table.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    // On the heap, because a handler's future is large, and each future around it would contain it again.
    AssertUnwindSafe(Box::pin(work)).catch_unwind().await.map_err(|payload| Panicked(message(payload.as_ref())))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
#[allow(clippy::panic, reason = "the tests catch panics")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn panic_message_is_kept() {
        let number = 7;
        let caught_panic = caught(async { panic!("number {number} is up") }).await.map(|(): ()| ()).unwrap_err();
        assert_eq!(caught_panic.to_string(), "a panic, which is a bug in this program: number 7 is up");
        assert_eq!(caught(async { panic!("plain") }).await, Err::<(), _>(Panicked("plain".to_owned())));
    }

    #[tokio::test]
    async fn result_without_panic_is_unchanged() {
        assert_eq!(caught(async { Err::<(), _>("an error") }).await, Ok(Err("an error")));
    }
}
