//! The messages that a worker holds while it processes a batch.

use aws::queues::{Queue, Queues};
use tokio::sync::Mutex;
use tracing::warn;

use crate::heartbeat::{Heartbeat, VISIBILITY};

/// The receipt handles of the messages of a batch that the worker keeps invisible.
///
/// The queue's visibility timeout is six times the function's timeout, as AWS recommends. The worker shortens it, so that
/// SQS delivers the messages of a dead worker soon.
pub(super) struct HeldMessages<'a> {
    queues: &'a Queues,
    queue: Queue,
    handles: Mutex<Vec<String>>,
}

impl<'a> HeldMessages<'a> {
    pub(super) fn new(queues: &'a Queues, queue: Queue, handles: Vec<String>) -> Self {
        Self { queues, queue, handles: Mutex::new(handles) }
    }

    /// Keeps the messages invisible for [`VISIBILITY`] from now on.
    pub(super) async fn hold(&self) {
        let handles = self.handles.lock().await;
        if handles.is_empty() {
            return;
        }
        if let Err(error) = self.queues.hold(self.queue, &handles, VISIBILITY).await {
            // The next heartbeat tries again.
            warn!("the messages could not be held: {error}");
        }
    }

    /// Holds the messages with each heartbeat, for ever.
    pub(super) async fn keep_holding(&self, heartbeat: Heartbeat) -> std::convert::Infallible {
        loop {
            heartbeat.beat().await;
            self.hold().await;
        }
    }

    /// Stops holding a message that SQS must deliver again. No heartbeat extends its visibility timeout afterwards.
    pub(super) async fn release(&self, handle: &str) {
        self.handles.lock().await.retain(|held| held != handle);
    }
}
