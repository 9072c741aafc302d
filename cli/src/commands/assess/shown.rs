//! Shows assessments, as a table or as JSON.

use std::collections::BTreeMap;

use domain::assessment::Assessment;
use domain::content::Content;
use domain::facts::Facts;
use serde::Serialize;
use serde_json::json;

use super::Set;
use crate::outcome::{SCHEMA, answer};
use crate::table::{self, Heading};

/// An assessment with the measurements of its file.
#[derive(Serialize)]
struct Measured<'a> {
    #[serde(flatten)]
    assessment: &'a Assessment,
    facts: Option<&'a Facts>,
}

/// Shows the assessments of one model.
pub(super) fn one_model(set: &Set, assessments: &[Assessment], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let facts = facts_of(set);
        let measured = |assessment| measured(assessment, &facts);
        let images: Vec<_> = assessments.iter().map(measured).collect();
        answer(format!("{:#}", json!({ "schema": SCHEMA, "images": images })));
        return Ok(());
    }
    let has_character = assessments.iter().any(|assessment| assessment.content.same_character.is_some());
    let has_shot = assessments.iter().any(|assessment| !shot(&assessment.content).is_empty());
    let headings: Vec<Heading> = [Heading::Words("file"), Heading::Words("kind"), Heading::Numbers("quality")]
        .into_iter()
        .chain(has_character.then_some(Heading::Words("character")))
        .chain(has_shot.then_some(Heading::Words("shot")))
        .chain([Heading::Words("flags"), Heading::Words("reason")])
        .collect();
    let row = |assessment: &Assessment| {
        let Assessment { filename, kind, quality, flags, reason, content, .. } = assessment;
        let flags: Vec<_> = flags.iter().map(ToString::to_string).collect();
        let mut row = vec![filename.clone(), kind.to_string(), quality.to_string()];
        row.extend(has_character.then(|| character(content)));
        row.extend(has_shot.then(|| shot(content)));
        row.extend([flags.join(" "), reason.clone()]);
        row
    };
    answer(table::render(&headings, &assessments.iter().map(row).collect::<Vec<_>>()));
    Ok(())
}

/// Shows the assessments of the embedded model beside those of a service.
pub(super) fn side_by_side(
    set: &Set,
    embedded: &[Assessment],
    service: &[Assessment],
    as_json: bool,
) -> anyhow::Result<()> {
    let of_service: BTreeMap<&str, &Assessment> = service.iter().map(|it| (it.filename.as_str(), it)).collect();
    let pairs = embedded.iter().map(|one| (one, of_service.get(one.filename.as_str()).copied()));
    if as_json {
        let facts = facts_of(set);
        let entry = |(one, other): (&Assessment, Option<&Assessment>)| json!({ "filename": one.filename, "embedded": one, "openai": other, "facts": facts.get(one.filename.as_str()) });
        let images: Vec<_> = pairs.map(entry).collect();
        answer(format!("{:#}", json!({ "schema": SCHEMA, "images": images })));
        return Ok(());
    }
    let headings = [
        Heading::Words("file"),
        Heading::Words("embedded"),
        Heading::Numbers("quality"),
        Heading::Words("openai"),
        Heading::Numbers("quality"),
        Heading::Words("character"),
        Heading::Words("reason of openai"),
    ];
    let row = |(one, other): (&Assessment, Option<&Assessment>)| {
        let mut row = vec![one.filename.clone(), one.kind.to_string(), one.quality.to_string()];
        row.extend(match other {
            Some(other) => {
                [other.kind.to_string(), other.quality.to_string(), character(&other.content), other.reason.clone()]
            }
            None => ["not assessed", "", "", ""].map(str::to_owned),
        });
        row
    };
    answer(table::render(&headings, &pairs.map(row).collect::<Vec<_>>()));
    Ok(())
}

fn facts_of(set: &Set) -> BTreeMap<&str, &Facts> {
    set.pictures.iter().map(|picture| (picture.filename.as_str(), &picture.facts)).collect()
}

fn measured<'a>(assessment: &'a Assessment, facts: &BTreeMap<&str, &'a Facts>) -> Measured<'a> {
    Measured { assessment, facts: facts.get(assessment.filename.as_str()).copied() }
}

fn character(content: &Content) -> String {
    content.same_character.map(|same| same.to_string()).unwrap_or_default()
}

fn shot(content: &Content) -> String {
    let framing = content.framing.map(|framing| framing.to_string());
    let angle = content.angle.map(|angle| angle.to_string());
    framing.into_iter().chain(angle).collect::<Vec<_>>().join(" ")
}
