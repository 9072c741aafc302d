//! A stack in AWS, and the credentials for it. Every call only reads.

use aws::stack::Services;
use aws::store::StoreError;
use aws::{AwsError, CauseKind, SdkConfig};
use aws_config::BehaviorVersion;
use domain::actor::ActorId;
use domain::money::MicroUsd;
use handlers::Clock;
use local_stack::{Error, Outputs};
use providers::Check;

use super::budget::BudgetLimits;
use super::template;
use crate::connection::InAws;
use crate::event_sources::states;
use crate::local::Examined;
use crate::outcome::quoted;
use crate::stack_parameters::StackParameters;

/// An id for reads that find nothing.
const NO_ACTOR: &str = "balancer-doctor";

/// Checks a stack. Ends early if the credentials or the stack can't be used, because everything else would fail too.
pub async fn examine(name: &str) -> Vec<Examined> {
    let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let credentials = credentials(&sdk).await;
    let mut checks = vec![("credentials", credentials.clone())];
    if credentials.is_problem() {
        return checks;
    }
    match Outputs::of_stack(&sdk, name).await {
        Err(error) => checks.push(("stack", unreadable(&error))),
        Ok(outputs) => {
            let region = &outputs.stack.region;
            checks
                .push(("stack", Check::ok(format!("{name} is in {region}, with the bucket {}", outputs.stack.bucket))));
            checks.push(("stack", template::compare(&outputs.parameters)));
            let stack = InAws { sdk, outputs };
            checks.extend(of_stack(name, &stack).await);
        }
    }
    checks
}

async fn of_stack(name: &str, InAws { sdk, outputs }: &InAws) -> Vec<Examined> {
    let services = outputs.stack.services(sdk);
    let parameters = StackParameters(outputs.parameters.clone());
    let mut checks: Vec<Examined> =
        event_sources(name, sdk, outputs).await.into_iter().map(|check| ("event_sources", check)).collect();
    checks.extend(automatic(&parameters).map(|check| ("event_sources", check)));
    checks.extend(dead_letters(name, &services, outputs).await.into_iter().map(|check| ("dead_letters", check)));
    checks.extend(permissions(&services).await.into_iter().map(|check| ("permissions", check)));
    checks.extend(budget(&parameters).into_iter().map(|check| ("budget", check)));
    checks
}

/// Whom AWS takes this user for.
async fn credentials(sdk: &SdkConfig) -> Check {
    match aws_sdk_sts::Client::new(sdk).get_caller_identity().send().await {
        Ok(identity) => Check::ok(format!(
            "acting as {} in the account {}",
            identity.arn().unwrap_or("an unnamed identity"),
            identity.account().unwrap_or("(unnamed)")
        )),
        Err(error) => {
            failed("the credentials can't be checked", &AwsError::of("STS", "GetCallerIdentity", "the caller", &error))
        }
    }
}

/// A failure that concerns the credentials or the connection says enough by itself.
fn failed(what: &str, error: &AwsError) -> Check {
    let cause = error.cause();
    let text = match cause.kind {
        CauseKind::Denied | CauseKind::Other => format!("{what}: {}", cause.text),
        _ => cause.text.clone(),
    };
    Check::problem(text, cause.remedy.as_deref().unwrap_or("repeat the check later"))
}

fn unreadable(error: &Error) -> Check {
    match error {
        Error::StackUnreadable { name, reason, remedy, .. } => {
            Check::problem(format!("the stack {name} can't be read: {reason}"), remedy)
        }
        Error::StackMissing { name, region } => Check::problem(
            format!("there is no stack {name} in {region}"),
            "check its name, AWS_REGION and the account of your credentials",
        ),
        Error::OutputMissing { name } => Check::problem(
            format!("it was created from another template: it has no output {name}"),
            "name a stack of the balancer, or deploy this version",
        ),
        other => Check::problem(other.to_string(), "repeat the check later"),
    }
}

async fn event_sources(name: &str, sdk: &SdkConfig, outputs: &Outputs) -> Vec<Check> {
    let states = match states(sdk, outputs.functions()).await {
        Ok(states) => states,
        Err(problem) => {
            return vec![match problem.downcast_ref::<AwsError>() {
                Some(error) => failed("the functions can't be read", error),
                None => Check::problem(format!("{problem:#}"), "deploy the stack again"),
            }];
        }
    };
    let disabled: Vec<&str> =
        states.iter().filter(|(_, state)| state != "Enabled").map(|(function, _)| function.as_str()).collect();
    vec![if disabled.is_empty() {
        Check::ok("all three functions receive messages")
    } else {
        Check::warning(
            format!("messages wait, because these functions are paused: {}", disabled.join(", ")),
            format!("`balancer resume --stack {}`", quoted(name)),
        )
    }]
}

fn automatic(parameters: &StackParameters) -> Option<Check> {
    (parameters.get("AutomaticBalancing") == Some("DISABLED")).then(|| {
        Check::warning("uploads trigger no evaluation", "set AutomaticBalancing to ENABLED, unless that is meant")
    })
}

async fn dead_letters(name: &str, services: &Services, outputs: &Outputs) -> Vec<Check> {
    let urls = outputs.stack.dead_letter_urls();
    let mut checks = Vec::new();
    for (queue, url) in [("evaluation", urls.evaluation), ("deletion", urls.deletion), ("generation", urls.generation)]
    {
        match services.queues.depth(&url).await {
            Ok(0) => {}
            Ok(count) => {
                let messages = if count == 1 { "1 message".to_owned() } else { format!("{count} messages") };
                let name = quoted(name);
                checks.push(Check::warning(
                    format!("{messages} to {queue} failed five times"),
                    format!("`balancer status --stack {name}` shows the reasons; then `balancer redrive {queue} --stack {name}`"),
                ));
            }
            Err(error) => checks.push(failed(&format!("the dead letters of {queue} can't be counted"), &error)),
        }
    }
    if checks.is_empty() {
        checks.push(Check::ok("no message has failed five times"));
    }
    checks
}

/// Reads whatever the commands read. What they write can't be tried.
async fn permissions(services: &Services) -> Vec<Check> {
    let Services { bucket, store, keys, queues } = services;
    let Ok(unknown) = NO_ACTOR.parse::<ActorId>() else { return Vec::new() };
    let of_store = |error: StoreError| match error {
        StoreError::Aws(error) => failed("the table can't be read", &error),
        other => Check::problem(format!("the table can't be read: {other}"), "use the version that deployed the stack"),
    };
    let tried = [
        store.spending(Clock::system().today()).await.err().map(of_store),
        store.plans(&unknown).await.err().map(of_store),
        bucket
            .list(&keys.training_data(&unknown))
            .await
            .err()
            .map(|error| failed("the bucket can't be listed", &error)),
        bucket.etag(&keys.prompts()).await.err().map(|error| failed("the bucket can't be read", &error)),
        queues.total_depth().await.err().map(|error| failed("the queues can't be read", &error)),
    ];
    let problems: Vec<Check> = tried.into_iter().flatten().collect();
    if problems.is_empty() {
        vec![Check::ok("the table, the bucket and the queues can be read; writing was not tried")]
    } else {
        problems
    }
}

/// The stack's budgets beside the price of its generator.
fn budget(parameters: &StackParameters) -> Vec<Check> {
    let limit = |name: &'static str, default: u64| {
        let given = parameters.get(name).and_then(|value| value.parse().ok());
        (name, given.unwrap_or(MicroUsd(default * 1_000_000)))
    };
    let limits = BudgetLimits {
        daily: limit("DailyBudgetUsd", 10),
        daily_per_actor: limit("ActorDailyBudgetUsd", 3),
        per_plan: limit("PlanBudgetUsd", 2),
    };
    match parameters.price_per_image() {
        Some(price) => limits.examine(price),
        None => vec![Check::problem(
            "the price of an image is not known, so the generation function does not start",
            "set GeneratorUsdPerImage or GeneratorUsdPerMegapixel",
        )],
    }
}
