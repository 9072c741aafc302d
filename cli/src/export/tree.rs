//! The files of an export before they are written.

use std::collections::BTreeMap;

use domain::actor::ActorId;

/// The files of an export by their paths, which are relative and have `/` between their parts.
pub type Tree = BTreeMap<String, Content>;

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Text(String),
    Picture(Picture),
    /// A zip in the export.
    Archive(Tree),
}

/// An image of a set, or a base image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub actor: ActorId,
    pub source: Source,
    /// The SHA-256 of the file that the export was planned with, in hexadecimal.
    pub sha256: String,
    pub form: Form,
}

/// The file of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    BaseImage,
    /// An image of the set, by its name there.
    Image(String),
}

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The bytes of the file.
    Original,
    /// The upright pixels as a PNG.
    Png,
}

/// What the user does with an export.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Guide {
    /// The commands that use it, to be given in its folder.
    pub commands: Vec<String>,
    /// What must be done or known before.
    pub before: Vec<String>,
}

/// An export, planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub files: Tree,
    pub guide: Guide,
}
