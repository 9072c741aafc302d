//! The prompts of an actor: those of the `prompts.toml` beside its images, otherwise the stack's own, otherwise the built-in
//! ones.

use std::borrow::Cow;

use aws::bucket::{Bucket, Fetched};
use domain::actor::ActorId;
use domain::keys::Keys;
use domain::kind::KindCounts;
use domain::plan::Note;
use domain::prompts::{Library, MAX_FILE_BYTES, PROMPTS_FILE};

use super::HandlerError;

/// Where files with prompts lie.
#[derive(Clone, Copy)]
pub(super) struct PromptsFiles<'a> {
    pub(super) bucket: &'a Bucket,
    pub(super) keys: &'a Keys,
}

/// A library, and the key of its file.
pub(super) struct Loaded {
    pub(super) library: Cow<'static, Library>,
    file: Option<String>,
}

impl PromptsFiles<'_> {
    /// Reads the prompts of an actor. `has_own` is false if its folder is known to contain no file.
    ///
    /// # Errors
    /// [`HandlerError::NeedsOperator`] if the file is unusable: images of doubtful prompts may cost money.
    pub(super) async fn load(self, actor: &ActorId, has_own: bool) -> Result<Loaded, HandlerError> {
        let own = has_own.then(|| self.keys.image(actor, PROMPTS_FILE));
        for key in own.into_iter().chain([self.keys.prompts()]) {
            let read = match self.bucket.get_at_most(&key, MAX_FILE_BYTES).await? {
                Fetched::Missing => continue,
                Fetched::TooLarge(bytes) => Err(format!("it has {bytes} bytes, but can have at most {MAX_FILE_BYTES}")),
                Fetched::Whole(file) => Library::read(&file.bytes).map_err(|invalid| invalid.to_string()),
            };
            return match read {
                Ok(library) => Ok(Loaded { library: Cow::Owned(library), file: Some(key) }),
                Err(problem) => Err(unusable(actor, &key, &problem)),
            };
        }
        Ok(Loaded { library: Cow::Borrowed(Library::built_in()), file: None })
    }
}

impl Loaded {
    /// The built-in prompts.
    pub(super) fn built_in() -> Self {
        Self { library: Cow::Borrowed(Library::built_in()), file: None }
    }

    /// These prompts, if they suffice for the target.
    ///
    /// # Errors
    /// [`HandlerError::NeedsOperator`] if a kind of the target has none.
    pub(super) fn sufficient_for(self, actor: &ActorId, target: KindCounts) -> Result<Self, HandlerError> {
        match (&self.file, self.library.missing_kinds(target)) {
            (Some(key), Some(problem)) => Err(unusable(actor, key, &problem)),
            _ => Ok(self),
        }
    }

    /// A remark about prompts that repeat, if the file has too few.
    pub(super) fn shortage(&self, target: KindCounts) -> Option<Note> {
        let filename = self.file.clone()?;
        let shortages = self.library.shortages(target);
        let remark = format!("has too few prompts: {}", shortages.join("; "));
        (!shortages.is_empty()).then_some(Note { filename, remark })
    }
}

fn unusable(actor: &ActorId, key: &str, problem: &str) -> HandlerError {
    HandlerError::NeedsOperator(format!(
        "The prompts in {key} can't be used: {problem}. Correct the file (`balancer prompts check FILE` shows every problem) or remove it, and request an evaluation, for example with `balancer send evaluation {actor}`."
    ))
}
