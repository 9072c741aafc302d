//! The request that a message belongs to.

use aws::queues::{FIRST_SENT_AT, REQUEST_ID, Request};
use aws_lambda_events::event::sqs::SqsMessage;
use domain::messages::is_request_id;
use jiff::Timestamp;

use crate::Clock;
use crate::clock::plausible;

/// The request of a message: that of the first copy.
///
/// A message without a plausible time was not delivered by SQS: it is an event file for `sam local invoke`, which may
/// contain the id of another message. So each invocation with it is a request of its own.
pub(super) fn request_of(record: &SqsMessage, clock: &Clock) -> Request {
    let attribute = |name| record.message_attributes.get(name).and_then(|it| it.string_value.clone());
    let sent_at = |text: String| plausible(Timestamp::from_millisecond(text.parse().ok()?).ok()?, clock.now());
    let first_sent_at = attribute(FIRST_SENT_AT).and_then(sent_at);
    if let Some(id) = attribute(REQUEST_ID).filter(|id| is_request_id(id)) {
        return Request { id, first_sent_at };
    }
    let sent_at = record.attributes.get("SentTimestamp").cloned().and_then(sent_at);
    match record.message_id.clone().filter(|id| sent_at.is_some() && is_request_id(id)) {
        Some(id) => Request { id, first_sent_at: sent_at },
        None => Request { id: format!("event-{:016x}", rand::random::<u64>()), first_sent_at: None },
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::event::sqs::SqsMessageAttribute;

    use super::*;

    fn message(sent_at: &str) -> SqsMessage {
        let mut record = SqsMessage::default();
        record.message_id = Some("m-1".to_owned());
        let milliseconds =
            sent_at.parse::<Timestamp>().map_or_else(|_| sent_at.to_owned(), |at| at.as_millisecond().to_string());
        record.attributes.insert("SentTimestamp".to_owned(), milliseconds);
        record
    }

    fn clock() -> Clock {
        Clock::telling(|| "2026-03-20T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn first_copy_is_identified_by_its_message_id() {
        let sent = "2026-03-10T12:00:00Z";
        let request = request_of(&message(sent), &clock());
        assert_eq!(request, Request { id: "m-1".to_owned(), first_sent_at: sent.parse().ok() });
    }

    #[test]
    fn deferred_copy_keeps_id_and_time_of_the_first() {
        let mut copy = message("2026-03-20T11:00:00Z");
        for (name, value) in [("request_id", "first"), ("first_sent_at", "1773144000000")] {
            let mut attribute = SqsMessageAttribute::default();
            attribute.string_value = Some(value.to_owned());
            copy.message_attributes.insert(name.to_owned(), attribute);
        }
        let first_sent_at = Timestamp::from_millisecond(1_773_144_000_000).ok();
        assert_eq!(request_of(&copy, &clock()), Request { id: "first".to_owned(), first_sent_at });
    }

    #[test]
    fn each_use_of_an_event_file_is_another_request() {
        for other in ["2018-04-09T00:00:00Z", "2027-04-09T00:00:00Z", "yesterday", ""] {
            let (one, two) = (request_of(&message(other), &clock()), request_of(&message(other), &clock()));
            assert!(one != two && one.first_sent_at.is_none(), "{other}: {one:?}");
        }
    }
}
