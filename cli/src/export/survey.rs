//! Reads the images of a set, and finds out which of them can be exported.

use std::collections::BTreeMap;

use anyhow::Context;
use domain::caption::{Caption, CaptionSource};
use domain::facts::Facts;
use domain::manifest::Image;
use domain::status::Status;
use imaging::{DecodeError, Encoding, decode, is_upright, sha256};

use super::findings::{Finding, FindingKind};
use super::resolution::{fitting, is_too_small};
use super::subject::{ActorFacts, ImageFacts, PictureFile, Subject, SubjectImage};
use super::words::{Words, check, default_trigger};
use super::{Request, format::ExportFormat};
use crate::progress::Progress;
use crate::sets::{ActorSet, Place, Sets};

/// What an actor has to export, and what is wrong with its set.
pub struct Survey {
    pub subject: Subject,
    pub findings: Vec<Finding>,
}

/// The names of the images that can't be exported, or not as they should be.
#[derive(Default)]
struct Faults {
    unusable: Vec<String>,
    missing: Vec<String>,
    changed: Vec<String>,
    uncaptioned: Vec<String>,
    unreadable_captions: Vec<String>,
    too_small: Vec<String>,
}

/// Reads every image of a set once.
pub async fn survey(sets: &Sets, set: &ActorSet, request: &Request) -> anyhow::Result<Survey> {
    let (words, chosen) = words_of(set, request)?;
    let mut captions = sets.captions(set).await?;
    let assessments = set.assessments();
    let (mut images, mut faults) = (Vec::new(), Faults::default());
    let progress = Progress::start(&format!("reading {}", set.actor), set.manifest.images.len() as u64);
    for (name, record) in &set.manifest.images {
        progress.step();
        // An interruption ends the export here.
        tokio::task::yield_now().await;
        let Some(file) = usable_file(sets, set, name, record, &mut faults).await? else { continue };
        let caption = usable_caption(name, &mut captions, &mut faults);
        if is_too_small(file.size, request.settings.resolution) {
            faults.too_small.push(name.clone());
        }
        let facts = ImageFacts::of(record, assessments.get(name));
        images.push(SubjectImage { name: name.clone(), file, caption, facts });
    }
    progress.finish();
    let base_image = base_image(sets, set, request.format).await?;
    let subject = Subject { actor: set.actor.clone(), words, facts: ActorFacts::of(set), base_image, images };
    let findings = faults.findings(set, &subject, request, chosen);
    Ok(Survey { subject, findings })
}

/// The trigger and the class, and whether the user has chosen the trigger.
fn words_of(set: &ActorSet, request: &Request) -> anyhow::Result<(Words, bool)> {
    let trigger = request.trigger.as_deref().or_else(|| set.trigger());
    let class = request.class.as_deref().unwrap_or_else(|| set.class());
    check(trigger, Some(class)).with_context(|| format!("{} can't be exported", set.actor))?;
    let chosen = trigger.is_some();
    let trigger = trigger.map_or_else(|| default_trigger(&set.actor), str::to_owned);
    Ok((Words { trigger, class: class.to_owned() }, chosen))
}

async fn usable_file(
    sets: &Sets,
    set: &ActorSet,
    name: &str,
    record: &Image,
    faults: &mut Faults,
) -> anyhow::Result<Option<PictureFile>> {
    if record.unusable.is_some() {
        faults.unusable.push(name.to_owned());
        return Ok(None);
    }
    let Some(bytes) = sets.picture(&set.actor, &Place::Set(name.to_owned())).await? else {
        faults.missing.push(name.to_owned());
        return Ok(None);
    };
    let Some(file) = examine(&bytes, record.facts.as_ref()) else {
        faults.unusable.push(name.to_owned());
        return Ok(None);
    };
    if record.facts.as_ref().is_some_and(|facts| facts.sha256 != file.sha256) {
        faults.changed.push(name.to_owned());
    }
    Ok(Some(file))
}

/// Files that are not UTF-8 have been read with replacement characters.
fn usable_caption(name: &str, captions: &mut BTreeMap<String, Caption>, faults: &mut Faults) -> Option<Caption> {
    let Some(caption) = captions.remove(name) else {
        faults.uncaptioned.push(name.to_owned());
        return None;
    };
    if caption.source == CaptionSource::File && caption.text.contains('\u{fffd}') {
        faults.unreadable_captions.push(name.to_owned());
        return None;
    }
    Some(caption)
}

/// `None` if the file is unusable. It is decoded only if no record describes it: the balancer has decoded the others.
fn examine(bytes: &[u8], recorded: Option<&Facts>) -> Option<PictureFile> {
    let sha256 = sha256(bytes);
    let known = recorded.filter(|facts| facts.sha256 == sha256).map(|facts| (facts.width, facts.height));
    let size = known.map_or_else(|| decode(bytes).map(|picture| picture.dimensions()), Ok::<_, DecodeError>);
    match (Encoding::of(bytes), size, is_upright(bytes)) {
        (Some(encoding), Ok(size), Ok(is_upright)) => Some(PictureFile { encoding, is_upright, sha256, size }),
        _ => None,
    }
}

/// Only the format `manifest` contains the base image: trainers would train it.
async fn base_image(sets: &Sets, set: &ActorSet, format: ExportFormat) -> anyhow::Result<Option<PictureFile>> {
    if format != ExportFormat::Manifest {
        return Ok(None);
    }
    let bytes = sets.picture(&set.actor, &Place::Base).await?;
    Ok(bytes.and_then(|bytes| examine(&bytes, None)))
}

impl Faults {
    fn findings(self, set: &ActorSet, subject: &Subject, request: &Request, chosen: bool) -> Vec<Finding> {
        use FindingKind::*;
        let (actor, format, words) = (&set.actor, request.format, &subject.words);
        let mut of_actor = Vec::new();
        if set.status != Status::Balanced {
            let reason = if set.reason.is_empty() { "`balancer status` shows its state." } else { &set.reason };
            of_actor.push((NotBalanced, format!("the set is not balanced: {reason}")));
        }
        if subject.images.is_empty() {
            of_actor.push((NoImages, "there is no image to export".to_owned()));
        } else if !chosen {
            of_actor.push((NoTrigger, no_trigger(&words.trigger)));
        }
        let findings = of_actor.into_iter().map(|(kind, sentence)| Finding::of_actor(actor, kind, sentence));
        let resolution = request.settings.resolution;
        let uncaptioned = self.uncaptioned;
        let of_images = [
            Finding::of_images(actor, NoCaption, uncaptioned, |images| no_caption(images, format)),
            Finding::of_images(actor, UnreadableCaption, self.unreadable_captions, |images| {
                format!("the text files beside {images} are not UTF-8 and were left out; save them as UTF-8")
            }),
            Finding::of_images(actor, TooSmall, self.too_small, |images| too_small(images, subject, resolution)),
            Finding::of_images(actor, Unusable, self.unusable, |images| {
                format!("left out {images} that can't be read; replace or remove them")
            }),
            Finding::of_images(actor, Missing, self.missing, |images| {
                format!("left out {images} whose files are gone; evaluate the set again")
            }),
            Finding::of_images(actor, Changed, self.changed, |images| {
                format!("changed since they were assessed: {images}; run `balancer local` again")
            }),
        ];
        findings.chain(of_images.into_iter().flatten()).collect()
    }
}

fn no_trigger(chosen: &str) -> String {
    format!(
        "no trigger word is chosen, so {chosen} stands for the character; choose one with --trigger, or as `trigger` in actor.json"
    )
}

fn no_caption(images: &str, format: ExportFormat) -> String {
    let instead = match format {
        ExportFormat::Replicate => "the trainer describes them (autocaption)",
        ExportFormat::Manifest => "their caption is null",
        _ => "theirs names only the trigger, the class and the kind",
    };
    format!("no caption for {images}: {instead}; write one with `balancer caption`, or into a .txt beside the image")
}

fn too_small(images: &str, subject: &Subject, resolution: u32) -> String {
    let remedy = match fitting(subject.images.iter().map(|image| image.file.size)) {
        Some(fitting) if fitting < resolution => format!("; --resolution {fitting} suits all images"),
        _ => String::new(),
    };
    format!("too small for {resolution} × {resolution} pixels: {images}{remedy}")
}

impl ActorFacts {
    fn of(set: &ActorSet) -> Self {
        Self { profile: set.profile(), status: set.status, target: set.wanted(), counts: set.counts() }
    }
}

impl ImageFacts {
    fn of(record: &Image, assessment: Option<&domain::assessment::Assessment>) -> Self {
        Self {
            kind: record.kind,
            requested_kind: record.requested_type,
            quality: assessment.map(|it| it.quality).or(record.quality),
            flags: assessment.map_or_else(|| record.flags.clone(), |it| it.flags.clone()),
            reason: assessment.map(|it| it.reason.clone()).or_else(|| record.reason.clone()),
            prompt: record.prompt.clone(),
            prompt_id: record.prompt_id.clone(),
            generated: !record.origin().is_uploaded(),
            pinned: record.pinned,
        }
    }
}
