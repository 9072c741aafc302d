//! A worker that stalls past its leases and then goes on.

use std::pin::pin;

use aws::queues::Queue;
use aws_lambda_events::event::sqs::SqsBatchResponse;

use super::{LEASES_EXPIRED, Network, World};

impl World {
    /// Delivers all messages in workers on the network `stalling`, until one of them stalls. Then other workers take its
    /// leases and messages, and finish everything. `finished` runs, the stalled worker continues to its end, and the
    /// remaining messages are delivered. Returns what `finished` returned, or `None` if no worker has stalled.
    pub async fn drive_with_stall<T>(&self, stalling: &Network, finished: impl AsyncFnOnce() -> T) -> Option<T> {
        // Workers reject the address of an output on another server than theirs.
        self.replicate.set_public_address(&format!("{}/replicate", stalling.address()));
        loop {
            let mut is_idle = true;
            for queue in [Queue::Evaluation, Queue::Deletion, Queue::Generation] {
                let messages = self.receive(queue).await;
                if messages.is_empty() {
                    continue;
                }
                is_idle = false;
                let mut stalled = pin!(self.process_through(stalling, queue, &messages));
                let answer = tokio::select! {
                    biased;
                    () = stalling.stall() => None,
                    answer = &mut stalled => Some(answer),
                };
                for message in &messages {
                    let is_failed = |answer: &SqsBatchResponse| {
                        answer
                            .batch_item_failures
                            .iter()
                            .any(|it| Some(&it.item_identifier) == message.message_id.as_ref())
                    };
                    if answer.as_ref().is_none_or(is_failed) {
                        self.make_visible(queue, message).await;
                    } else {
                        self.delete(queue, message).await;
                    }
                }
                if answer.is_none() {
                    self.replicate.set_public_address(&format!("{}/replicate", self.network.address()));
                    self.advance_clock(LEASES_EXPIRED);
                    self.drive().await;
                    let result = finished().await;
                    stalling.resume();
                    stalled.await;
                    return Some(result);
                }
            }
            if is_idle && self.queues.total_depth().await.unwrap() == 0 {
                return None;
            }
        }
    }
}
