//! `balancer pause` and `balancer resume`

use serde_json::json;

use crate::arguments::Pause;
use crate::connection::InAws;
use crate::event_sources::set_enabled;
use crate::outcome::{Outcome, SCHEMA, answer};
use crate::progress::Spinner;

/// Connects the functions of a stack in AWS with their queues, or disconnects them.
pub async fn run(arguments: Pause, enabled: bool) -> anyhow::Result<Outcome> {
    let Pause { stack: name, json } = arguments;
    let InAws { sdk, outputs } = InAws::find(&name).await?;
    let spinner = Spinner::start(if enabled { "resuming" } else { "pausing" });
    set_enabled(&sdk, outputs.functions(), enabled).await?;
    spinner.finish();
    if json {
        answer(json!({ "schema": SCHEMA, "stack": name, "paused": !enabled }));
    } else if enabled {
        answer(format!("Resumed {name}."));
    } else {
        answer(format!(
            "Paused {name}. Functions complete the messages that they have received. Resume within 14 days, before \
             messages expire: `balancer resume --stack {name}`"
        ));
    }
    Ok(Outcome::Done)
}
