//! A model whose assessments depend only on the position in the grid. Because of the random order and the averages, the
//! position does not influence deletions.

use std::sync::Arc;

use balancer_tests::openai::{Answer, VisionRequest, VisionService, entry};
use domain::assessment::{Assessment, Origin};
use domain::content::Content;
use domain::kind::Kind;
use domain::limits::DEFAULT_QUALITY_FLOOR;
use domain::planner::{Policy, Scope, propose};
use domain::target::Target;
use image::{Rgb, RgbImage};

use crate::vision::support::{assess_images, model};

/// The qualities of the first five positions in recorded evaluations.
const BY_POSITION: [u8; 5] = [8, 7, 9, 6, 5];
const IMAGES: usize = 20;
const PLANS: usize = 80;

fn biased(request: &VisionRequest) -> Answer {
    let assess = |(place, shown): (usize, &balancer_tests::openai::NumberedImage)| {
        entry(shown.number, Kind::Photorealistic, BY_POSITION[place % BY_POSITION.len()], "Seen.")
    };
    Answer::Entries(request.images.iter().enumerate().map(assess).collect())
}

/// The number of deletions and the sum of qualities of each image over many plans.
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
        let policy = Policy { target: Target::default(), quality_floor: DEFAULT_QUALITY_FLOOR, scope: Scope::All };
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
        content: Content::default(),
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
async fn grid_position_does_not_decide_deletions() {
    let service = VisionService::start(biased).await;
    let model = model(&service, &[("VISION_PASSES", "2")]).await;
    let images: Vec<_> = (0..IMAGES).map(|_| Arc::new(RgbImage::from_pixel(64, 64, Rgb([90; 3])))).collect();
    let (mut shuffled, mut in_order) = (Tally::new(), Tally::new());
    for plan in 0..PLANS {
        let batch = assess_images(&model, images.clone(), &format!("plan-{plan}")).await;
        shuffled.add(&batch.images.into_iter().map(|seen| seen.unwrap().quality).collect::<Vec<_>>());
        in_order.add(&(0..IMAGES).map(|place| BY_POSITION[place % BY_POSITION.len()]).collect::<Vec<_>>());
    }
    assert_eq!(service.violations(), [""; 0]);
    let plans = PLANS as f64;
    // In a fixed order, some images get 9 and others 5 in every plan, and each plan deletes the same 7.
    assert_eq!(in_order.deleted.iter().filter(|&&deleted| deleted == plans).count(), 7);
    let fixed = in_order.quality.iter().map(|sum| sum / plans).collect::<Vec<_>>();
    let qualities = shuffled.quality.iter().map(|sum| sum / plans).collect::<Vec<_>>();
    let furthest = qualities.iter().map(|quality| (quality - mean(&qualities)).abs()).fold(0.0, f64::max);
    assert!(spread(&fixed) > 1.4 && spread(&qualities) < 0.2 && furthest < 0.45, "{qualities:?}");
    // Among equals the planner keeps the older image. Every image is deleted in some plans and kept in most: chance
    // would delete 7 of 20.
    let least = shuffled.deleted.iter().copied().fold(f64::MAX, f64::min) / plans;
    let most = shuffled.deleted.iter().copied().fold(0.0, f64::max) / plans;
    assert!((0.1..0.7).contains(&least) && (0.1..0.7).contains(&most), "{:?}", shuffled.deleted);
}
