//! The stand-in for the paid image service.

use std::time::Duration;

use balancer_tests::replicate::{self, Outcome, Replicate};
use domain::kind::Kind;
use handlers::Clock;
use tokio::runtime::Runtime;

use super::pictures::drawn;

/// The stand-in, with its runtime.
pub(crate) struct Service {
    pub(crate) replicate: Replicate,
    _runtime: Runtime,
}

impl Service {
    /// A service whose images take this time.
    pub(crate) fn start(image: Duration) -> Self {
        Self::with_outcomes(move |_| Outcome::SucceedsAfter(image))
    }

    /// A service whose creations have these outcomes, by index.
    pub(crate) fn with_outcomes(outcome: impl Fn(usize) -> Outcome + Send + Sync + 'static) -> Self {
        let runtime = Runtime::new().unwrap();
        let paint = |kind: Kind, index: usize| drawn(kind)[index % drawn(kind).len()].clone();
        let script = move |index: usize, _: &str| outcome(index);
        let replicate = runtime.block_on(Replicate::start(Clock::system(), script, paint));
        Self { replicate, _runtime: runtime }
    }

    pub(crate) fn arguments() -> [&'static str; 2] {
        ["--generator", "replicate"]
    }

    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        [("REPLICATE_BASE_URL", self.replicate.address()), ("REPLICATE_API_TOKEN", replicate::TOKEN.to_owned())]
    }
}
