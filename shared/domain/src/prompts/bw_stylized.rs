//! Prompts for drawings and prints without colour, one per technique. None of them names a colour.

use super::Prompt;
use crate::content::Angle::{self, Back, Front, Profile, ThreeQuarter};
use crate::content::Framing::{self, CloseUp, FullBody, Medium, Wide};
use crate::kind::Kind;

const fn bw(id: &'static str, framing: Framing, angle: Angle, text: &'static str) -> Prompt {
    Prompt { id, kind: Kind::BwStylized, framing, angle, text }
}

/// The eleven black-and-white scenes.
pub(super) const PROMPTS: [Prompt; 11] = [
    bw(
        "bw-pen-ink-harbor",
        FullBody,
        ThreeQuarter,
        "Black-and-white pen and ink drawing of the {character} mending a net in a small harbor, fine \
         cross-hatching on hulls and water. Low full-body view at a three-quarter angle, the {character} \
         off-center to the left, busy with the knots and unaware of the camera. Pure black lines on white paper; \
         same identity, face and clothing features as the reference image.",
    ),
    bw(
        "bw-graphite-cafe",
        CloseUp,
        Profile,
        "Monochrome graphite pencil drawing of the {character} at a corner table by a rainy window, soft shading \
         and visible paper grain. Eye-level close-up view in profile, the {character} off-center on the right \
         third, staring into the street and unaware of the camera. Keep the identity, face and clothing features \
         of the reference image.",
    ),
    bw(
        "bw-charcoal-theater",
        Wide,
        ThreeQuarter,
        "Expressive black-and-white charcoal drawing of the {character} resting on an empty theater stage, smudged \
         shadows and rough strokes. Wide three-quarter view from the balcony, the {character} off-center at lower \
         left in a pool of light, deep in thought, unaware of the camera. Identity, face and clothing features as \
         in the reference image.",
    ),
    bw(
        "bw-woodcut-mountain",
        FullBody,
        Back,
        "Bold black-and-white woodcut print of the {character} hiking up a mountain path beneath a carved sky, \
         thick gouge marks and strong contrast. Low full-body view from behind, the {character} off-center to the \
         right, eyes on the summit and unaware of the camera. Same recognizable identity, face and clothing \
         features as the reference image.",
    ),
    bw(
        "bw-vector-crossing",
        Medium,
        Front,
        "Clean monochrome vector illustration of the {character} hurrying over a city street crossing, flat shapes \
         in black, white and two grays. High diagonal medium view from the front, the {character} off-center in \
         the upper left, minding the traffic and unaware of the camera. Preserve identity, face and clothing \
         features of the reference image.",
    ),
    bw(
        "bw-manga-school-roof",
        CloseUp,
        Front,
        "Dramatic black-and-white manga panel of the {character} on a windy city rooftop, screentone shading and \
         crisp ink outlines. Tilted low close-up view from the front, the {character} off-center on the right with \
         empty sky beside, following a paper plane, unaware of the camera. Keep identity, face and clothing \
         features of the reference image.",
    ),
    bw(
        "bw-scratchboard-forest",
        Medium,
        ThreeQuarter,
        "Detailed scratchboard illustration of the {character} carrying a lantern through a dark forest, fine \
         white scratches on solid black. Low medium view past a tree at a three-quarter angle, the {character} \
         off-center on the left third, searching the path and unaware of the camera. Same identity, face and \
         clothing features as the reference image.",
    ),
    bw(
        "bw-linocut-market",
        Medium,
        Front,
        "Graphic black-and-white linocut of the {character} choosing bread at a street market, chunky carved \
         shapes and uneven ink. Slightly high medium view from the front, the {character} off-center to the right \
         beside stacked crates, talking to no one and unaware of the camera. Identity, face and clothing features \
         faithful to the reference image.",
    ),
    bw(
        "bw-etching-arcade",
        Medium,
        Profile,
        "Old-fashioned monochrome etching of the {character} walking beneath stone arches of a town square, dense \
         parallel hatching and plate tone. Medium view in profile at eye level, the {character} off-center in the \
         lower left, hurrying past columns, unaware of the camera. Keep the identity, face and clothing features \
         of the reference image.",
    ),
    bw(
        "bw-conte-studio",
        CloseUp,
        ThreeQuarter,
        "Monochrome conté crayon study of the {character} tuning a violin in a bare studio, broad grainy strokes \
         on textured gray paper, white highlights. Low close-up view at a three-quarter angle, the {character} \
         off-center on the right third, listening closely and unaware of the camera. Same identity, face and \
         clothing features as the reference image.",
    ),
    bw(
        "bw-cut-paper-shore",
        Wide,
        Profile,
        "Black-and-white cut paper silhouette scene of the {character} flying a kite on a sea shore, layered \
         black, gray and white shapes with crisp edges. Wide profile view, the {character} off-center to the left, \
         watching the kite and unaware of the camera. Identity, face and clothing features recognizable from the \
         reference image.",
    ),
];
