//! The scenarios of the sweeps.

use aws::queues::Queue;
use balancer_tests::coded::{coded_picture, read_code};
use balancer_tests::openai::{Answer, NumberedImage, VisionRequest, VisionService, entry, true_entry};
use balancer_tests::replicate::Outcome;
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::kind::Kind;
use handlers::heartbeat::Heartbeat;
use serde_json::{Value, json};

use crate::final_state::FinalState;

/// What happens in a run. The sets are small, because there are many runs.
#[derive(Debug, Clone, Copy)]
pub enum Scenario {
    /// One image is bad, and two are missing; then the set is balanced.
    Balances,
    /// The same, with images from a synchronous service.
    BalancesWithImageEdits,
    /// The same, with images from the user's own GPU.
    BalancesWithComfyUi,
    /// The same, with images that the function draws itself.
    BalancesWithEmbedded,
    /// The only image is bad, and so is its replacement; then the set is suspended.
    IsSuspended,
    /// The same, after a manual evaluation request.
    IsSuspendedAfterRequest,
    /// The same, after a manual generation.
    IsSuspendedAfterGeneration,
    /// The same, after a manual deletion.
    IsSuspendedAfterDeletion,
}

impl Scenario {
    /// Whether a service charges the images.
    pub fn is_charged(self) -> bool {
        !matches!(self, Self::BalancesWithEmbedded)
    }

    /// A world with the uploads and the manual message of the scenario.
    pub async fn start(self) -> World {
        let (world, hero) = (self.world().await, actor("hero"));
        world.upload_base_image(&hero).await;
        for (number, picture) in (1..).zip(self.set()) {
            world.upload(&hero, &format!("hero_{number}.jpg"), &picture).await;
            world.upload(&hero, &format!("hero_{number}.txt"), format!("image {number}").as_bytes()).await;
        }
        // Every run starts with all notifications in the queue.
        world.wait_for_messages(2 * self.set().len()).await;
        let (queue, message) = match self {
            Self::Balances
            | Self::BalancesWithImageEdits
            | Self::BalancesWithComfyUi
            | Self::BalancesWithEmbedded
            | Self::IsSuspended => return world,
            Self::IsSuspendedAfterRequest => (Queue::Evaluation, json!({ "actor_id": hero })),
            Self::IsSuspendedAfterGeneration => {
                (Queue::Generation, json!({ "actor_id": hero, "generate": { "photorealistic": 1 } }))
            }
            Self::IsSuspendedAfterDeletion => {
                (Queue::Deletion, json!({ "actor_id": hero, "filenames": ["hero_1.jpg"] }))
            }
        };
        world.lose_messages(Queue::Evaluation).await;
        world.send(queue, message).await;
        world
    }

    async fn world(self) -> World {
        let with = |generator| [("TARGET_TOTAL", "3"), ("GENERATOR", generator), ("GENERATOR_USD_PER_IMAGE", "0.04")];
        match self {
            Self::Balances => World::coded(&with("replicate")).await,
            Self::BalancesWithImageEdits => World::coded(&with("openai")).await,
            Self::BalancesWithComfyUi => World::coded(&with("comfyui")).await,
            Self::BalancesWithEmbedded => {
                let mut world = World::coded(&with("embedded")).await;
                world.vision = VisionService::start(assess_drawn).await;
                world.set("OPENAI_BASE_URL", &format!("{}/v1", world.vision.address()));
                world
            }
            Self::IsSuspended
            | Self::IsSuspendedAfterRequest
            | Self::IsSuspendedAfterGeneration
            | Self::IsSuspendedAfterDeletion => {
                let bad = |kind, index| coded_picture(kind, 2, 1_000 + index as u32);
                World::with(&[("TARGET_TOTAL", "1"), ("MAX_ROUNDS", "1")], |_, _| Outcome::Succeeds, bad).await
            }
        }
    }

    /// The uploaded images. The target is 2/1/0, or 1/0/0.
    fn set(self) -> Vec<Vec<u8>> {
        let bad = coded_picture(Kind::Photorealistic, 2, 1);
        match self {
            Self::IsSuspended
            | Self::IsSuspendedAfterRequest
            | Self::IsSuspendedAfterGeneration
            | Self::IsSuspendedAfterDeletion => vec![bad],
            _ => vec![coded_picture(Kind::Photorealistic, 8, 0), bad],
        }
    }

    /// The final state and the calls of an undisturbed run.
    pub async fn undisturbed(self) -> (FinalState, Vec<String>) {
        self.undisturbed_with(Heartbeat::default()).await
    }

    pub async fn undisturbed_with(self, heartbeat: Heartbeat) -> (FinalState, Vec<String>) {
        let mut world = self.start().await;
        world.heartbeat = heartbeat;
        world.drive().await;
        (FinalState::of(&world, &actor("hero")).await, world.network.calls())
    }
}

/// Correct entries for coded pictures, and good ones of the right kind for those that the embedded generator draws.
fn assess_drawn(request: &VisionRequest) -> Answer {
    let entry_of = |image: &NumberedImage| -> Value {
        match read_code(&image.image) {
            Some(_) => true_entry(image),
            None => entry(image.number, drawn_kind(image), 8, "Drawn."),
        }
    };
    Answer::Entries(request.images.iter().map(entry_of).collect())
}

/// The target has photorealistic and black-and-white images only, and the latter have equal channels.
fn drawn_kind(image: &NumberedImage) -> Kind {
    let spread = |pixel: &image::Rgb<u8>| {
        let [red, green, blue] = pixel.0;
        u64::from(red.max(green).max(blue) - red.min(green).min(blue))
    };
    let total: u64 = image.image.pixels().map(spread).sum();
    let mean = total / (u64::from(image.image.width()) * u64::from(image.image.height()));
    if mean < 6 { Kind::BwStylized } else { Kind::Photorealistic }
}
