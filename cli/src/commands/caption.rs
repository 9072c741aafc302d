//! `balancer caption ACTOR [FILE [TEXT]]`

use domain::actor::ActorId;
use domain::caption::Caption;
use serde::Serialize;
use serde_json::json;

use super::conclude;
use crate::actions::{Problem, as_known, checked_caption, set_caption};
use crate::arguments::Caption as Arguments;
use crate::outcome::{Outcome, SCHEMA, answer};
use crate::sets::Sets;
use crate::table::{self, Heading};

const HEADINGS: [Heading; 3] = [Heading::Words("file"), Heading::Words("from"), Heading::Words("caption")];

#[derive(Serialize)]
struct Captioned<'a> {
    file: &'a str,
    #[serde(flatten)]
    caption: Option<&'a Caption>,
}

/// Shows the captions of an actor's images, or sets that of one.
pub async fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let Arguments { actor, file, text, remove, json, connection } = arguments;
    let sets = Sets::of(&connection, std::slice::from_ref(&actor)).await?;
    if let Some(file) = &file
        && (text.is_some() || remove)
    {
        let text = text.as_deref().map(checked_caption).transpose()?;
        let edited = set_caption(&sets, &actor, file, text.as_deref()).await?;
        if !edited.problems.is_empty() {
            return fail(&actor, edited.problems, json);
        }
    }
    let set = sets.actor(&actor).await?;
    let images = &set.manifest.images;
    let wanted = match file.as_ref().map(|file| as_known(file, images.keys())) {
        Some(None) => return fail(&actor, vec![Problem::unknown(&actor, file.unwrap_or_default())], json),
        Some(known) => known,
        None => None,
    };
    let captions = sets.captions(&set).await?;
    let files = images.keys().filter(|file| wanted.is_none_or(|wanted| wanted == *file));
    let captioned: Vec<_> = files.map(|file| Captioned { file, caption: captions.get(file) }).collect();
    if json {
        answer(format!("{:#}", json!({ "schema": SCHEMA, "actor_id": actor, "captions": captioned })));
    } else {
        answer(in_words(&captioned));
    }
    Ok(Outcome::Done)
}

fn fail(actor: &ActorId, problems: Vec<Problem>, json: bool) -> anyhow::Result<Outcome> {
    if json {
        answer(json!({ "schema": SCHEMA, "actor_id": actor, "captions": [], "problems": problems }));
    }
    conclude(&problems)
}

fn in_words(captions: &[Captioned<'_>]) -> String {
    let row = |Captioned { file, caption }: &Captioned<'_>| match caption {
        Some(Caption { text, source }) => vec![(*file).to_owned(), source.in_words().to_owned(), text.clone()],
        None => vec![(*file).to_owned(), "–".to_owned(), String::new()],
    };
    table::render(&HEADINGS, &captions.iter().map(row).collect::<Vec<_>>())
}
