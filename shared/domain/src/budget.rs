//! What may be spent on the paid services.

use std::time::Duration;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The day's budget for everything.
    Daily,
    /// The day's budget for one actor.
    Actor,
    /// The plan's budget.
    Plan,
}

impl Budget {
    /// Why there are not `needed` dollars on `day`, and what to do about it.
    #[must_use]
    pub fn shortage(&self, limit: Limit, needed: MicroUsd, day: Date) -> String {
        let (budget, what, variable, tomorrow) = match limit {
            Limit::Daily => (
                self.daily,
                format!("The budget of {} for {day}", self.daily),
                "DAILY_BUDGET_USD",
                "tomorrow (UTC), or ",
            ),
            Limit::Actor => (
                self.daily_per_actor,
                format!("The budget of {} for one actor for {day}", self.daily_per_actor),
                "ACTOR_DAILY_BUDGET_USD",
                "tomorrow (UTC), or ",
            ),
            Limit::Plan => (self.per_plan, format!("The plan's budget of {}", self.per_plan), "PLAN_BUDGET_USD", ""),
        };
        if budget < needed {
            format!(
                "{what} is less than the {needed} that the next step may cost; work goes on when {variable} is raised."
            )
        } else {
            format!("{what} is used up; work goes on {tomorrow}when {variable} is raised.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_no_day_makes_large_enough_is_not_said_to_be_so_tomorrow() {
        let cents = |cents: u64| MicroUsd(cents * 10_000);
        let budget = Budget {
            daily: cents(1000),
            daily_per_actor: cents(3),
            per_plan: cents(200),
            poll: Duration::from_secs(900),
        };
        let says = |limit, needed| budget.shortage(limit, cents(needed), Date::constant(2026, 1, 2));
        assert_eq!(
            says(Limit::Daily, 4),
            "The budget of $10.00 for 2026-01-02 is used up; work goes on tomorrow (UTC), or when DAILY_BUDGET_USD is raised."
        );
        assert_eq!(
            says(Limit::Actor, 4),
            "The budget of $0.03 for one actor for 2026-01-02 is less than the $0.04 that the next step may cost; work goes on when ACTOR_DAILY_BUDGET_USD is raised."
        );
        assert_eq!(
            says(Limit::Plan, 4),
            "The plan's budget of $2.00 is used up; work goes on when PLAN_BUDGET_USD is raised."
        );
    }
}
