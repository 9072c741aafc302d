//! The form of counted views in JSON documents and records, where each number has a name.

use serde::{Deserialize, Serialize};

use super::ViewCounts;

/// The serialised form of [`ViewCounts`].
#[derive(Serialize, Deserialize)]
pub(super) struct NamedCounts {
    framing: FramingCounts,
    angle: AngleCounts,
}

#[derive(Serialize, Deserialize)]
struct FramingCounts {
    close_up: u32,
    medium: u32,
    full_body: u32,
    wide: u32,
}

#[derive(Serialize, Deserialize)]
struct AngleCounts {
    front: u32,
    three_quarter: u32,
    profile: u32,
    back: u32,
}

impl From<ViewCounts> for NamedCounts {
    fn from(ViewCounts { framing, angle }: ViewCounts) -> Self {
        let [close_up, medium, full_body, wide] = framing;
        let [front, three_quarter, profile, back] = angle;
        Self {
            framing: FramingCounts { close_up, medium, full_body, wide },
            angle: AngleCounts { front, three_quarter, profile, back },
        }
    }
}

impl From<NamedCounts> for ViewCounts {
    fn from(NamedCounts { framing, angle }: NamedCounts) -> Self {
        let FramingCounts { close_up, medium, full_body, wide } = framing;
        let AngleCounts { front, three_quarter, profile, back } = angle;
        Self { framing: [close_up, medium, full_body, wide], angle: [front, three_quarter, profile, back] }
    }
}
