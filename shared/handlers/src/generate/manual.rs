//! Manual requests for images. Each gets its own plan.

use aws::store::{CONTENTION_BACKOFF, StoreError};
use backon::BackoffBuilder;
use domain::actor::ActorId;
use domain::coverage::Needs;
use domain::kind::{Kind, KindCounts};
use domain::manifest::{BALANCING, GenerationBatch};
use domain::plan::{MANUAL, Origin, Plan};
use domain::slot::draw_slots;
use serde_json::json;
use tracing::{Span, info};

use super::Generation;
use crate::base_image::BaseImages;
use crate::dispatch::dispatch_plan;
use crate::prompts::PromptsFiles;
use crate::{HandlerError, actors};

impl Generation {
    /// Makes a plan for the images and sends its messages. The plan is named after the request, so that its message,
    /// delivered twice, makes one plan.
    pub(super) async fn plan_manual_request(
        &self,
        actor: &ActorId,
        generate: KindCounts,
        request_id: &str,
    ) -> Result<(), HandlerError> {
        let plan_id = format!("{MANUAL}{request_id}");
        Span::current().record("plan", &plan_id);
        let attempt = async || match self.store.plan(actor, &plan_id).await? {
            Some(plan) => Ok(Some(plan)),
            None => self.adopt(actor, generate, &plan_id).await,
        };
        for pause in CONTENTION_BACKOFF.build() {
            if let Some(plan) = attempt().await? {
                return dispatch_plan(&self.store, &self.queues, actor, &plan).await;
            }
            tokio::time::sleep(pause).await;
        }
        Err(StoreError::Contended("begin plans for the actor").into())
    }

    /// `None` if another plan took this generation's number.
    async fn adopt(&self, actor: &ActorId, generate: KindCounts, plan_id: &str) -> Result<Option<Plan>, HandlerError> {
        let record = self.store.actor(actor).await?.unwrap_or_default();
        let identified = actors::identify(&self.bucket, &self.store, &self.keys, actor, &record).await;
        let (settings, _) = identified.map_err(HandlerError::into_rejection)?;
        let base_images = BaseImages { bucket: &self.bucket, keys: &self.keys, local: &self.local };
        base_images.load(actor, &record.base_images).await.map_err(HandlerError::into_rejection)?;
        let files = PromptsFiles { bucket: &self.bucket, keys: &self.keys };
        let prompts = files.load(actor, true).await.and_then(|loaded| loaded.sufficient_for(actor, generate));
        let library = prompts.map_err(HandlerError::into_rejection)?.library;

        let images = self.store.images(actor).await?;
        let used_prompts = images.values().filter_map(|image| image.prompt_id.clone());
        let used_prompts = used_prompts.chain(record.rejected_prompts.iter().cloned()).collect();
        let before = KindCounts::tally(images.values().filter_map(|image| image.kind));
        let mut result = before;
        for kind in Kind::ALL {
            result[kind] += generate[kind];
        }
        // Only the evaluation function knows the target, so any framing and any angle will do.
        let needs = Needs::default();
        let mut plan = Plan {
            before,
            result,
            slots: draw_slots(&library, actor, plan_id, generate, &used_prompts, needs),
            generation_id: Some(record.last_generation + 1),
            ..Plan::empty(plan_id.to_owned(), self.clock.now(), Origin::Manual)
        };
        plan.remaining = plan.pieces_of_work();
        let plan = plan.with_prompts_of(&library).in_format(settings.format());
        let generation = GenerationBatch {
            metadata: json!({ "plan_id": plan.plan_id, "manual": true }).as_object().cloned().unwrap_or_default(),
            ..GenerationBatch::new(record.last_generation + 1, BALANCING, plan.created_at, plan.slots.len())
        };
        if !self.store.adopt_manual_plan(actor, &plan, &generation).await? {
            return Ok(None);
        }
        info!(%actor, plan_id = plan.plan_id, images = plan.slots.len(), "manual plan adopted");
        Ok(Some(plan))
    }
}
