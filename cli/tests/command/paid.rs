//! `local` with paid images, which a stand-in of the service generates.

use std::time::Duration;

use balancer_tests::replicate::{self, Outcome, Replicate};
use domain::kind::Kind;
use handlers::Clock;
use tokio::runtime::Runtime;

use crate::support::actors::Actor;
use crate::support::background::{Background, wait_until};
use crate::support::pictures::drawn;
use crate::support::run::Ran;
use crate::support::stack::Place;

const PATIENCE: Duration = Duration::from_secs(60);

/// How long an image takes.
const AN_IMAGE: Duration = Duration::from_secs(3);

/// The service, and the runtime that runs it.
struct Service {
    replicate: Replicate,
    _runtime: Runtime,
}

impl Service {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let paint = |kind: Kind, index: usize| drawn(kind)[index % drawn(kind).len()].clone();
        let script = |_: usize, _: &str| Outcome::SucceedsAfter(AN_IMAGE);
        let replicate = runtime.block_on(Replicate::start(Clock::system(), script, paint));
        Self { replicate, _runtime: runtime }
    }

    fn arguments() -> [&'static str; 2] {
        ["--generator", "replicate"]
    }

    fn environment(&self) -> [(&'static str, String); 2] {
        [("REPLICATE_BASE_URL", self.replicate.address()), ("REPLICATE_API_TOKEN", replicate::TOKEN.to_owned())]
    }
}

/// Stops a run by this signal while images are being generated, and begins another one: each image is charged once.
fn is_charged_once(signal: &str) {
    let (place, service) = (Place::new(), Service::start());
    let actor = Actor::nothing(&place.data(), "new").with_base();
    let mut command = place.local_in_background();
    command.args(Service::arguments()).envs(service.environment());
    let mut running = Background::start(command);
    wait_until(PATIENCE, || service.replicate.creations() >= 2, || running.said());
    running.signal(signal);
    assert_eq!(running.end(), Some(130), "{}", running.said());
    let charged = service.replicate.charged();
    assert_eq!(actor.files().len(), charged, "{}", running.said());
    actor.agrees_with_its_manifest();

    let ran = Ran::of(place.local().args(Service::arguments()).envs(service.environment())).done();
    assert_eq!(service.replicate.charged(), actor.files().len() + actor.trash().len(), "{ran:#?}");
}

#[test]
fn sighup_keeps_images_that_are_charged() {
    is_charged_once("HUP");
}

#[test]
fn sigterm_keeps_images_that_are_charged() {
    is_charged_once("TERM");
}
