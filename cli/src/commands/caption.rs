//! `balancer caption ACTOR [FILE [TEXT]]`

use std::collections::BTreeMap;
use std::fs;

use anyhow::bail;
use aws::store::images::Edit;
use domain::actor::ActorId;
use domain::caption::Caption;
use domain::files::composed;
use domain::manifest::Image;
use domain::sidecars::caption_file;
use serde::Serialize;

use super::each_file::{as_known, conclude};
use crate::arguments::Caption as Arguments;
use crate::connection::Connected;
use crate::outcome::{Outcome, WrongUsage, answer};
use crate::table::{self, Heading};

/// The longest caption that trainers read completely: 225 tokens of about four characters.
const MAX_CHARS: usize = 900;

const HEADINGS: [Heading; 3] = [Heading::Words("file"), Heading::Words("from"), Heading::Words("caption")];

#[derive(Serialize)]
struct Captioned<'a> {
    file: &'a str,
    #[serde(flatten)]
    caption: Option<Caption>,
}

/// Shows the captions of an actor's images, or sets that of one.
pub async fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let Arguments { actor, file, text, remove, json, connection } = arguments;
    let connected = Connected::to(&connection, std::slice::from_ref(&actor)).await?;
    connected.actor(&actor).await?;
    let images = connected.services.store.images(&actor).await?;
    let file = file.map(|file| as_known(&file, images.keys()).cloned().unwrap_or_else(|| composed(&file)));
    if let Some(file) = &file
        && (text.is_some() || remove)
    {
        let text = text.as_deref().map(checked).transpose()?;
        let edit = connected.services.store.set_caption(&actor, file, text.as_deref()).await?;
        if edit != Edit::Done {
            return conclude(&[connected.refused_edit(&actor, file.clone(), edit).await?]);
        }
        connected.keep_manifest(&actor).await;
    }
    let images = connected.services.store.images(&actor).await?;
    let shown: BTreeMap<&String, &Image> =
        images.iter().filter(|(name, _)| file.as_ref().is_none_or(|file| file == *name)).collect();
    if let Some(file) = file.filter(|_| shown.is_empty()) {
        return conclude(&[connected.refused_edit(&actor, file, Edit::Unknown).await?]);
    }
    let mut captions = Vec::new();
    for (name, image) in shown {
        let beside = beside(&connected, &actor, &caption_file(name)).await?;
        captions.push(Captioned { file: name, caption: Caption::of(image, beside.as_deref()) });
    }
    show(&captions, json)?;
    Ok(Outcome::Done)
}

/// The text file beside an image, in the folder that the stack keeps, or else in the bucket.
async fn beside(connected: &Connected, actor: &ActorId, name: &str) -> anyhow::Result<Option<String>> {
    let bytes = match connected.local.image_path(actor, name) {
        Some(path) => fs::read(path).ok(),
        None => {
            let object = connected.services.bucket.get(&connected.services.keys.image(actor, name)).await?;
            object.map(|object| object.bytes)
        }
    };
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn show(captions: &[Captioned<'_>], json: bool) -> anyhow::Result<()> {
    if json {
        answer(serde_json::to_string_pretty(captions)?);
        return Ok(());
    }
    let row = |Captioned { file, caption }: &Captioned<'_>| match caption {
        Some(Caption { text, source }) => vec![(*file).to_owned(), source.in_words().to_owned(), text.clone()],
        None => vec![(*file).to_owned(), "–".to_owned(), String::new()],
    };
    answer(table::render(&HEADINGS, &captions.iter().map(row).collect::<Vec<_>>()));
    Ok(())
}

/// The caption on one line.
fn checked(text: &str) -> anyhow::Result<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        bail!(WrongUsage("the caption is empty; remove the one of an image with --remove".to_owned()));
    }
    if text.chars().any(char::is_control) {
        bail!(WrongUsage("the caption contains control characters; leave them out".to_owned()));
    }
    match text.chars().count() {
        long if long > MAX_CHARS => {
            bail!(WrongUsage(format!("the caption has {long} characters, and {MAX_CHARS} are the most; shorten it")))
        }
        _ => Ok(text),
    }
}
