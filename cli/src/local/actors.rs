//! The actors of a run, with the clients of the stack's services.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aws::queues::Queue;
use aws::stack::Services;
use domain::actor::ActorId;
use domain::files::IMAGE_EXTENSIONS_IN_WORDS;
use domain::manifest::Manifest;
use domain::messages::{Cause, EvaluationCommand, Mode};
use domain::numbering;
use domain::settings;
use handlers::Clock;
use jiff::Timestamp;

use super::actor_files::ActorFiles;
use super::circumstances::{Circumstances, Settings};
use super::data_folder::ActorFolder;
use super::examined::Examined;
use super::left_actors;
use super::manifest_keeper::ManifestKeeper;
use super::report::Report;
use super::upload::{examine, upload_actor};
use super::wait;
use crate::outcome::remark;

pub struct Actors {
    pub services: Services,
    /// Writes the manifests.
    pub keeper: Arc<ManifestKeeper>,
    /// For actors whose `actor.json` states no others.
    settings_of_stack: settings::Settings,
    /// Whether to retry sets that an earlier run has suspended.
    retry: bool,
    /// When the run began, or the last report was printed.
    reported_at: Timestamp,
    /// The actors of a killed run that were not added yet.
    left: BTreeSet<ActorId>,
    /// The added actors.
    folders: Vec<ActorFolder>,
    /// The skipped actors, with the reasons.
    pub skipped: BTreeMap<ActorId, String>,
    /// Actors whose folders are unreliable at present, for example because a disk is unmounted, with the reasons.
    held: BTreeMap<ActorId, String>,
    /// The remarks that were printed and must not be repeated.
    printed: BTreeSet<String>,
}

/// The result of adding an actor.
pub enum Uploaded {
    /// It was uploaded, with this many images.
    Complete {
        images: usize,
        /// Whether no upload leads to an evaluation: the functions ignore events about images that they generated.
        needs_request: bool,
        /// Whether an earlier run has suspended it, and nothing has changed since except perhaps its images.
        is_suspended: bool,
    },
    /// The run continues the work of a killed one on it.
    Resumed,
    /// The run skips the actor.
    Skipped,
    /// The run skips the actor for the same reason as before.
    StillSkipped,
}

impl Actors {
    /// A run without actors. `left` are the actors whose records a killed run has left.
    pub fn new(services: Services, settings: Settings, retry: bool, left: BTreeSet<ActorId>) -> Self {
        let settings_of_stack = settings.of_stack;
        Self {
            keeper: Arc::new(ManifestKeeper::new(services.store.clone(), settings)),
            services,
            settings_of_stack,
            retry,
            reported_at: Clock::system().now(),
            left,
            folders: Vec::new(),
            skipped: BTreeMap::new(),
            held: BTreeMap::new(),
            printed: BTreeSet::new(),
        }
    }

    /// Uploads an actor, or reports why the run skips it.
    pub async fn add(&mut self, folder: &ActorFolder) -> anyhow::Result<Uploaded> {
        let actor = &folder.actor;
        let is_left = self.left.contains(actor);
        let examined = if is_left {
            left_actors::examine(&self.services, folder).await?
        } else {
            examine(&self.services, folder).await?
        };
        let mut files = match examined {
            Examined::Usable(files) => files,
            Examined::Unusable(reason) if self.skipped.get(actor) == Some(&reason) => {
                return Ok(Uploaded::StillSkipped);
            }
            Examined::Unusable(reason) => {
                remark(format!("skipped {actor}: {reason}"));
                self.skipped.insert(actor.clone(), reason);
                return Ok(Uploaded::Skipped);
            }
        };
        self.skipped.remove(actor);
        self.report_unusual_files(folder, &files);
        let circumstances = self.keeper.circumstances(&files);
        if is_left {
            let added = left_actors::add(self, folder, files, circumstances).await?;
            self.left.remove(actor);
            return Ok(added);
        }
        let is_suspended = self.keep_suspension(&circumstances, files.manifest.as_mut());
        // Before the upload, so that an interrupted run brings the folder into agreement with the bucket.
        self.keep(folder, files.manifest.as_ref(), circumstances).await;
        let needs_request = files.are_all_generated();
        let images = upload_actor(&self.services, folder, files).await?;
        if images == 0 {
            remark(format!(
                "{} holds no images; put {IMAGE_EXTENSIONS_IN_WORDS} files there, or the whole set is generated from the base image in {}",
                folder.training_data().display(),
                folder.base_images().display()
            ));
        }
        Ok(Uploaded::Complete { images, needs_request, is_suspended })
    }

    /// Keeps the manifest of an actor from now on. `earlier` is the manifest in its folder.
    pub async fn keep(&mut self, folder: &ActorFolder, earlier: Option<&Manifest>, circumstances: Circumstances) {
        self.keeper.add(folder, earlier, circumstances).await;
        self.folders.push(folder.clone());
    }

    /// The actors of a killed run that were not added, because they are not part of this run, or the run has skipped them
    /// or has not come to them.
    pub fn left(&self) -> impl Iterator<Item = &ActorId> {
        self.left.iter()
    }

    /// Whether the user requests to retry suspended sets.
    pub fn retries(&self) -> bool {
        self.retry
    }

    /// Drops the suspension by an earlier run if the user requests a retry, or if anything except the images has
    /// changed; the evaluation compares the images. Returns whether the set is still suspended.
    fn keep_suspension(&self, circumstances: &Circumstances, manifest: Option<&mut Manifest>) -> bool {
        let Some(manifest) = manifest else { return false };
        let suspension = manifest.balancing.take();
        manifest.balancing = suspension.filter(|suspension| !self.retry && circumstances.are_those_of(suspension));
        manifest.balancing.is_some()
    }

    /// Reports an actor's ignored files, and image names that make the next number surprisingly high.
    fn report_unusual_files(&mut self, folder: &ActorFolder, files: &ActorFiles) {
        let actor = &folder.actor;
        let base = folder.base_contents().unwrap_or_default().remarks(&format!("{actor}/base_image"));
        files.contents.remarks(actor.as_str()).into_iter().chain(base).for_each(|line| self.remark_once(line));
        let names = files.contents.images.iter().map(|image| image.name.as_str());
        self.warn_if_numbers_leap(actor, names, files.manifest.as_ref().map_or(0, |manifest| manifest.last_number));
    }

    /// Warns if the names of images make the next number surprisingly high. `known` is the highest number so far.
    pub fn warn_if_numbers_leap<'a>(&mut self, actor: &ActorId, names: impl IntoIterator<Item = &'a str>, known: u64) {
        if let Some((name, number)) = numbering::surprising_number(names, known) {
            self.remark_once(format!(
                "new images of {actor} are numbered from {} on, after {name}; to avoid that, rename it before the first is generated, for example to {}",
                number + 1,
                numbering::filename(actor, 1)
            ));
        }
    }

    /// Prints a remark, unless it was printed before.
    pub fn remark_once(&mut self, line: String) {
        if self.printed.insert(line.clone()) {
            remark(line);
        }
    }

    /// Ignores the content of an actor's folder from now on. Reports the reason once.
    pub fn hold(&mut self, actor: &ActorId, reason: String) {
        if self.held.get(actor) != Some(&reason) {
            remark(&reason);
            self.held.insert(actor.clone(), reason);
        }
    }

    /// Ends [`Self::hold`]. Returns whether the actor's folder was held.
    pub fn release(&mut self, actor: &ActorId) -> bool {
        let was_held = self.held.remove(actor).is_some();
        if was_held {
            remark(format!("the images of {actor} are back"));
        }
        was_held
    }

    /// Whether the actor was added.
    pub fn contains(&self, actor: &ActorId) -> bool {
        self.folders.iter().any(|folder| folder.actor == *actor)
    }

    pub fn ids(&self) -> Vec<ActorId> {
        self.folders.iter().map(|folder| folder.actor.clone()).collect()
    }

    pub async fn request_evaluation(&self, actor: &ActorId, mode: Mode) -> anyhow::Result<()> {
        let mut command = EvaluationCommand::because(actor.clone(), Cause::Manual);
        command.mode = mode;
        self.services.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
        Ok(())
    }

    /// Requests the first evaluation of an actor whose files cause no upload event.
    pub async fn request_first_evaluation(&self, actor: &ActorId, is_suspended: bool) -> anyhow::Result<()> {
        if !is_suspended {
            return self.request_evaluation(actor, Mode::Execute).await;
        }
        // A manual request would retry the suspended set.
        wait::request_as_upload(&self.services.store, &self.services.queues, actor).await
    }

    /// Waits until these actors are settled, and reports the changes since the last report, also for skipped actors.
    pub async fn wait_and_report(&mut self, actors: &[ActorId]) -> anyhow::Result<Report> {
        let (known, skipped): (Vec<_>, Vec<_>) = self.folders_of(actors);
        let known_actors: Vec<ActorId> = known.iter().map(|folder| folder.actor.clone()).collect();
        wait::wait_until_settled(&self.services.store, &self.services.queues, &known_actors).await?;
        // Reports the last deletions before the report is printed.
        self.keeper.update().await?;
        let now = Clock::system().now();
        let report = Report::of(&self.services.store, &known, self.reported_at, &self.settings_of_stack).await?;
        self.reported_at = now;
        Ok(report.with_skipped(skipped.iter().filter_map(|actor| self.skipped.get_key_value(actor))))
    }

    fn folders_of(&self, actors: &[ActorId]) -> (Vec<&ActorFolder>, Vec<ActorId>) {
        let folder_of = |actor: &ActorId| self.folders.iter().find(|folder| folder.actor == *actor);
        let skipped = actors.iter().filter(|actor| folder_of(actor).is_none()).cloned().collect();
        (actors.iter().filter_map(folder_of).collect(), skipped)
    }
}
