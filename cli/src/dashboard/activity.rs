//! What the activity page shows of a stack.

use aws::queues::Queue;
use handlers::Clock;

use super::answers::Failure;
use super::server::Dashboard;
use crate::connection::Connected;
use crate::pages::activity::{StackActivity, activity_page};
use crate::pages::frame::{Page, Part};
use crate::pages::notice::Notice;
use crate::sets::Sets;

pub async fn page(dashboard: &Dashboard, notice: Option<Notice>) -> Result<Page<'static>, Failure> {
    let entries = dashboard.shelf.all().await?;
    let mut sets: Vec<_> = entries.values().filter_map(|entry| entry.read.as_ref().ok()).collect();
    sets.sort_by_cached_key(|shown| shown.urgency());
    let stack = match &dashboard.shelf.sets {
        Sets::InStack(stack) => Some(of_stack(stack).await?),
        Sets::InFolder(_) => None,
    };
    let body = activity_page(&sets, stack.as_ref(), &dashboard.offer());
    Ok(Page { title: "Activity", part: Part::Activity, events: Some("/events".to_owned()), body, notice })
}

async fn of_stack(stack: &Connected) -> anyhow::Result<StackActivity> {
    let store = &stack.services.store;
    let urls = stack.stack.dead_letter_urls();
    let queues =
        [(Queue::Evaluation, urls.evaluation), (Queue::Deletion, urls.deletion), (Queue::Generation, urls.generation)];
    let mut dead_letters = Vec::new();
    for (queue, url) in queues {
        dead_letters.push((queue.name(), stack.services.queues.depth(&url).await?));
    }
    let budgets = [("a day", "DailyBudgetUsd"), ("an actor's day", "ActorDailyBudgetUsd"), ("a plan", "PlanBudgetUsd")];
    Ok(StackActivity {
        rejections: store.rejections().await?,
        dead_letters,
        today: store.spending(Clock::system().today()).await?,
        budgets: budgets.map(|(limit, name)| (limit, stack.parameters.get(name).map(str::to_owned))).to_vec(),
    })
}
