//! Imports into a stack, and what already lies in its bucket.

use std::collections::{BTreeMap, BTreeSet};

use aws::bucket::PutNew;
use aws::exchange;
use aws::queues::Queue;
use aws::stack::Services;
use domain::actor::ActorId;
use domain::files::{IMAGE_EXTENSIONS, composed, content_type, extension, images_in_words, is_image_name, visible};
use domain::messages::{Cause, EvaluationCommand, Mode, new_request_id};
use domain::planner::Scope;
use domain::settings::ACTOR_FILE;
use std::time::Duration;

use super::content::{
    base_images_of_manifests, compare_settings, images_of_manifests, merged, only_in_s3, read, settings_of,
};
use super::gathered::Found;
use super::image_folder::{CaptionRule, Incoming, Role};
use super::report::{ActorReport, Problem};
use crate::connection::Connected;

/// A stack as the destination.
pub struct IntoStack<'a> {
    pub stack: &'a Connected,
    pub dry_run: bool,
}

/// What has become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// It was uploaded, or would be.
    New,
    /// It was there already.
    Same,
    Refused,
}

impl IntoStack<'_> {
    /// Imports an actor. Images come last, because their arrival triggers an evaluation.
    pub async fn import(&self, actor: &ActorId, found: &Found) -> anyhow::Result<ActorReport> {
        let mut report = ActorReport::of(actor);
        report.sources.clone_from(&found.sources);
        report.skipped.clone_from(&found.skipped);
        report.notes.clone_from(&found.notes);
        let folder = self.services().keys.training_data(actor);
        let listed = self.services().bucket.list(&folder).await?;
        let mut names: BTreeSet<String> =
            listed.iter().filter_map(|object| object.key.strip_prefix(&folder).map(str::to_owned)).collect();
        self.take_records(actor, found, &mut report).await?;
        self.take_settings(actor, found, &mut report).await?;
        for file in base_images_of_manifests(found) {
            self.take_base_image(actor, &file, &mut report).await?;
            names.insert(file.name);
        }
        let before = names.iter().filter(|name| is_image_name(name)).map(|name| composed(name)).collect();
        let mut captions = CaptionRule { before, ..CaptionRule::default() };
        for file in found.files.iter().chain(&images_of_manifests(found)) {
            self.take_file(actor, file, &mut captions, &mut report).await?;
            names.insert(file.name.clone());
        }
        report.only_in_s3 = only_in_s3(found, |name| names.contains(name));
        Ok(report)
    }

    fn services(&self) -> &Services {
        &self.stack.services
    }

    async fn take_records(&self, actor: &ActorId, found: &Found, report: &mut ActorReport) -> anyhow::Result<()> {
        if found.manifests.is_empty() {
            return Ok(());
        }
        let store = &self.services().store;
        let mut imported = ActorReport::of(actor);
        let manifest = merged(None, actor, found, &mut imported);
        let is_new = match self.dry_run {
            true => store.actor(actor).await?.is_none(),
            false => exchange::import(store, actor, manifest).await?,
        };
        report.refused.extend(imported.refused);
        if is_new {
            report.taken = imported.taken;
            report.notes.extend(imported.notes);
        } else {
            report.present += imported.taken.records.len();
            report.notes.push("the stack has records of it already, which stay as they are".to_owned());
        }
        Ok(())
    }

    async fn take_settings(&self, actor: &ActorId, found: &Found, report: &mut ActorReport) -> anyhow::Result<()> {
        let Some(text) = settings_of(&found.words, report) else { return Ok(()) };
        let Services { bucket, keys, .. } = self.services();
        let key = keys.image(actor, ACTOR_FILE);
        match bucket.get(&key).await? {
            Some(existing) => compare_settings(&existing.bytes, &found.words, ACTOR_FILE, report),
            None => {
                report.taken.settings =
                    self.dry_run || bucket.put_new(&key, text, content_type(ACTOR_FILE)).await? != PutNew::Occupied;
            }
        }
        Ok(())
    }

    async fn take_base_image(&self, actor: &ActorId, file: &Incoming, report: &mut ActorReport) -> anyhow::Result<()> {
        let ending = extension(&file.name).unwrap_or_default();
        let stem = self.services().keys.base_image_stem(actor);
        for other in IMAGE_EXTENSIONS.into_iter().filter(|other| *other != ending) {
            if self.services().bucket.etag(&format!("{stem}{other}")).await?.is_some() {
                report.skip(&file.name, format!("the actor has a base image .{other} already"));
                return Ok(());
            }
        }
        let taken = self.take(&format!("{stem}{ending}"), file, report).await?;
        report.taken.base_images.extend((taken == Taken::New).then(|| file.name.clone()));
        Ok(())
    }

    async fn take_file(
        &self,
        actor: &ActorId,
        file: &Incoming,
        captions: &mut CaptionRule,
        report: &mut ActorReport,
    ) -> anyhow::Result<()> {
        if let Role::Caption { of } = &file.role
            && let Some(objection) = captions.objection(&file.name, of)
        {
            report.skip(&file.name, objection);
            return Ok(());
        }
        let taken = self.take(&self.services().keys.image(actor, &file.name), file, report).await?;
        let is_image = file.role == Role::Image;
        if is_image && taken != Taken::Refused {
            captions.image_is_here(file);
        }
        let list = if is_image { &mut report.taken.images } else { &mut report.taken.captions };
        list.extend((taken == Taken::New).then(|| file.name.clone()));
        Ok(())
    }

    /// Uploads a file, unless the key has an object.
    async fn take(&self, key: &str, file: &Incoming, report: &mut ActorReport) -> anyhow::Result<Taken> {
        let bytes = match read(&file.path, &file.role) {
            Ok(bytes) => bytes,
            Err(reason) => {
                report.refuse(&file.path.display().to_string(), reason);
                return Ok(Taken::Refused);
            }
        };
        let bucket = &self.services().bucket;
        let is_occupied = match self.dry_run {
            true => bucket.etag(key).await?.is_some(),
            false => bucket.put_new(key, bytes.clone(), content_type(&file.name)).await? == PutNew::Occupied,
        };
        if !is_occupied {
            return Ok(Taken::New);
        }
        if bucket.get(key).await?.is_some_and(|known| known.bytes == bytes) {
            report.present += 1;
            return Ok(Taken::Same);
        }
        let sentence = format!("{} has other content; rename the file", bucket.url(key));
        report.refuse(&file.path.display().to_string(), sentence);
        Ok(Taken::Refused)
    }

    /// Requests the evaluation of every actor with images below the prefix and without a record.
    pub async fn import_bucket(&self) -> anyhow::Result<(Vec<ActorReport>, Vec<Problem>)> {
        let Services { bucket, store, .. } = self.services();
        let prefix = format!("{}/training_data/", self.stack.stack.key_prefix.trim_matches('/'));
        let listed = bucket.list(&prefix).await?;
        let (images, problems) = self.images_by_actor(listed.iter().map(|object| object.key.as_str()));
        let known = store.actors().await?;
        let mut reports = Vec::new();
        for (actor, count) in images {
            let mut report = ActorReport::of(&actor);
            report.sources.push(bucket.url(&format!("{prefix}{actor}/")));
            if known.contains_key(&actor) {
                report.present = count;
            } else {
                report.taken.evaluation = true;
                report.notes.push(format!("found {}", images_in_words(count)));
                if !self.dry_run {
                    self.request_evaluation(&actor).await?;
                }
            }
            reports.push(report);
        }
        Ok((reports, problems))
    }

    /// The number of images of each actor, and the folders whose names are no ids.
    fn images_by_actor<'a>(&self, keys: impl Iterator<Item = &'a str>) -> (BTreeMap<ActorId, usize>, Vec<Problem>) {
        let (mut images, mut unnamed) = (BTreeMap::new(), BTreeMap::new());
        for (folder, _) in keys.filter_map(|key| self.services().keys.split_image(key)) {
            match folder.parse::<ActorId>() {
                Ok(actor) => *images.entry(actor).or_default() += 1,
                Err(problem) => drop(unnamed.insert(visible(folder), problem.to_string())),
            }
        }
        (images, unnamed.into_iter().map(|(folder, problem)| Problem::new(folder, problem)).collect())
    }

    async fn request_evaluation(&self, actor: &ActorId) -> anyhow::Result<()> {
        let command = EvaluationCommand {
            actor_id: actor.clone(),
            mode: Mode::Execute,
            scope: Scope::All,
            force: false,
            request_id: Some(new_request_id()),
            cause: Cause::Manual,
        };
        Ok(self.services().queues.send(Queue::Evaluation, &command, Duration::ZERO).await?)
    }
}
