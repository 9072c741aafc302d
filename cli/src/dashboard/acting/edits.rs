//! Pins, captions and restorations, which work with and without a stack.

use std::time::Duration;

use super::{Done, Errand};
use crate::actions::{Wanted, checked_caption, restore, set_caption, set_pinned};
use crate::dashboard::answers::Failure;
use crate::dashboard::lookup::{no_image, readable};
use crate::pages::back::Back;
use crate::pages::notice::Undo;
use crate::pages::offer::action;
use crate::pages::{Details, Shown, picture_id};
use crate::sets::Place;

/// How often a restoration looks whether the deletion that it undoes has happened, and the time between.
const LOOKS: usize = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

impl Errand<'_> {
    pub async fn set_pinned(&self, pinned: bool) -> Result<Done, Failure> {
        let shown = self.shown()?;
        let files = self.files()?;
        let edited = set_pinned(&self.dashboard.shelf.sets, &shown.set.actor, &files, pinned).await?;
        let (verb, opposite) = if pinned { ("Pinned", "unpin") } else { ("Unpinned", "pin") };
        let back = self.fields.back();
        let mut fields = back.fields();
        fields.extend(edited.done.iter().map(|file| ("image", picture_id(&Place::Set(file.clone())))));
        let mut done = Done::of_images(verb, &edited.done, &edited.problems, back)?;
        done.notice.undo = Some(Undo { address: action(shown, opposite), fields });
        Ok(done)
    }

    pub async fn set_caption(&self) -> Result<Done, Failure> {
        let shown = self.shown()?;
        let [file] = self.files()?.try_into().map_err(|_| {
            Failure::Wrong("A caption belongs to exactly one image. Open the page of that image.".to_owned())
        })?;
        let text = match self.fields.one("remove") {
            Some(_) => None,
            None => Some(written(self.fields.required("text")?)?),
        };
        let edited = set_caption(&self.dashboard.shelf.sets, &shown.set.actor, &file, text.as_deref()).await?;
        let verb = if text.is_some() { "Saved the caption of" } else { "Removed your caption of" };
        Done::of_images(verb, &edited.done, &edited.problems, self.fields.back())
    }

    /// Restores one image, or all of an event: of a plan, or of the deletion that an Undo names.
    pub async fn restore(&self) -> Result<Done, Failure> {
        let deletions = match self.fields.one("event") {
            Some(event) => self.deletions_of(event).await?,
            None => self.chosen_deletions()?,
        };
        let actor = &self.shown()?.set.actor;
        let restored = restore(&self.dashboard.shelf.sets, actor, Wanted::Deletions(&deletions), true).await?;
        let files: Vec<String> = restored.done.into_iter().map(|image| image.file).collect();
        let back = match (self.fields.back(), files.first()) {
            // The page of the deleted image is gone.
            (Back::Image(_, view), Some(file)) => Back::Image(picture_id(&Place::Set(file.clone())), view),
            (back, _) => back,
        };
        Done::of_images("Restored and pinned", &files, &restored.problems, back)
    }

    fn chosen_deletions(&self) -> Result<Vec<(String, String)>, Failure> {
        let shown = self.shown()?;
        let details = Details::none();
        let deletion = |id: &str| match shown.find(id, &details).map(|picture| picture.place) {
            Some(Place::Trash { plan_id, file }) => Ok((plan_id, file)),
            _ => Err(no_image(&shown.set.actor)),
        };
        self.fields.images()?.into_iter().map(deletion).collect()
    }

    /// The deletions of an event that are in the trash. An Undo names their number, and may come before they have
    /// happened.
    async fn deletions_of(&self, event: &str) -> Result<Vec<(String, String)>, Failure> {
        let shown = self.shown()?;
        let mut found = of_event(shown, event);
        let expected: usize = self.fields.one("number").and_then(|number| number.parse().ok()).unwrap_or(0);
        let actor = &shown.set.actor;
        for _ in 0..LOOKS {
            if found.len() >= expected {
                break;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
            self.dashboard.shelf.reread(actor).await?;
            found = of_event(readable(&*self.dashboard.entry(actor.as_str()).await?)?, event);
        }
        match (found.is_empty(), expected) {
            (false, _) => Ok(found),
            (true, 0) => Err(Failure::Conflict(
                "Nothing of this event is in the trash: it was restored, or can no longer be.".to_owned(),
            )),
            (true, _) => Err(Failure::Conflict(
                "The images are not deleted yet. When they are, restore them from the history of the actor.".to_owned(),
            )),
        }
    }
}

/// A caption as the user has written it.
fn written(text: &str) -> Result<String, Failure> {
    match text.trim().is_empty() {
        true => {
            Err(Failure::Wrong("The caption is empty. Write one, or press Remove on the page of the image.".to_owned()))
        }
        false => Ok(checked_caption(text)?),
    }
}

fn of_event(shown: &Shown, event: &str) -> Vec<(String, String)> {
    let of_event = shown.set.deleted_by(event).into_iter();
    of_event.map(|deleted| (event.to_owned(), deleted.file)).collect()
}
