//! `balancer send evaluation|deletion|generation ACTOR …`

mod dry_run;

use crate::actions::Request;
use crate::arguments::Send;
use crate::outcome::{Outcome, answer, quoted, remark};
use crate::sets::Sets;

/// Sends a message, and waits for the result of a dry run.
pub async fn run(arguments: Send) -> anyhow::Result<Outcome> {
    let Send { connection, json, message } = arguments;
    let mut request = Request::of(message)?;
    let sets = Sets::of_stack(&connection, std::slice::from_ref(&request.actor)).await?;
    request.send(&sets).await?;
    match request.patience {
        Some(patience) => {
            remark(format!("{}; waiting for the result", request.in_words()));
            dry_run::wait_for(&sets, &request, patience, json).await
        }
        None => {
            if json {
                answer(request.in_json()?);
            } else {
                let follow = format!("balancer status {}", quoted(request.actor.as_str()));
                answer(format!("{}; follow it with `{follow}`", request.in_words()));
            }
            Ok(Outcome::Done)
        }
    }
}
