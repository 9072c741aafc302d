//! Images asked for by hand: a plan of their own.

use serde_json::json;
use tracing::{Span, info};

use super::Generation;
use crate::domain::actor::ActorId;
use crate::domain::kind::{Kind, KindCounts};
use crate::domain::manifest::{BALANCING, Generation as ManifestGeneration, timestamp_text};
use crate::domain::plan::{Origin, Plan, slots};
use crate::stages::base_image::BaseImages;
use crate::stages::chain::dispatch;
use crate::stages::{StageError, actors};

impl Generation {
    /// Makes a plan for the images and sends its messages. The plan bears the message's name, so that the message,
    /// delivered twice, makes one plan.
    pub(super) async fn plan_by_hand(
        &self,
        actor: &ActorId,
        generate: KindCounts,
        message_id: &str,
    ) -> Result<(), StageError> {
        let plan_id = format!("by-hand-{message_id}");
        Span::current().record("plan", &plan_id);
        let plan = match self.store.plan(actor, &plan_id).await? {
            Some(plan) => plan,
            None => self.adopt(actor, generate, plan_id).await?,
        };
        dispatch(&self.store, &self.queues, actor, &plan).await
    }

    async fn adopt(&self, actor: &ActorId, generate: KindCounts, plan_id: String) -> Result<Plan, StageError> {
        let record = self.store.actor(actor).await?.unwrap_or_default();
        let identified = actors::identify(&self.bucket, &self.store, &self.keys, actor, &record).await?;
        identified.map_err(StageError::Refused)?;
        let base_images = BaseImages { bucket: &self.bucket, keys: &self.keys, local: &self.local };
        base_images.load(actor, &record.base_images).await?.map_err(StageError::Refused)?;

        let images = self.store.images(actor).await?;
        let used_prompts = images.values().filter_map(|image| image.prompt_id.clone());
        let used_prompts = used_prompts.chain(record.rejected_prompts.iter().cloned()).collect();
        let before = KindCounts::tally(images.values().filter_map(|image| image.kind));
        let mut result = before;
        for kind in Kind::ALL {
            result[kind] += generate[kind];
        }
        let mut plan = Plan {
            before,
            result,
            slots: slots(&plan_id, generate, &used_prompts),
            generation_id: Some(record.last_generation + 1),
            ..Plan::empty(plan_id, self.clock.now(), Origin::ByHand)
        };
        plan.remaining = plan.pieces_of_work();
        let generation = ManifestGeneration {
            generation_id: record.last_generation + 1,
            origin: BALANCING.to_owned(),
            generated_at: timestamp_text(plan.created_at),
            image_count: plan.slots.len() as u64,
            metadata: json!({ "plan_id": plan.plan_id, "by_hand": true }).as_object().cloned().unwrap_or_default(),
        };
        if !self.store.adopt_plan_by_hand(actor, &plan, &generation).await? {
            return Err(StageError::later("another plan took this generation's number", super::CLAIM_POLL));
        }
        info!(%actor, plan_id = plan.plan_id, images = plan.slots.len(), "plan by hand");
        Ok(plan)
    }
}
