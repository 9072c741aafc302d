//! Which images of a set a page shows, and in which order; which actors a list shows.

use std::cmp::Reverse;

use domain::kind::Kind;
use domain::status::Status;

use super::picture::Picture;
use super::shown::{Details, Shown};

/// The images that a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    #[default]
    All,
    Yours,
    Generated,
    Flagged,
    Small,
    Pinned,
}

/// The order of the images of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The best first.
    #[default]
    Quality,
    Name,
    /// The latest first.
    Newest,
    /// The smallest first.
    Size,
}

/// A choice of images and their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct View {
    pub show: Show,
    pub sort: Sort,
}

impl Show {
    pub const ALL: [Self; 6] = [Self::All, Self::Yours, Self::Generated, Self::Flagged, Self::Small, Self::Pinned];

    /// The word in addresses and on the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Yours => "yours",
            Self::Generated => "generated",
            Self::Flagged => "flagged",
            Self::Small => "small",
            Self::Pinned => "pinned",
        }
    }

    pub fn includes(self, picture: &Picture<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Yours => !picture.is_generated(),
            Self::Generated => picture.is_generated(),
            Self::Flagged => !picture.flags().is_empty(),
            Self::Small => picture.is_small(),
            Self::Pinned => picture.image.pinned,
        }
    }
}

impl Sort {
    pub const ALL: [Self; 4] = [Self::Quality, Self::Name, Self::Newest, Self::Size];

    pub fn word(self) -> &'static str {
        match self {
            Self::Quality => "quality",
            Self::Name => "name",
            Self::Newest => "newest",
            Self::Size => "size",
        }
    }

    fn apply(self, pictures: &mut [Picture<'_>]) {
        match self {
            Self::Quality => pictures.sort_by_key(|picture| (Reverse(picture.quality()), picture.flags().len())),
            Self::Name => pictures.sort_by_key(|picture| picture.file),
            Self::Newest => pictures.sort_by_key(|picture| Reverse(picture.image.generated_at.as_deref())),
            Self::Size => pictures.sort_by_key(|picture| picture.size().map(|(width, height)| width.min(height))),
        }
    }
}

impl View {
    /// The view of an address. Unknown words count as left out.
    pub fn of(show: Option<&str>, sort: Option<&str>) -> Self {
        let known = |word: Option<&str>| Show::ALL.into_iter().find(|show| Some(show.word()) == word);
        let sorted = |word: Option<&str>| Sort::ALL.into_iter().find(|sort| Some(sort.word()) == word);
        Self { show: known(show).unwrap_or_default(), sort: sorted(sort).unwrap_or_default() }
    }

    /// The query that leads to this view; empty for the default one.
    pub fn query(self) -> String {
        match self == Self::default() {
            true => String::new(),
            false => format!("?show={}&sort={}", self.show.word(), self.sort.word()),
        }
    }

    /// The chosen images of each kind, then those of no kind, in the chosen order.
    pub fn groups<'a>(self, shown: &'a Shown, details: &'a Details) -> Vec<(Option<Kind>, Vec<Picture<'a>>)> {
        let mut pictures: Vec<_> = shown.pictures(details).filter(|picture| self.show.includes(picture)).collect();
        self.sort.apply(&mut pictures);
        let is_usable = |picture: &Picture<'_>| picture.image.unusable.is_none();
        let kinds = Kind::ALL.into_iter().map(Some).chain([None]);
        let group = |kind: Option<Kind>| {
            let of_kind = |it: &&Picture<'_>| it.kind().filter(|_| is_usable(it)) == kind;
            (kind, pictures.iter().filter(of_kind).cloned().collect())
        };
        kinds.map(group).collect()
    }
}

/// The actors that a list shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    pub status: Option<Status>,
    /// A part of the id or the reason.
    pub words: String,
}

impl Wanted {
    /// The statuses in the order of the page.
    pub const STATUSES: [Status; 5] =
        [Status::NeedsAttention, Status::Parked, Status::Balancing, Status::Waiting, Status::Balanced];

    /// The choice of an address. An unknown status counts as left out.
    pub fn of(status: Option<&str>, words: Option<&str>) -> Self {
        let status = Self::STATUSES.into_iter().find(|it| Some(it.to_string().as_str()) == status);
        Self { status, words: words.unwrap_or_default().trim().to_owned() }
    }

    /// Whether the words occur in the id or the reason, in upper or lower case.
    pub fn mentions(&self, id: &str, reason: &str) -> bool {
        let words = self.words.to_lowercase();
        words.is_empty() || [id, reason].iter().any(|text| text.to_lowercase().contains(&words))
    }
}
