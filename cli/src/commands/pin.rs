//! `balancer pin ACTOR FILE…` and `balancer unpin ACTOR FILE…`

use aws::store::images::Pinning;
use domain::files::composed;
use serde_json::json;

use super::each_file::{Problem, as_known, conclude};
use crate::arguments::Pin;
use crate::connection::Connected;
use crate::outcome::{Outcome, answer, quoted};

/// Pins or unpins images.
pub async fn run(arguments: Pin, pinned: bool) -> anyhow::Result<Outcome> {
    let Pin { actor, files, json, connection } = arguments;
    let connected = Connected::to(&connection, std::slice::from_ref(&actor)).await?;
    connected.actor(&actor).await?;
    let id = quoted(actor.as_str());
    let (mut done, mut problems) = (Vec::new(), Vec::new());
    let images = connected.services.store.images(&actor).await?;
    for file in files {
        let file = as_known(&file, images.keys()).cloned().unwrap_or_else(|| composed(&file));
        let sentence = match connected.services.store.set_pinned(&actor, &file, pinned).await? {
            Pinning::Done => {
                done.push(file);
                continue;
            }
            Pinning::Unknown if !connected.services.store.trash_of(&actor, &file).await?.is_empty() => {
                format!("{file} is in the trash; restore it with `balancer restore {id} {}`", quoted(&file))
            }
            Pinning::Unknown => format!(
                "{actor} has no image {file}; check the name, or register a new file first with `balancer send evaluation {id}`"
            ),
            Pinning::BeingDeleted => format!(
                "{file} is being deleted; restore it with `balancer restore {id} {}` (if the deletion has failed, run `balancer redrive deletion` first)",
                quoted(&file)
            ),
        };
        problems.push(Problem { file, sentence });
    }
    connected.keep_manifest(&actor).await;
    let verb = if pinned { "pinned" } else { "unpinned" };
    if json {
        answer(json!({ verb: done, "problems": problems }));
    } else {
        done.iter().for_each(|file| answer(format!("{verb} {file}")));
    }
    conclude(&problems)
}
