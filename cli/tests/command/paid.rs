//! `local` with paid images, which a stand-in of the service generates.

use std::time::{Duration, Instant};

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

/// Longer than a run that is stopped at once takes to end.
const A_SLOW_IMAGE: Duration = Duration::from_secs(55);

/// The remark of a stopped run that waits for images.
const DRAINING: &str = "stopping when the images in progress are done";

/// The service, and the runtime that runs it.
struct Service {
    replicate: Replicate,
    _runtime: Runtime,
}

impl Service {
    /// A service whose images take this time.
    fn start(image: Duration) -> Self {
        let runtime = Runtime::new().unwrap();
        let paint = |kind: Kind, index: usize| drawn(kind)[index % drawn(kind).len()].clone();
        let script = move |_: usize, _: &str| Outcome::SucceedsAfter(image);
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

/// A run that waits for images after this signal.
fn draining(place: &Place, service: &Service, signal: &str) -> Background {
    let mut command = place.local_in_background();
    command.args(Service::arguments()).envs(service.environment());
    let mut running = Background::start(command);
    wait_until(PATIENCE, || service.replicate.creations() >= 2, || running.said());
    running.signal(signal);
    running.wait_for(DRAINING);
    running
}

/// Stops a run by this signal while images are being generated, and begins another one: each image is charged once. The
/// signal arrives twice, as from a terminal that closes.
fn is_charged_once(signal: &str) {
    let (place, service) = (Place::new(), Service::start(AN_IMAGE));
    let actor = Actor::nothing(&place.data(), "new").with_base();
    let mut running = draining(&place, &service, signal);
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

#[test]
fn a_second_ctrl_c_stops_at_once() {
    let (place, service) = (Place::new(), Service::start(A_SLOW_IMAGE));
    Actor::nothing(&place.data(), "new").with_base();
    let mut running = draining(&place, &service, "INT");
    let stopped = Instant::now();
    running.signal("INT");
    assert_eq!(running.end(), Some(130), "{}", running.said());
    assert!(stopped.elapsed() < A_SLOW_IMAGE / 2, "it waited for the images");
}
