//! What may be spent on the paid services.

use std::time::Duration;

use jiff::civil::Date;

use super::money::MicroUsd;

/// What may be spent, and how often work that waits for money looks for some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// In a day (by UTC), for everything.
    pub daily: MicroUsd,
    /// In a day, for one actor.
    pub daily_per_actor: MicroUsd,
    /// For the images of one plan, however long they take.
    pub per_plan: MicroUsd,
    /// How often parked work looks whether it may go on.
    pub poll: Duration,
}

/// What may not be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The day's budget for everything.
    Daily,
    /// The day's budget for one actor.
    Actor,
    /// The plan's budget.
    Plan,
}

impl Budget {
    /// Why there is no money on `day`, and what to do about it.
    #[must_use]
    pub fn used_up(&self, limit: Limit, day: Date) -> String {
        let (what, variable, tomorrow) = match limit {
            Limit::Daily => {
                (format!("The budget of {} for {day}", self.daily), "DAILY_BUDGET_USD", "tomorrow (UTC), or ")
            }
            Limit::Actor => (
                format!("The budget of {} a day for one actor", self.daily_per_actor),
                "ACTOR_DAILY_BUDGET_USD",
                "tomorrow (UTC), or ",
            ),
            Limit::Plan => (format!("The plan's budget of {}", self.per_plan), "PLAN_BUDGET_USD", ""),
        };
        format!("{what} is used up; work goes on {tomorrow}when {variable} is raised.")
    }
}
