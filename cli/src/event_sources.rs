//! The connections between the queues and the functions of a stack in AWS. While they are disabled, messages wait in
//! their queues.

use anyhow::{Context, bail};
use aws::{AwsError, SdkConfig};
use aws_sdk_lambda::Client;

const LAMBDA: &str = "Lambda";
const ENABLED: &str = "Enabled";
const DISABLED: &str = "Disabled";

/// The interval at which the state is polled. Lambda changes it within a minute.
const POLL: std::time::Duration = std::time::Duration::from_secs(2);

/// The number of polls that may return the state before a change.
const MAX_STALE_READS: u32 = 5;

/// The longest time that Lambda may take for a change.
const MAX_CHANGE: std::time::Duration = std::time::Duration::from_secs(300);

/// Enables or disables the event sources of these functions, and waits until the change is complete.
pub async fn set_enabled(sdk: &SdkConfig, functions: [&str; 3], enabled: bool) -> anyhow::Result<()> {
    let client = Client::new(sdk);
    let mut ids = Vec::new();
    for function in functions {
        ids.extend(ids_of(&client, function).await?);
    }
    for id in &ids {
        // Lambda rejects a change while an earlier one is in progress.
        settled(&client, id).await?;
        let request = client.update_event_source_mapping().uuid(id).enabled(enabled);
        request.send().await.map_err(|error| AwsError::of(LAMBDA, "UpdateEventSourceMapping", id, &error))?;
    }
    let wanted = if enabled { ENABLED } else { DISABLED };
    for id in &ids {
        wait_for(&client, id, wanted).await?;
    }
    Ok(())
}

/// The state of each event source, with its function: `Enabled`, `Disabled`, or a change between them.
pub async fn states(sdk: &SdkConfig, functions: [&str; 3]) -> anyhow::Result<Vec<(String, String)>> {
    let client = Client::new(sdk);
    let mut states = Vec::new();
    for function in functions {
        for id in ids_of(&client, function).await? {
            let found = client.get_event_source_mapping().uuid(&id).send().await;
            let found = found.map_err(|error| AwsError::of(LAMBDA, "GetEventSourceMapping", &id, &error))?;
            states.push((function.to_owned(), found.state().unwrap_or_default().to_owned()));
        }
    }
    Ok(states)
}

/// Waits for a state. Lambda may report the previous one for a moment after a change was requested, and leaves an event
/// source in it if the change fails.
async fn wait_for(client: &Client, id: &str, wanted: &str) -> anyhow::Result<()> {
    for _ in 0..MAX_STALE_READS {
        if settled(client, id).await?.0 == wanted {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    let (state, reason) = settled(client, id).await?;
    if state == wanted { Ok(()) } else { bail!("Lambda left the event source {id} {state}: {reason}") }
}

async fn ids_of(client: &Client, function: &str) -> anyhow::Result<Vec<String>> {
    let listed = client.list_event_source_mappings().function_name(function).send().await;
    let listed = listed.map_err(|error| AwsError::of(LAMBDA, "ListEventSourceMappings", function, &error))?;
    let ids: Vec<String> = listed.event_source_mappings().iter().filter_map(|source| source.uuid.clone()).collect();
    if ids.is_empty() { Err(anyhow::anyhow!("the function {function} has no event source")) } else { Ok(ids) }
}

/// The state of an event source that is not changing, and Lambda's reason for it.
async fn settled(client: &Client, id: &str) -> anyhow::Result<(String, String)> {
    let deadline = tokio::time::Instant::now() + MAX_CHANGE;
    loop {
        let found = client.get_event_source_mapping().uuid(id).send().await;
        let found = found.map_err(|error| AwsError::of(LAMBDA, "GetEventSourceMapping", id, &error))?;
        let state = found.state().context("Lambda reports no state of an event source")?;
        if [ENABLED, DISABLED].contains(&state) {
            return Ok((state.to_owned(), found.state_transition_reason().unwrap_or("no reason given").to_owned()));
        }
        if tokio::time::Instant::now() > deadline {
            bail!("the event source {id} is still {state} after {} s", MAX_CHANGE.as_secs());
        }
        tokio::time::sleep(POLL).await;
    }
}
