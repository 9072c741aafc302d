//! Runs that pay for images, which a stand-in for the service generates.

use std::process::Command as Process;
use std::time::Duration;

use assert_cmd::Command;
use balancer_tests::replicate::{self, Outcome, Replicate};
use domain::kind::Kind;
use handlers::Clock;
use serde_json::json;
use tokio::runtime::Runtime;

use super::actors::Actor;
use super::background::{Background, wait_until};
use super::pictures::drawn;
use super::run::Ran;
use super::stack::Place;

/// The time that an image of [`Paid::new`] takes.
pub(crate) const IMAGE_TIME: Duration = Duration::from_secs(3);

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

/// A place whose runs use a stand-in for the paid service.
pub(crate) struct Paid {
    pub(crate) place: Place,
    pub(crate) service: Service,
    pub(crate) daily_budget: &'static str,
}

impl Paid {
    pub(crate) fn new() -> Self {
        Self { place: Place::new(), service: Service::start(IMAGE_TIME), daily_budget: "10" }
    }

    pub(crate) fn in_background(&self) -> Background {
        self.in_background_with(&[])
    }

    pub(crate) fn in_background_with(&self, options: &[&str]) -> Background {
        let mut command: Process = self.place.local_in_background();
        command.args(options).args(Service::arguments()).envs(self.service.environment());
        Background::start(command)
    }

    /// The number of requested images.
    pub(crate) fn creations(&self) -> usize {
        self.service.replicate.creations()
    }

    pub(crate) fn local(&self) -> Command {
        let mut command = self.place.local();
        command.args(Service::arguments()).envs(self.service.environment());
        command.env("DAILY_BUDGET_USD", self.daily_budget).arg("--json");
        command
    }

    /// Kills a run at the moment at which `is_reached` returns true.
    pub(crate) fn kill_when(&self, mut is_reached: impl FnMut(&Service) -> bool) {
        let mut running = self.in_background();
        wait_until(|| is_reached(&self.service), || running.output());
        assert!(running.kill(), "{}", running.output());
    }

    /// Runs to the end. Asserts that the sets are balanced, and that each image was charged once.
    pub(crate) fn ends_well(&self, actors: &[&Actor]) -> Ran {
        let ran = Ran::of(&mut self.local()).done();
        for report in ran.last_line()["actors"].as_array().unwrap() {
            let counts = ["photorealistic", "bw_stylized", "color_stylized"].map(|kind| report[kind].clone());
            assert_eq!((&report["status"], counts), (&json!("balanced"), [json!(4), json!(1), json!(1)]), "{ran:#?}");
        }
        actors.iter().for_each(|actor| actor.agrees_with_its_manifest());
        let kept: usize = actors.iter().map(|actor| actor.files().len() + actor.trash().len()).sum();
        assert_eq!(self.service.replicate.charged(), kept, "{ran:#?}");
        assert_eq!(self.service.replicate.creations(), kept, "{ran:#?}");
        ran
    }
}
