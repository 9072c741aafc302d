//! Pins and captions of images.

use anyhow::bail;
use aws::store::images::Edit;
use domain::actor::ActorId;
use domain::files::composed;

use super::in_folder;
use super::notice::leave_notice;
use super::problem::{Problem, as_known};
use crate::connection::Connected;
use crate::outcome::WrongUsage;
use crate::sets::Sets;

/// The longest caption that trainers read completely: 225 tokens of about four characters.
const MAX_CAPTION_CHARS: usize = 900;

/// The result of an edit of several images.
#[derive(Debug, Default)]
pub struct Edited {
    /// The changed images.
    pub done: Vec<String>,
    pub problems: Vec<Problem>,
}

/// Pins or unpins images.
pub async fn set_pinned(sets: &Sets, actor: &ActorId, files: &[String], pinned: bool) -> anyhow::Result<Edited> {
    let edited = match sets {
        Sets::InStack(stack) => pin_in_stack(stack, actor, files, pinned).await?,
        Sets::InFolder(folder) => in_folder::set_pinned(folder, actor, files, pinned)?,
    };
    let verb = if pinned { "pinned" } else { "unpinned" };
    leave_notice(sets, actor, verb, &edited.done).await;
    Ok(edited)
}

/// Sets the user's caption of an image, or removes it. `text` must be [`checked_caption`].
pub async fn set_caption(sets: &Sets, actor: &ActorId, file: &str, text: Option<&str>) -> anyhow::Result<Edited> {
    let edited = match sets {
        Sets::InStack(stack) => caption_in_stack(stack, actor, file, text).await?,
        Sets::InFolder(folder) => in_folder::set_caption(folder, actor, file, text)?,
    };
    leave_notice(sets, actor, "changed the caption of", &edited.done).await;
    Ok(edited)
}

/// A caption on one line. Fails if it is empty, too long, or contains control characters.
pub fn checked_caption(text: &str) -> anyhow::Result<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        bail!(WrongUsage("the caption is empty; remove the one of an image with --remove".to_owned()));
    }
    if text.chars().any(char::is_control) {
        bail!(WrongUsage("the caption contains control characters; leave them out".to_owned()));
    }
    match text.chars().count() {
        long if long > MAX_CAPTION_CHARS => bail!(WrongUsage(format!(
            "the caption has {long} characters, and {MAX_CAPTION_CHARS} are the most; shorten it"
        ))),
        _ => Ok(text),
    }
}

async fn pin_in_stack(stack: &Connected, actor: &ActorId, files: &[String], pinned: bool) -> anyhow::Result<Edited> {
    stack.actor(actor).await?;
    let images = stack.services.store.images(actor).await?;
    let mut edited = Edited::default();
    for file in files {
        let file = as_known(file, images.keys()).cloned().unwrap_or_else(|| composed(file));
        let edit = stack.services.store.set_pinned(actor, &file, pinned).await?;
        edited.note(stack, actor, file, edit).await?;
    }
    stack.keep_manifest(actor).await;
    Ok(edited)
}

async fn caption_in_stack(
    stack: &Connected,
    actor: &ActorId,
    file: &str,
    text: Option<&str>,
) -> anyhow::Result<Edited> {
    stack.actor(actor).await?;
    let images = stack.services.store.images(actor).await?;
    let file = as_known(file, images.keys()).cloned().unwrap_or_else(|| composed(file));
    let mut edited = Edited::default();
    let edit = stack.services.store.set_caption(actor, &file, text).await?;
    edited.note(stack, actor, file, edit).await?;
    stack.keep_manifest(actor).await;
    Ok(edited)
}

impl Edited {
    async fn note(&mut self, stack: &Connected, actor: &ActorId, file: String, edit: Edit) -> anyhow::Result<()> {
        match edit {
            Edit::Done => self.done.push(file),
            refused => self.problems.push(Problem::of_edit(stack, actor, file, refused).await?),
        }
        Ok(())
    }
}
