//! `local` with paid images, which a stand-in for the service generates.

use std::time::{Duration, Instant};

use crate::support::actors::Actor;
use crate::support::background::{Background, wait_until};
use crate::support::paid::Service;
use crate::support::run::Ran;
use crate::support::stack::Place;

/// The time that an image takes.
const IMAGE_TIME: Duration = Duration::from_secs(3);

/// Longer than a run takes to end if it is stopped at once.
const SLOW_IMAGE_TIME: Duration = Duration::from_secs(55);

/// The remark of a stopped run that waits for images.
const DRAINING: &str = "stopping when the images in progress are done";

/// A run that has received this signal and waits for images.
fn draining(place: &Place, service: &Service, signal: &str) -> Background {
    let mut command = place.local_in_background();
    command.args(Service::arguments()).envs(service.environment());
    let mut running = Background::start(command);
    wait_until(|| service.replicate.creations() >= 2, || running.output());
    running.signal(signal);
    running.wait_for(DRAINING);
    running
}

/// Stops a run by this signal while images are being generated, and starts another run. Asserts that each image is
/// charged once. The signal arrives twice, as from a terminal that closes.
fn assert_charged_once(signal: &str) {
    let (place, service) = (Place::new(), Service::start(IMAGE_TIME));
    let actor = Actor::nothing(&place.data(), "new").with_base();
    let mut running = draining(&place, &service, signal);
    running.signal(signal);
    assert_eq!(running.end(), Some(130), "{}", running.output());
    let charged = service.replicate.charged();
    assert_eq!(actor.files().len(), charged, "{}", running.output());
    actor.agrees_with_its_manifest();

    let ran = Ran::of(place.local().args(Service::arguments()).envs(service.environment())).done();
    assert_eq!(service.replicate.charged(), actor.files().len() + actor.trash().len(), "{ran:#?}");
}

#[test]
fn sighup_keeps_images_that_are_charged() {
    assert_charged_once("HUP");
}

#[test]
fn sigterm_keeps_images_that_are_charged() {
    assert_charged_once("TERM");
}

#[test]
fn second_ctrl_c_stops_at_once() {
    let (place, service) = (Place::new(), Service::start(SLOW_IMAGE_TIME));
    Actor::nothing(&place.data(), "new").with_base();
    let mut running = draining(&place, &service, "INT");
    let stopped = Instant::now();
    running.signal("INT");
    assert_eq!(running.end(), Some(130), "{}", running.output());
    assert!(stopped.elapsed() < SLOW_IMAGE_TIME / 2, "it waited for the images");
}
