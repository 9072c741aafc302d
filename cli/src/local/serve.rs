//! `--serve`: only the local stack, for `sam local invoke` and other clients.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use aws::stack::Services;
use domain::actor::ActorId;
use domain::files::images_in_words;
use domain::keys::Keys;
use handlers::wiring::EMULATOR_ACCESS_KEY_ID;
use local_stack::{Account, EmulatorOptions, LocalStack, StackOptions, write_private};
use serde_json::{Value, json};

use super::data_folder::{self, ActorFolder};
use super::examined::Examined;
use super::registry::{Registration, RunningStack};
use super::session::{KEY_PREFIX, STACK_NAME, TEMPLATE, interruption};
use super::upload::{examine, upload_actor};
use super::{events, functions, prompts};
use crate::outcome::{Outcome, answer, remark};
use crate::target::{CapArguments, SettingsArguments};

/// The usual port of an AWS emulator.
const USUAL_PORT: u16 = 4566;

/// The event that the instructions name if the stack has no actor.
const SAMPLE_EVENT: &str = "infra/events/evaluation-manual.json";

pub struct Options {
    pub data: Option<PathBuf>,
    pub actors: Vec<ActorId>,
    pub host: Ipv4Addr,
    pub port: Option<u16>,
    pub env_vars: PathBuf,
    pub events: PathBuf,
    pub logs: Option<PathBuf>,
    pub prompts: Option<PathBuf>,
    pub settings: SettingsArguments,
    pub cap: CapArguments,
}

/// Runs the stack until Ctrl-C. Uploads trigger no evaluation: the user invokes the first function, and the stack's own
/// functions process the messages that it sends.
pub async fn serve(options: Options) -> anyhow::Result<Outcome> {
    let prompts = prompts::checked(options.prompts.as_deref(), &options.settings.settings())?;
    let stack = tokio::select! {
        stack = start(&options) => stack?,
        () = interruption() => return Ok(Outcome::Interrupted),
    };
    let served = tokio::select! {
        prepared = prepare(&options, prompts, &stack) => match prepared {
            // Registered until the end of this arm.
            Ok(_registration) => { interruption().await; Ok(Outcome::Done) }
            Err(error) => Err(error),
        },
        () = interruption() => Ok(Outcome::Interrupted),
    };
    stack.stop().await?;
    served
}

async fn start(options: &Options) -> anyhow::Result<LocalStack> {
    let binaries = functions::binaries().await?;
    let emulator = EmulatorOptions {
        host: Some(options.host),
        port: options.port.or(Some(USUAL_PORT)),
        log_dir: options.logs.clone(),
        ..EmulatorOptions::default()
    };
    let stack = StackOptions {
        template: TEMPLATE.to_owned(),
        binaries,
        parameters: parameters(options),
        key_files: BTreeMap::new(),
        account: Account::default(),
        name: STACK_NAME.to_owned(),
    };
    Ok(LocalStack::start(emulator, stack).await?)
}

fn parameters(options: &Options) -> BTreeMap<String, String> {
    let own = [
        ("Architecture", "x86_64".to_owned()),
        ("VisionProvider", "embedded".to_owned()),
        ("Generator", "embedded".to_owned()),
        ("KeyPrefix", KEY_PREFIX.to_owned()),
        ("AutomaticBalancing", "DISABLED".to_owned()),
        ("MaxDeletedPercent", options.cap.max_deleted_percent.to_string()),
    ];
    let of_target = options.settings.of_stack().map(|(parameter, _, value)| (parameter, value));
    own.into_iter().chain(of_target).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Uploads the actors, writes the files, and prints the instructions.
async fn prepare(options: &Options, prompts: Option<Vec<u8>>, stack: &LocalStack) -> anyhow::Result<Registration> {
    let folders = options.data.as_deref().map(|data| data_folder::actors(data, &options.actors)).transpose()?;
    let folders = folders.unwrap_or_default();
    let services = stack.outputs().stack.services(stack.sdk_config());
    prompts::put(&services, prompts).await?;
    upload(&folders, &services).await?;
    let events = write_events(options, &folders, stack)?;
    let variables = variables(options, stack);
    write_private(&options.env_vars, format!("{variables:#}\n").as_bytes())
        .with_context(|| format!("{} can't be written", options.env_vars.display()))?;
    let data = options.data.as_deref().map(Path::canonicalize).transpose()?;
    let registration = RunningStack::of(stack, data, false).register()?;
    answer(instructions(stack, &options.env_vars, &events));
    Ok(registration)
}

async fn upload(folders: &[ActorFolder], services: &Services) -> anyhow::Result<()> {
    for folder in folders {
        match examine(services, folder).await? {
            Examined::Usable(files) => {
                let images = upload_actor(services, folder, files).await?;
                remark(format!("uploaded {} of {}", images_in_words(images), folder.actor));
            }
            Examined::Unusable(reason) => remark(format!("skipped {}: {reason}", folder.actor)),
        }
    }
    Ok(())
}

/// Writes the events and returns their paths; none if the stack has no actor.
fn write_events(options: &Options, folders: &[ActorFolder], stack: &LocalStack) -> anyhow::Result<Vec<PathBuf>> {
    let Some((actor, image)) = events::example(folders)? else { return Ok(Vec::new()) };
    let about =
        events::EventContext { actor, image, bucket: &stack.outputs().stack.bucket, keys: Keys::new(KEY_PREFIX) };
    events::write(&options.events, &about)
}

/// The environment of each function for SAM, which passes on only the variables that the template names.
fn variables(options: &Options, stack: &LocalStack) -> Value {
    let (outputs, port) = (stack.outputs(), stack.emulator().port());
    // In a container, 127.0.0.1 and 0.0.0.0 are the container itself.
    let is_this_machine = options.host.is_loopback() || options.host.is_unspecified();
    let host = if is_this_machine { "host.docker.internal".to_owned() } else { options.host.to_string() };
    let common = json!({
        "AWS_ENDPOINT_URL": format!("http://{host}:{port}"),
        EMULATOR_ACCESS_KEY_ID: stack.stack().credentials().access_key_id(),
        "BUCKET": outputs.stack.bucket,
        "TABLE": outputs.stack.table,
        "EVALUATION_QUEUE_URL": outputs.stack.evaluation_queue_url,
        "DELETION_QUEUE_URL": outputs.stack.deletion_queue_url,
        "GENERATION_QUEUE_URL": outputs.stack.generation_queue_url,
        "KEY_PREFIX": KEY_PREFIX,
        "LOCAL_DATA_DIR": "",
    });
    let with = |own: Value| {
        let fields = [&common, &own].into_iter().filter_map(Value::as_object).flatten();
        fields.map(|(name, value)| (name.clone(), value.clone())).collect::<Value>()
    };
    let of_target = options.settings.of_stack().map(|(_, variable, value)| (variable, value));
    let own = [
        ("VISION_PROVIDER", "embedded".to_owned()),
        ("MAX_DELETED_PERCENT", options.cap.max_deleted_percent.to_string()),
    ];
    let of_evaluation = own.into_iter().chain(of_target).map(|(name, value)| (name.to_owned(), json!(value)));
    json!({
        "EvaluationFunction": with(of_evaluation.collect()),
        "DeletionFunction": with(json!({})),
        "GenerationFunction": with(json!({ "GENERATOR": "embedded" })),
    })
}

fn instructions(stack: &LocalStack, env_vars: &Path, events: &[PathBuf]) -> String {
    let outputs = stack.outputs();
    let lines = [
        ("endpoint", stack.endpoint()),
        ("bucket", &outputs.stack.bucket),
        ("table", &outputs.stack.table),
        ("evaluation queue", &outputs.stack.evaluation_queue_url),
        ("deletion queue", &outputs.stack.deletion_queue_url),
        ("generation queue", &outputs.stack.generation_queue_url),
    ];
    let lines = lines.map(|(name, value)| format!("{name:18}{value}\n")).concat();
    let event = events.first().map_or(SAMPLE_EVENT.to_owned(), |event| event.display().to_string());
    let others: String = events.iter().skip(1).map(|event| format!("  {}\n", event.display())).collect();
    let others = if others.is_empty() { others } else { format!("\nEvents of the other kinds:\n\n{others}") };
    format!(
        "{lines}
In another terminal, beside template.yaml:

  sam build --config-env local
  sam local invoke EvaluationFunction --config-env local --env-vars {} --event {event}
{others}
`eval \"$(balancer env)\"` lets the AWS command line and SDKs reach the stack. `balancer status --rejected` lists rejected
messages with the reasons. Ctrl-C ends it.",
        env_vars.display()
    )
}
