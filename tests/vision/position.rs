//! A model that judges by the place in the grid, whatever the image: shuffling and averaging take the place out of
//! the deletions.

use std::sync::Arc;

use balancer_tests::openai::{Answer, Asked, VisionService, judgement};
use domain::assessment::{Assessment, Origin};
use domain::kind::Kind;
use domain::planner::{Policy, Scope, propose};
use domain::target::Target;
use image::{Rgb, RgbImage};

use crate::support::{model, observe_pictures};

/// What recorded evaluations said of the first five images, again and again.
const BY_PLACE: [u8; 5] = [8, 7, 9, 6, 5];
const IMAGES: usize = 20;
const PLANS: usize = 80;

fn biased(asked: &Asked) -> Answer {
    let judge = |(place, shown): (usize, &balancer_tests::openai::Shown)| {
        judgement(shown.number, Kind::Photorealistic, BY_PLACE[place % BY_PLACE.len()], "Seen.")
    };
    Answer::Judged(asked.shown.iter().enumerate().map(judge).collect())
}

/// How often each image is deleted and what it scores in all, over many plans.
#[derive(Debug, Default)]
struct Tally {
    deleted: Vec<f64>,
    quality: Vec<f64>,
}

impl Tally {
    fn new() -> Self {
        Self { deleted: vec![0.0; IMAGES], quality: vec![0.0; IMAGES] }
    }

    fn add(&mut self, qualities: &[u8]) {
        let set: Vec<Assessment> = (1..).zip(qualities).map(|(number, &quality)| assessment(number, quality)).collect();
        let policy = Policy { target: Target::default(), quality_floor: 5, scope: Scope::All };
        let gone = propose(&set, &policy).delete;
        for (index, image) in set.iter().enumerate() {
            self.quality[index] += f64::from(image.quality);
            self.deleted[index] += f64::from(u8::from(gone.iter().any(|gone| gone.filename == image.filename)));
        }
    }
}

fn assessment(number: usize, quality: u8) -> Assessment {
    let filename = format!("a_{number}.jpg");
    Assessment {
        filename,
        kind: Kind::Photorealistic,
        quality,
        flags: Vec::new(),
        reason: String::new(),
        pinned: false,
        origin: Origin::Uploaded,
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn spread(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

#[tokio::test]
async fn the_place_in_the_grid_does_not_decide_what_is_deleted() {
    let service = VisionService::start(biased).await;
    let model = model(&service, &[("VISION_PASSES", "2")]).await;
    let images: Vec<_> = (0..IMAGES).map(|_| Arc::new(RgbImage::from_pixel(64, 64, Rgb([90; 3])))).collect();
    let (mut shuffled, mut in_order) = (Tally::new(), Tally::new());
    for plan in 0..PLANS {
        let seen = observe_pictures(&model, images.clone(), &format!("plan-{plan}")).await;
        shuffled.add(&seen.images.into_iter().map(|seen| seen.unwrap().quality).collect::<Vec<_>>());
        in_order.add(&(0..IMAGES).map(|place| BY_PLACE[place % BY_PLACE.len()]).collect::<Vec<_>>());
    }
    assert_eq!(service.violations(), [""; 0]);
    let plans = PLANS as f64;
    // In the order of upload, some images score 9 and others 5 in every plan, and the same 7 always go.
    assert_eq!(in_order.deleted.iter().filter(|&&deleted| deleted == plans).count(), 7);
    let fixed = in_order.quality.iter().map(|sum| sum / plans).collect::<Vec<_>>();
    let qualities = shuffled.quality.iter().map(|sum| sum / plans).collect::<Vec<_>>();
    let furthest = qualities.iter().map(|quality| (quality - mean(&qualities)).abs()).fold(0.0, f64::max);
    assert!(spread(&fixed) > 1.4 && spread(&qualities) < 0.2 && furthest < 0.45, "{qualities:?}");
    // Among equals the older image stays, which is the planner's rule and not the grid's. Every image goes
    // sometimes and stays mostly: 7 of 20 would go by chance.
    let least = shuffled.deleted.iter().copied().fold(f64::MAX, f64::min) / plans;
    let most = shuffled.deleted.iter().copied().fold(0.0, f64::max) / plans;
    assert!((0.1..0.7).contains(&least) && (0.1..0.7).contains(&most), "{:?}", shuffled.deleted);
}
