//! Counts the requests of the functions to AWS, and calculates their price.

mod capacity;
mod crowd;
mod prices;
mod requests;
mod table;
mod work;

use std::collections::BTreeMap;

use local_stack::Account;

use crate::recorder::{Recorder, behind};
use crate::stack::{TEMPLATE, TestStack, emulator};
use capacity::Ledger;

pub use crowd::{Crowd, UPLOADS};
pub use prices::dollars;
pub use table::{Derivation, ROWS};
pub use work::{UNITS, Work};

/// The three functions, by their names in the template without the ending `Function`.
const FUNCTIONS: [&str; 3] = ["Evaluation", "Deletion", "Generation"];

/// The resources used so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Requests, by function and operation, such as `("Generation", "DynamoDB GetItem")`.
    pub requests: BTreeMap<(&'static str, String), u64>,
    /// Bytes of all responses.
    pub received: u64,
    /// Messages that the functions received, by function. There are at most as many invocations.
    pub messages: BTreeMap<&'static str, u64>,
    /// Messages that the evaluation function sends itself to wait until uploads have paused.
    pub waits: u64,
    /// DynamoDB's write request units.
    pub write_units: f64,
    /// The part of them that a plan of more than 1 KB causes.
    pub write_units_of_large_plans: f64,
    /// DynamoDB's read request units.
    pub read_units: f64,
    /// Seconds in which each function processed messages.
    pub seconds: BTreeMap<&'static str, f64>,
    /// Bytes that the functions wrote to their logs.
    pub logged: u64,
}

/// A stack that records the requests of its functions.
pub struct Meter {
    pub stack: TestStack,
    recorders: Vec<(&'static str, Recorder)>,
    ledger: Ledger,
    usage: Usage,
}

impl Meter {
    /// A stack with these parameters in addition to the usual ones. Like a deployed stack, it keeps no local copy.
    pub async fn start(parameters: &[(&str, &str)]) -> Self {
        let aws = emulator().await.endpoint();
        let (mut template, mut recorders) = (TEMPLATE.to_owned(), Vec::new());
        for name in FUNCTIONS {
            let recorder = Recorder::start(aws).await;
            template = behind(&template, &format!("{name}Function"), recorder.address());
            recorders.push((name, recorder));
        }
        let parameters = [&[("LocalDataDir", "")][..], parameters].concat();
        let stack = TestStack::from_template(&template, Account::unique(), &parameters).await;
        Self { stack, recorders, ledger: Ledger::default(), usage: Usage::default() }
    }

    /// The usage so far.
    pub async fn read(&mut self) -> Usage {
        let taken =
            self.recorders.iter().flat_map(|(name, recorder)| recorder.take().into_iter().map(|call| (*name, call)));
        let mut calls: Vec<_> = taken.collect();
        // A function reads items that another one has written: their sizes are known only in the order of the
        // responses.
        calls.sort_by_key(|(_, call)| call.answer.at);
        let evaluation = &self.stack.outputs().stack.evaluation_queue_url;
        for (function, call) in calls {
            self.usage.waits += u64::from(function == "Evaluation" && requests::is_message_to(&call, evaluation));
            *self.usage.requests.entry((function, requests::operation(&call))).or_default() += 1;
            self.usage.received += call.answer.size as u64;
            let units = self.ledger.charge(&call);
            self.usage.write_units += units.write;
            self.usage.write_units_of_large_plans += units.write_for_large_plans;
            self.usage.read_units += units.read;
        }
        self.read_log();
        self.usage.clone()
    }

    /// Each message leaves a line with its processing time in the log.
    fn read_log(&mut self) {
        self.usage.logged = 0;
        self.usage.messages.clear();
        self.usage.seconds.clear();
        for line in self.stack.log_lines() {
            self.usage.logged += line.len() as u64 + 1;
            let Some((function, seconds)) = requests::handler_seconds(&line) else { continue };
            *self.usage.messages.entry(function).or_default() += 1;
            *self.usage.seconds.entry(function).or_default() += seconds;
        }
    }
}

impl Usage {
    /// The number of requests with one of these operations.
    #[must_use]
    pub fn requests_of(&self, operations: &[&str]) -> u64 {
        self.requests.iter().filter(|((_, what), _)| operations.contains(&what.as_str())).map(|(_, count)| count).sum()
    }

    #[must_use]
    pub fn all_requests(&self) -> u64 {
        self.requests.values().sum()
    }

    #[must_use]
    pub fn all_messages(&self) -> u64 {
        self.messages.values().sum()
    }
}
