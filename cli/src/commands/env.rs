//! `balancer env`

use crate::arguments::Env;
use crate::local::RunningStack;
use crate::outcome::{Outcome, answer};

/// Prints the variables with which the AWS command line and SDKs reach a stack that runs on this machine.
pub fn run(arguments: &Env) -> anyhow::Result<Outcome> {
    let stack = RunningStack::find(arguments.data.as_deref(), &[])?;
    let variables = [
        ("AWS_ENDPOINT_URL", stack.endpoint()),
        ("AWS_ACCESS_KEY_ID", &stack.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &stack.secret_access_key),
        ("AWS_REGION", local_stack::REGION),
        ("AWS_DEFAULT_REGION", local_stack::REGION),
    ];
    variables.iter().for_each(|(name, value)| answer(format!("export {name}='{value}'")));
    // These variables would take precedence over the key, or accompany it.
    answer("unset AWS_PROFILE AWS_SESSION_TOKEN");
    Ok(Outcome::Done)
}
