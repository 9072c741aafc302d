//! Where the pictures and links of a page lead.

use std::collections::BTreeMap;

use domain::actor::ActorId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::sets::Place;

/// The characters of a path segment that need no escape.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The bytes of a picture's id.
const ID_BYTES: usize = 10;

/// The longest side of a picture on a sheet, and of one that stands alone, in pixels.
pub const SMALL: u32 = 320;
pub const LARGE: u32 = 1280;

/// The kind of document that contains the markup.
#[derive(Debug, Clone, Copy)]
pub enum Medium<'a> {
    /// A page of the dashboard, which serves the pictures.
    Dashboard,
    /// A file that contains the pictures of one actor as data URLs, and no links to other pages.
    File(&'a BTreeMap<Place, String>),
}

/// The name of a picture in addresses: a digest of its place, so that an address contains no file name. It is only ever
/// looked up among the pictures of an actor's records.
pub fn picture_id(place: &Place) -> String {
    let text = match place {
        Place::Base => "base".to_owned(),
        Place::Set(file) => format!("set/{file}"),
        Place::Trash { plan_id, file } => format!("trash/{plan_id}/{file}"),
    };
    Sha256::digest(text).iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text could be the id of a picture.
pub fn is_picture_id(text: &str) -> bool {
    text.len() == 2 * ID_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The address of an actor's page in the dashboard.
pub fn actor_address(actor: &ActorId) -> String {
    format!("/a/{}", utf8_percent_encode(actor.as_str(), SEGMENT))
}

/// The address of an actor's changes.
pub fn events_of(actor: &ActorId) -> String {
    format!("/events?actor={}", utf8_percent_encode(actor.as_str(), SEGMENT))
}

impl Medium<'_> {
    /// The source of a small picture; `None` if the file does not contain it. A `version` lets the browser keep the
    /// picture until it changes.
    pub fn small(&self, actor: &ActorId, place: &Place, version: Option<&str>) -> Option<String> {
        self.source(actor, place, version, SMALL)
    }

    /// The source of a large picture. A file has only small ones.
    pub fn large(&self, actor: &ActorId, place: &Place, version: Option<&str>) -> Option<String> {
        self.source(actor, place, version, LARGE)
    }

    fn source(&self, actor: &ActorId, place: &Place, version: Option<&str>, side: u32) -> Option<String> {
        match self {
            Self::File(pictures) => pictures.get(place).cloned(),
            Self::Dashboard => {
                let version = version.map(|version| format!("?v={}", utf8_percent_encode(version, SEGMENT)));
                let (actor, id) = (actor_address(actor), picture_id(place));
                Some(format!("{actor}/p/{id}/{side}{}", version.unwrap_or_default()))
            }
        }
    }

    /// The address of the page of one image; `None` in a file.
    pub fn page_of(&self, actor: &ActorId, place: &Place) -> Option<String> {
        match self {
            Self::File(_) => None,
            Self::Dashboard => Some(format!("{}/i/{}", actor_address(actor), picture_id(place))),
        }
    }
}
