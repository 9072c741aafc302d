//! The budgets for the paid services.

use std::time::Duration;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::money::MicroUsd;

/// The budgets, and the interval at which parked work checks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// The limit of a day (by UTC) for all actors together.
    pub daily: MicroUsd,
    /// The limit of a day for one actor.
    pub daily_per_actor: MicroUsd,
    /// The limit for the images of one plan, however many days it runs.
    pub per_plan: MicroUsd,
    /// The interval at which parked work checks whether it can resume.
    pub poll: Duration,
}

/// A budget that a reservation would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The day's budget for all actors.
    Daily,
    /// The day's budget for one actor.
    Actor,
    /// The plan's budget.
    Plan,
}

/// A reserved price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The day (UTC) whose budgets it counts towards.
    pub day: Date,
    /// The price.
    pub amount: MicroUsd,
}

/// The end of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It is booked as paid.
    Paid,
    /// It returns to the budgets.
    Released,
}

impl Budget {
    /// Why `needed` can't be reserved on `day`, and the remedy, as a sentence for the user.
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
                "{what} is less than the {needed} that the next step may cost; work resumes when {variable} is raised."
            )
        } else {
            format!("{what} is used up; work resumes {tomorrow}when {variable} is raised.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortage_names_the_remedy_that_helps() {
        let cents = |cents: u64| MicroUsd(cents * 10_000);
        let budget = Budget {
            daily: cents(1000),
            daily_per_actor: cents(3),
            per_plan: cents(200),
            poll: Duration::from_secs(900),
        };
        let shortage = |limit, needed| budget.shortage(limit, cents(needed), Date::constant(2026, 1, 2));
        assert_eq!(
            shortage(Limit::Daily, 4),
            "The budget of $10.00 for 2026-01-02 is used up; work resumes tomorrow (UTC), or when DAILY_BUDGET_USD is raised."
        );
        assert_eq!(
            shortage(Limit::Actor, 4),
            "The budget of $0.03 for one actor for 2026-01-02 is less than the $0.04 that the next step may cost; work resumes when ACTOR_DAILY_BUDGET_USD is raised."
        );
        assert_eq!(
            shortage(Limit::Plan, 4),
            "The plan's budget of $2.00 is used up; work resumes when PLAN_BUDGET_USD is raised."
        );
    }
}
