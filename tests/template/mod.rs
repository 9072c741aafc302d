//! The template. Most tests check its text, because the emulator accepts what AWS rejects; one compares the permissions
//! with the calls of the running functions.

mod alarms;
mod bucket_and_table;
mod calls;
mod document;
mod functions_and_queues;
mod guide;
mod parameters;
mod permissions;
mod samconfig;
mod security;
mod traceability;
mod variables;

/// Function, its queue and that queue's dead-letter queue.
const CHAIN: [(&str, &str, &str); 3] = [
    ("EvaluationFunction", "EvaluationQueue", "EvaluationDlq"),
    ("DeletionFunction", "DeletionQueue", "DeletionDlq"),
    ("GenerationFunction", "GenerationQueue", "GenerationDlq"),
];
