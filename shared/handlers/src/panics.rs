//! Panics are mistakes in this program. One of them must not take along what goes on beside it.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

/// What a piece of work said when it panicked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a panic, which is a mistake in the program: {0}")]
pub struct Panicked(String);

/// Does a piece of work to its end, even if that is a panic.
///
/// Whoever goes on afterwards must not rely on what the work has left half done in memory. The stages don't: all they
/// keep is in the bucket and the table.
///
/// # Errors
/// If the work panics.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    // Allocated on the heap: a stage's future is large, and each of the futures around it would need that space once
    // more.
    AssertUnwindSafe(Box::pin(work)).catch_unwind().await.map_err(|said| Panicked(words(said.as_ref())))
}

fn words(said: &(dyn Any + Send)) -> String {
    let text = said.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| said.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it said nothing".to_owned())
}

#[cfg(test)]
#[allow(clippy::panic, reason = "that is what is caught")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_panic_said_is_kept() {
        let number = 7;
        let said = caught(async { panic!("number {number} is up") }).await.map(|(): ()| ()).unwrap_err();
        assert_eq!(said.to_string(), "a panic, which is a mistake in the program: number 7 is up");
        assert_eq!(caught(async { panic!("plain") }).await, Err::<(), _>(Panicked("plain".to_owned())));
    }

    #[tokio::test]
    async fn work_that_does_not_panic_is_left_as_it_is() {
        assert_eq!(caught(async { Err::<(), _>("an error") }).await, Ok(Err("an error")));
    }
}
