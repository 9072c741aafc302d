//! Budgets beside the price of an image.

use domain::money::MicroUsd;
use providers::Check;

/// The budgets, each with the name of its variable or parameter.
#[derive(Debug, Clone, Copy)]
pub struct BudgetLimits {
    pub daily: (&'static str, MicroUsd),
    pub daily_per_actor: (&'static str, MicroUsd),
    pub per_plan: (&'static str, MicroUsd),
}

impl BudgetLimits {
    /// What the budgets allow if an image has this price. Nothing if it is free.
    pub fn examine(&self, price: MicroUsd) -> Vec<Check> {
        if price == MicroUsd::ZERO {
            return Vec::new();
        }
        let all = [self.daily, self.daily_per_actor, self.per_plan];
        let too_low: Vec<Check> =
            all.iter().filter(|(_, limit)| *limit < price).map(|it| too_low(*it, price)).collect();
        if !too_low.is_empty() {
            return too_low;
        }
        let images = |(_, limit): (&str, MicroUsd)| limit.0 / price.0.max(1);
        let mut checks = vec![Check::ok(format!(
            "an image costs {price}: {} a day for all actors, {} a day for one, {} in a plan",
            images(self.daily),
            images(self.daily_per_actor),
            images(self.per_plan)
        ))];
        if self.daily_per_actor.1 > self.daily.1 {
            let ((actor, of_actor), (all, of_all)) = (self.daily_per_actor, self.daily);
            checks.push(Check::warning(
                format!("{actor} is {of_actor}, more than {all} with {of_all}, so it has no effect"),
                format!("lower {actor}, or raise {all}"),
            ));
        }
        checks
    }
}

fn too_low((name, limit): (&str, MicroUsd), price: MicroUsd) -> Check {
    Check::problem(
        format!("{name} is {limit}, and an image costs {price}, so none can be generated"),
        format!("raise {name}, or choose a cheaper model"),
    )
}

#[cfg(test)]
mod tests {
    use providers::Level;

    use super::*;

    fn levels(daily: u64, actor: u64, plan: u64, price: u64) -> Vec<Level> {
        let cents = |cents: u64| MicroUsd(cents * 10_000);
        let limits = BudgetLimits {
            daily: ("DailyBudgetUsd", cents(daily)),
            daily_per_actor: ("ActorDailyBudgetUsd", cents(actor)),
            per_plan: ("PlanBudgetUsd", cents(plan)),
        };
        limits.examine(cents(price)).into_iter().map(|check| check.level).collect()
    }

    #[test]
    fn budget_below_the_price_of_an_image_is_a_problem() {
        assert_eq!(levels(1000, 300, 200, 4), [Level::Ok]);
        assert_eq!(levels(1000, 300, 3, 4), [Level::Problem]);
        assert_eq!(levels(3, 3, 3, 4), [Level::Problem; 3]);
        assert_eq!(levels(200, 300, 200, 4), [Level::Ok, Level::Warning]);
        assert_eq!(levels(0, 0, 0, 0), []);
    }
}
