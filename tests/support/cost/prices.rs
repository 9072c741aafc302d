//! What AWS takes, in US dollars.
//!
//! On-demand list prices of us-east-1 without the free tier, noted in November 2026. DynamoDB's and Lambda's were compared
//! with what others quote; the rest are as commonly known. None was read from the vendor's own page, so look there,
//! aws.amazon.com/{dynamodb,s3,sqs,lambda,eventbridge,cloudwatch}/pricing, before money depends on it. Storage and
//! transfer are left out: they depend on the images, not on what is done with them.

use super::Usage;

const A_WRITE_UNIT: f64 = 0.625 / 1e6;
const A_READ_UNIT: f64 = 0.125 / 1e6;
const AN_S3_WRITE: f64 = 5.0 / 1e6;
const AN_S3_READ: f64 = 0.4 / 1e6;
const AN_SQS_REQUEST: f64 = 0.4 / 1e6;
const AN_EVENT: f64 = 1.0 / 1e6;
const AN_INVOCATION: f64 = 0.2 / 1e6;
const A_GIGABYTE_SECOND: f64 = 13.333_4 / 1e6;
const A_LOGGED_GIGABYTE: f64 = 0.5;

/// The memory of each function, in GB, as the template has it.
const MEMORY: [(&str, f64); 3] = [("Evaluation", 2.0), ("Deletion", 0.5), ("Generation", 1.0)];

/// What a usage costs, by service. Each message is taken to be received, worked on and deleted alone, which is the most
/// that it can cost. The time is that of the machine on which it was counted.
#[must_use]
pub fn dollars(usage: &Usage) -> [(&'static str, f64); 6] {
    let messages = usage.all_messages() as f64;
    let s3_writes = usage.requests_of(&["S3 PUT", "S3 COPY", "S3 LIST"]) as f64;
    let s3_reads = usage.requests_of(&["S3 GET", "S3 HEAD"]) as f64;
    // Every object that is written or deleted is an event, whether the rule lets it through or not.
    let events = usage.requests_of(&["S3 PUT", "S3 COPY", "S3 DELETE"]) as f64;
    let sqs: u64 = usage.requests.iter().filter(|((_, what), _)| what.starts_with("SQS")).map(|(_, count)| count).sum();
    let memory = MEMORY.map(|(function, memory)| memory * usage.seconds.get(function).unwrap_or(&0.0));
    [
        ("DynamoDB", usage.write_units * A_WRITE_UNIT + usage.read_units * A_READ_UNIT),
        ("S3", s3_writes * AN_S3_WRITE + s3_reads * AN_S3_READ),
        ("SQS", (sqs as f64 + 2.0 * messages) * AN_SQS_REQUEST),
        ("EventBridge", events * AN_EVENT),
        ("Lambda", messages * AN_INVOCATION + memory.iter().sum::<f64>() * A_GIGABYTE_SECOND),
        ("CloudWatch Logs", usage.logged as f64 / 1e9 * A_LOGGED_GIGABYTE),
    ]
}
