//! How a handler responds to a failed call.

use std::time::Duration;

/// The response that a failed call requires, whatever the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The failure concerns this delivery only: the message fails, and SQS delivers it again.
    Retry,
    /// The service works and asks for this delay: the message is deferred.
    RetryAfter(Duration),
    /// The service fails temporarily: the message is deferred with increasing delays.
    Outage {
        /// The shortest delay that the service asks for.
        retry_after: Option<Duration>,
    },
    /// The service sent no answer in time. Like an outage, except that each retry may exceed the time limit again and
    /// be billed.
    Timeout,
    /// A budget, or the account with the generator, has no money left: the actor is parked.
    NeedsFunds,
    /// The service rejected the content of the request. A request with other content may succeed.
    ContentRejected,
    /// The same request fails until the operator has changed something. The error names the remedy.
    NeedsOperator,
    /// The same request always fails, and no change of the configuration helps.
    Permanent,
}

/// Whether a failed request may appear on the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billed {
    /// The request was not sent, or the service rejected it before it did any work.
    No,
    /// The request may have been carried out.
    Unknown,
    /// The request was carried out; only its result is unusable.
    Yes,
}
