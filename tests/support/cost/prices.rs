//! The prices of AWS, in US dollars.
//!
//! On-demand list prices of us-east-1 without the free tier, noted in November 2026. DynamoDB's and Lambda's were
//! compared with third-party quotations; the others are commonly known figures. None comes from the vendor's own page:
//! check aws.amazon.com/{dynamodb,s3,sqs,lambda,eventbridge,cloudwatch}/pricing before you rely on them. Storage and
//! transfer are not included: they depend on the size of the images, not on the work.

use super::Usage;

const WRITE_UNIT: f64 = 0.625 / 1e6;
const READ_UNIT: f64 = 0.125 / 1e6;
const S3_WRITE: f64 = 5.0 / 1e6;
const S3_READ: f64 = 0.4 / 1e6;
const SQS_REQUEST: f64 = 0.4 / 1e6;
const EVENT: f64 = 1.0 / 1e6;
const INVOCATION: f64 = 0.2 / 1e6;
const GIGABYTE_SECOND: f64 = 13.333_4 / 1e6;
const LOGGED_GIGABYTE: f64 = 0.5;

/// The memory of each function in the template, in GB.
const MEMORY: [(&str, f64); 3] = [("Evaluation", 2.0), ("Deletion", 0.5), ("Generation", 1.0)];

/// The cost of a usage, by service. Assumes that each message is received, processed and deleted in a batch of its own,
/// which is the most expensive case. The processing times are those of the machine that ran the functions.
#[must_use]
pub fn dollars(usage: &Usage) -> [(&'static str, f64); 6] {
    let messages = usage.all_messages() as f64;
    let s3_writes = usage.requests_of(&["S3 PUT", "S3 COPY", "S3 LIST"]) as f64;
    let s3_reads = usage.requests_of(&["S3 GET", "S3 HEAD"]) as f64;
    // Every written or deleted object causes an event, whether or not the rule matches it.
    let events = usage.requests_of(&["S3 PUT", "S3 COPY", "S3 DELETE"]) as f64;
    let sqs: u64 = usage.requests.iter().filter(|((_, what), _)| what.starts_with("SQS")).map(|(_, count)| count).sum();
    let memory = MEMORY.map(|(function, memory)| memory * usage.seconds.get(function).unwrap_or(&0.0));
    [
        ("DynamoDB", usage.write_units * WRITE_UNIT + usage.read_units * READ_UNIT),
        ("S3", s3_writes * S3_WRITE + s3_reads * S3_READ),
        ("SQS", (sqs as f64 + 2.0 * messages) * SQS_REQUEST),
        ("EventBridge", events * EVENT),
        ("Lambda", messages * INVOCATION + memory.iter().sum::<f64>() * GIGABYTE_SECOND),
        ("CloudWatch Logs", usage.logged as f64 / 1e9 * LOGGED_GIGABYTE),
    ]
}
