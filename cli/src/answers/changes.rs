//! Deleted and generated images.

use domain::kind::Kind;
use domain::manifest::Image;
use domain::trash::TrashRecord;
use jiff::Timestamp;
use serde::Serialize;

/// An image in the trash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deleted {
    pub file: String,
    pub reason: String,
    /// The plan or manual request that deleted it.
    pub plan_id: String,
    pub deleted_at: Timestamp,
}

/// A generated image. It may have been deleted since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Generated {
    pub file: String,
    /// The requested kind.
    pub kind: Kind,
    pub prompt_id: String,
}

impl Deleted {
    pub fn of(file: &str, trashed: &TrashRecord) -> Self {
        Self {
            file: file.to_owned(),
            reason: trashed.reason.clone(),
            plan_id: trashed.plan_id.clone(),
            deleted_at: trashed.deleted_at,
        }
    }
}

impl Generated {
    /// `None` for an image that the balancer has not generated, or whose record is older than these fields.
    pub fn of(file: &str, image: &Image) -> Option<Self> {
        image.plan_id.as_ref()?;
        let kind = image.requested_type.or(image.kind)?;
        Some(Self { file: file.to_owned(), kind, prompt_id: image.prompt_id.clone().unwrap_or_default() })
    }
}
