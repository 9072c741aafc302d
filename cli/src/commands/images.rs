//! `balancer images ACTOR`

use std::cmp::Reverse;

use domain::assessment::{Assessment, Flag, Origin};
use domain::kind::Kind;
use domain::manifest::Image;
use domain::numbering::number_of;
use serde::Serialize;
use serde_json::json;

use crate::arguments::OfActor;
use crate::outcome::{Outcome, SCHEMA, answer};
use crate::sets::{ActorSet, Sets};
use crate::table::{self, Heading};

const HEADINGS: [Heading; 7] = [
    Heading::Words("file"),
    Heading::Words("kind"),
    Heading::Numbers("quality"),
    Heading::Words("size"),
    Heading::Words("from"),
    Heading::Words("pin"),
    Heading::Words("flags"),
];

/// One image of a set.
#[derive(Serialize)]
struct ImageAnswer<'a> {
    file: &'a str,
    /// `None` until it is assessed.
    kind: Option<Kind>,
    /// With its limits, from 1 to 10; `None` until it is assessed.
    quality: Option<u8>,
    flags: &'a [Flag],
    reason: &'a str,
    width: Option<u32>,
    height: Option<u32>,
    #[serde(flatten)]
    origin: OriginAnswer<'a>,
    pinned: bool,
    /// Why the file is no usable image, if it isn't.
    unusable: Option<&'a str>,
}

/// Where an image comes from.
#[derive(Serialize)]
#[serde(tag = "origin", rename_all = "snake_case")]
enum OriginAnswer<'a> {
    Uploaded,
    Generated { requested: Option<Kind>, prompt_id: Option<&'a str>, plan_id: Option<&'a str> },
}

/// Lists the images of a set: by kind, the best first.
pub async fn run(arguments: OfActor) -> anyhow::Result<Outcome> {
    let OfActor { actor, json, connection } = arguments;
    let sets = Sets::of(&connection, std::slice::from_ref(&actor)).await?;
    let set = sets.actor(&actor).await?;
    let assessments = set.assessments();
    let mut images: Vec<_> =
        set.manifest.images.iter().map(|(file, image)| ImageAnswer::of(file, image, assessments.get(file))).collect();
    images.sort_by_key(|image| (image.kind.is_none(), image.kind, Reverse(image.quality), number_of(image.file)));
    if json {
        answer(format!("{:#}", json!({ "schema": SCHEMA, "actor_id": actor, "images": images })));
    } else {
        answer(in_words(&set, &images));
    }
    Ok(Outcome::Done)
}

impl<'a> ImageAnswer<'a> {
    fn of(file: &'a str, image: &'a Image, assessment: Option<&'a Assessment>) -> Self {
        Self {
            file,
            kind: assessment.map(|assessment| assessment.kind).or(image.kind),
            quality: assessment.map(|assessment| assessment.quality),
            flags: assessment.map_or(&[], |assessment| &assessment.flags),
            reason: assessment.map_or("", |assessment| &assessment.reason),
            width: image.facts.as_ref().map(|facts| facts.width),
            height: image.facts.as_ref().map(|facts| facts.height),
            origin: match image.origin() {
                Origin::Uploaded => OriginAnswer::Uploaded,
                Origin::Generated { requested } => OriginAnswer::Generated {
                    requested,
                    prompt_id: image.prompt_id.as_deref(),
                    plan_id: image.plan_id.as_deref(),
                },
            },
            pinned: image.pinned,
            unusable: image.unusable.as_deref(),
        }
    }

    fn row(&self) -> Vec<String> {
        let size = self.width.zip(self.height).map(|(width, height)| format!("{width}×{height}"));
        let origin = match self.origin {
            OriginAnswer::Uploaded => "you",
            OriginAnswer::Generated { .. } => "generated",
        };
        let flags: Vec<_> = self.flags.iter().map(|flag| flag.in_words()).collect();
        vec![
            table::short(self.file),
            self.kind.map_or("–", Kind::in_words).to_owned(),
            self.quality.map_or_else(|| "–".to_owned(), |quality| quality.to_string()),
            size.unwrap_or_else(|| "–".to_owned()),
            origin.to_owned(),
            if self.pinned { "pinned" } else { "" }.to_owned(),
            self.unusable.map_or_else(|| flags.join(", "), |why| format!("unusable: {why}")),
        ]
    }
}

fn in_words(set: &ActorSet, images: &[ImageAnswer<'_>]) -> String {
    let rows: Vec<_> = images.iter().map(ImageAnswer::row).collect();
    format!("{}\n\n{}: {} of {} wanted", table::render(&HEADINGS, &rows), set.actor, set.counts(), set.wanted())
}
