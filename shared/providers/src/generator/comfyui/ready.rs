//! Reads the workflow and checks it against what ComfyUI has.

use super::ComfyUi;
use super::file::{Unread, UserFile};
use super::inspection::inspect;
use super::mapping::Mapping;
use super::object_info::ObjectInfo;
use super::placeholders::Placeholders;
use super::workflow::Workflow;
use super::{Failure, TIMEOUT};
use crate::checks::{Check, Remedy};
use crate::generator::ServiceError;

/// A workflow that ComfyUI can execute.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) workflow: Workflow,
    pub(super) placeholders: Placeholders,
}

/// The checks so far.
#[derive(Default)]
struct Examination {
    checks: Vec<Check>,
    /// Why a check could not be made. It may succeed later.
    outage: Option<Failure>,
}

impl ComfyUi {
    /// The workflow after its checks. A failure is not kept, so the next call checks again.
    pub(super) async fn ready(&self) -> Result<&Ready, Failure> {
        self.ready.get_or_try_init(|| self.get_ready()).await
    }

    async fn get_ready(&self) -> Result<Ready, Failure> {
        let mut examination = Examination::default();
        let ready = self.examine_into(&mut examination).await;
        let problems: Vec<String> =
            examination.checks.iter().filter(|check| check.is_problem()).map(ToString::to_string).collect();
        match (ready, examination.outage) {
            (Some(ready), _) if problems.is_empty() => Ok(ready),
            (_, Some(outage)) if problems.is_empty() => Err(outage),
            _ => Err(Failure::Misconfigured {
                problem: format!("the workflow can't be used: {}", problems.join(". ")),
                remedy: Remedy::new("`balancer doctor --generator comfyui` repeats this check"),
            }),
        }
    }

    /// Checks the files and ComfyUI, without using the result of an earlier check.
    pub(in crate::generator) async fn examine(&self) -> Vec<Check> {
        let mut examination = Examination::default();
        self.examine_into(&mut examination).await;
        let Examination { mut checks, outage } = examination;
        checks.extend(outage.map(|outage| ServiceError::of::<Self>(outage).to_check()));
        checks
    }

    /// The workflow as far as it can be used.
    async fn examine_into(&self, examination: &mut Examination) -> Option<Ready> {
        let ready = self.read_files(examination).await;
        let info: ObjectInfo = match self.get("object_info", TIMEOUT).await {
            Ok(info) => info,
            Err(failure) => {
                examination.add_failure(failure);
                return None;
            }
        };
        let types = counted(info.len(), "node type");
        examination.checks.push(Check::ok(format!("ComfyUI answers at {}, with {types}", self.address())));
        let ready = ready?;
        examination.checks.extend(inspect(&ready.workflow, &ready.placeholders, &info));
        Some(ready)
    }

    async fn read_files(&self, examination: &mut Examination) -> Option<Ready> {
        let text = examination.text_of(&self.workflow).await?;
        let workflow = match Workflow::parse(&text) {
            Ok(workflow) => workflow,
            Err((problem, remedy)) => {
                examination.checks.push(Check::problem(format!("{} {problem}", self.workflow.name()), remedy));
                return None;
            }
        };
        let nodes = counted(workflow.nodes.len(), "node");
        examination.checks.push(Check::ok(format!("{} is in API form, with {nodes}", self.workflow.name())));
        let mapping = match &self.mapping {
            None => Mapping::default(),
            Some(file) => {
                let text = examination.text_of(file).await?;
                match Mapping::parse(&text) {
                    Ok(mapping) => mapping,
                    Err(problem) => {
                        let remedy = "infra/comfyui/README.md shows an example";
                        examination.checks.push(Check::problem(format!("{} {problem}", file.name()), remedy));
                        return None;
                    }
                }
            }
        };
        let (placeholders, problems) = Placeholders::find(&workflow, &mapping);
        examination.checks.extend(placeholders.describe(&workflow).map(Check::ok));
        examination.checks.extend(problems);
        Some(Ready { workflow, placeholders })
    }
}

impl Examination {
    async fn text_of(&mut self, file: &UserFile) -> Option<String> {
        match file.read().await {
            Ok(text) => Some(text),
            Err(Unread::Problem(problem)) => {
                self.checks.push(problem);
                None
            }
            Err(Unread::Outage(failure)) => {
                self.outage = Some(failure);
                None
            }
        }
    }

    fn add_failure(&mut self, failure: Failure) {
        match failure {
            failure @ (Failure::Misconfigured { .. } | Failure::Unreadable(_)) => {
                self.checks.push(ServiceError::of::<ComfyUi>(failure).to_check());
            }
            failure => self.outage = Some(failure),
        }
    }
}

/// A number of things, in words.
fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}
