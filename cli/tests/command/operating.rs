//! `pause`, `resume`, `drain` and `evaluate` with the name of a stack.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::plan::{Origin, Plan};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::background::wait_until;
use crate::support::deployed::Deployed;

impl Deployed {
    fn messages(&self) -> u64 {
        self.runtime.block_on(self.stack.queues.total_depth()).unwrap()
    }

    /// Records an actor whose plan runs and has made no progress for this time.
    fn balancing(&self, actor: &str, without_progress: SignedDuration) {
        self.put(actor, "balancing", without_progress, &[]);
    }

    /// Records an actor with a running plan of which a message failed for the last time.
    fn with_a_dead_letter(&self, actor: &str, origin: Origin) {
        let plan = Plan { remaining: 1, ..Plan::empty("p".to_owned(), Timestamp::now(), origin) };
        self.runtime.block_on(self.stack.store.record_plan(&actor.parse().unwrap(), &plan)).unwrap();
        let active: &[_] = if origin == Origin::Manual { &[] } else { &[("active_plan", "p")] };
        self.put(actor, "needs_attention", SignedDuration::ZERO, active);
    }

    fn put(&self, actor: &str, status: &str, without_progress: SignedDuration, more: &[(&str, &str)]) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let updated_at = Timestamp::now() - without_progress;
        let put = self.stack.dynamodb.put_item().table_name(&self.stack.outputs().stack.table);
        let put = put.item("pk", text(&format!("ACTOR#{actor}"))).item("sk", text("ACTOR"));
        let put = put.item("status", text(status));
        let put = more.iter().fold(put, |put, (name, value)| put.item(*name, text(value)));
        let put = put.item("updated_at", AttributeValue::N(updated_at.as_millisecond().to_string()));
        self.runtime.block_on(put.send()).unwrap();
    }
}

#[test]
fn paused_stack_keeps_messages_until_it_is_resumed() {
    let deployed = Deployed::start();
    assert_eq!(deployed.balancer(&["pause", "--json"]).done().json()["paused"], true);
    deployed.balancer(&["send", "deletion", "hero", "hero_1.jpg"]).done();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(deployed.messages(), 1);
    deployed.balancer(&["drain", "--timeout", "0"]).failed(1, &["1 message left"]);

    assert_eq!(deployed.balancer(&["resume", "--json"]).done().json()["paused"], false);
    let drained = deployed.balancer(&["drain", "--json"]).done().json();
    assert_eq!((&drained["drained"], &drained["messages"]), (&json!(true), &json!(0)));
}

#[test]
fn plan_with_a_dead_letter_is_not_drained() {
    let deployed = Deployed::start();
    deployed.with_a_dead_letter("hero", Origin::Evaluation);
    deployed.with_a_dead_letter("manual", Origin::Manual);
    let drained = deployed.balancer(&["drain", "--json"]).failed(3, &[]).json();
    assert_eq!((&drained["drained"], &drained["needing_attention"]), (&json!(false), &json!(["hero", "manual"])));
    let words = deployed.balancer(&["drain"]).answer;
    assert!(words.contains("hero") && words.contains("balancer redrive"), "{words}");
}

#[test]
fn stuck_actors_are_evaluated_and_others_are_not() {
    let deployed = Deployed::start();
    deployed.balancing("stuck", SignedDuration::from_hours(3));
    deployed.balancing("active", SignedDuration::from_mins(5));
    let drained = deployed.balancer(&["drain", "--json"]).failed(3, &[]).json();
    assert_eq!((&drained["drained"], &drained["stuck"]), (&json!(false), &json!(["active", "stuck"])));

    let requested = deployed.balancer(&["evaluate", "--stuck", "--json"]).done().json();
    let actors: Vec<_> = requested["requested"].as_array().unwrap().iter().map(|it| &it["actor_id"]).collect();
    assert_eq!(actors, ["stuck"]);
    let status = || deployed.balancer(&["status", "stuck", "--json"]).json()["actors"][0]["status"].clone();
    wait_until(|| status() == "needs_attention", || status().to_string());
    let again = deployed.balancer(&["evaluate", "--stuck"]).done().answer;
    assert!(again.contains("No actor is stuck"), "{again}");
}
