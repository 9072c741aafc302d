//! Prompts for drawings and paintings in colour, one per technique.

use super::Prompt;
use crate::content::Angle::{self, Back, Front, Profile, ThreeQuarter};
use crate::content::Framing::{self, CloseUp, FullBody, Medium, Wide};
use crate::kind::Kind;

const fn color(id: &'static str, framing: Framing, angle: Angle, text: &'static str) -> Prompt {
    Prompt { id, kind: Kind::ColorStylized, framing, angle, text }
}

/// The nine colour scenes.
pub(super) const PROMPTS: [Prompt; 9] = [
    color(
        "color-comic-chase",
        FullBody,
        ThreeQuarter,
        "Vivid comic book panel of the {character} running across city rooftops at night, bold dark outlines and \
         saturated flat colors. Extremely low full-body view at a three-quarter angle, the {character} off-center \
         on the right third, looking back over the skyline and unaware of the camera. Same identity, face and \
         clothing features as the reference image.",
    ),
    color(
        "color-vector-bus-stop",
        Medium,
        Profile,
        "Flat vector illustration of the {character} waiting at a city bus stop on a bright morning, simple \
         geometric shapes and a small palette. Medium view in profile, the {character} off-center to the left, \
         reading a paper map and unaware of the camera. Keep identity, face and clothing features of the reference \
         image.",
    ),
    color(
        "color-watercolor-canal",
        Medium,
        Front,
        "Loose watercolor painting of the {character} feeding ducks on a harbor canal in spring, wet washes and \
         pigment edges on rough paper. Slightly high medium view from the front, the {character} off-center in the \
         lower right, bent over the water, unaware of the camera. Identity, face and clothing features as in the \
         reference image.",
    ),
    color(
        "color-gouache-garden",
        CloseUp,
        ThreeQuarter,
        "Gouache painting of the {character} watering plants in a sunny hillside garden, opaque matte strokes and \
         warm shadows. Eye-level close-up through foliage at a three-quarter angle, the {character} off-center on \
         the left third, absorbed in the work and unaware of the camera. Preserve the identity, face and clothing \
         features of the reference image.",
    ),
    color(
        "color-acrylic-carnival",
        CloseUp,
        Front,
        "Energetic acrylic painting of the {character} strolling past carnival lights at dusk, thick brush marks \
         and strong complementary hues. Tilted low close-up view from the front, the {character} off-center to the \
         right, following the lanterns and unaware of the camera. Same identity, face and clothing features as the \
         reference image.",
    ),
    color(
        "color-digital-valley",
        Wide,
        Back,
        "Digital painting of the {character} overlooking a wide mountain valley at sunrise, luminous mist and \
         painterly light. Wide view from behind and above, the {character} off-center in the lower left, gazing at \
         the peaks, unaware of the camera. Keep the identity, face and clothing features of the reference image.",
    ),
    color(
        "color-oil-kitchen",
        CloseUp,
        Profile,
        "Traditional oil painting of the {character} peeling apples in a dim kitchen beside a window, rich browns \
         and thick impasto highlights. Close-up view in profile at table height, the {character} off-center on the \
         right third, quietly busy and unaware of the camera. Identity, face and clothing features faithful to the \
         reference image.",
    ),
    color(
        "color-pastel-dunes",
        Medium,
        ThreeQuarter,
        "Soft pastel drawing of the {character} sitting on grassy dunes in evening light, chalky strokes over \
         toned paper. Low medium view along the sand at a three-quarter angle, the {character} off-center to the \
         left with open sky, watching distant boats and unaware of the camera. Same identity, face and clothing \
         features as the reference image.",
    ),
    color(
        "color-collage-street",
        FullBody,
        ThreeQuarter,
        "Playful paper collage of the {character} cycling down a busy city street, torn colored paper, visible cut \
         edges and overlapping layers. Diagonal high full-body view at a three-quarter angle, the {character} \
         off-center on the left third, heading out of frame and unaware of the camera. Keep the identity, face and \
         clothing features of the reference image.",
    ),
];
