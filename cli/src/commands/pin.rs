//! `balancer pin ACTOR FILE…` and `balancer unpin ACTOR FILE…`

use aws::store::images::Edit;
use domain::files::composed;
use serde_json::json;

use super::each_file::{as_known, conclude};
use crate::arguments::Pin;
use crate::connection::Connected;
use crate::outcome::{Outcome, answer};

/// Pins or unpins images.
pub async fn run(arguments: Pin, pinned: bool) -> anyhow::Result<Outcome> {
    let Pin { actor, files, json, connection } = arguments;
    let connected = Connected::to(&connection, std::slice::from_ref(&actor)).await?;
    connected.actor(&actor).await?;
    let (mut done, mut problems) = (Vec::new(), Vec::new());
    let images = connected.services.store.images(&actor).await?;
    for file in files {
        let file = as_known(&file, images.keys()).cloned().unwrap_or_else(|| composed(&file));
        match connected.services.store.set_pinned(&actor, &file, pinned).await? {
            Edit::Done => done.push(file),
            refused => problems.push(connected.refused_edit(&actor, file, refused).await?),
        }
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
