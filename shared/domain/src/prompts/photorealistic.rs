//! Prompts for photographs: film scenes in varied places, weather, light, lenses and shot sizes.

use super::Prompt;
use crate::content::Angle::{self, Back, Front, Profile, ThreeQuarter};
use crate::content::Framing::{self, CloseUp, FullBody, Medium, Wide};
use crate::kind::Kind;

const fn photo(id: &'static str, framing: Framing, angle: Angle, text: &'static str) -> Prompt {
    Prompt { id, kind: Kind::Photorealistic, framing, angle, text }
}

/// The fifteen photographic scenes.
pub(super) const PROMPTS: [Prompt; 15] = [
    photo(
        "photo-night-market",
        Medium,
        ThreeQuarter,
        "Cinematic film still of the {character} wandering through a crowded night market after rain, strings of \
         bulbs mirrored in puddles. Low angle, 35mm lens, medium three-quarter shot, the {character} off-center on \
         the left third, studying a stall and unaware of the camera. Same identity, face and clothing features as \
         the reference image.",
    ),
    photo(
        "photo-desert-noon",
        Wide,
        Profile,
        "Photorealistic film frame of the {character} crossing pale desert dunes under a hard noon sun, heat haze \
         on the horizon. Eye-level wide shot in profile, 50mm anamorphic lens, the {character} off-center to the \
         right with open sand ahead, gazing far away, unaware of the camera. Keep the identity, face and clothing \
         features of the reference image.",
    ),
    photo(
        "photo-forest-dawn",
        CloseUp,
        Front,
        "Cinematic photograph of the {character} pausing in a misty pine forest at dawn, cool light slanting \
         between wet trunks. Slightly high angle, 85mm lens, close-up from the front, the {character} off-center \
         in the lower left, listening to birds and unaware of the camera. Identity, face and clothing features \
         exactly as in the reference image.",
    ),
    photo(
        "photo-rooftop-dusk",
        Medium,
        Back,
        "Film still of the {character} leaning on a rooftop parapet at dusk, the city skyline glowing behind in \
         warm haze. View from behind the shoulder, 40mm lens, medium shot, the {character} off-center on the right \
         third, watching the streets, unaware of the camera. Preserve the identity, face and clothing features of \
         the reference image.",
    ),
    photo(
        "photo-ferry-deck",
        FullBody,
        ThreeQuarter,
        "Photorealistic scene of the {character} on the deck of an old ferry, gray sea and low clouds all around, \
         wind in the ropes. Dutch angle, 28mm lens, full-body three-quarter shot, the {character} off-center near \
         the left rail, looking toward the horizon and unaware of the camera. Same identity, face and clothing \
         features as the reference image.",
    ),
    photo(
        "photo-library-window",
        CloseUp,
        Profile,
        "Cinematic interior photograph of the {character} reading beside a tall library window, dust floating in \
         soft afternoon light. Profile angle at table height, 50mm lens, close-up shot, the {character} off-center \
         to the right, absorbed in the page and unaware of the camera. Keep the identity, face and clothing \
         features of the reference image.",
    ),
    photo(
        "photo-snowfield",
        Wide,
        Back,
        "Film frame of the {character} trudging across a snowy mountain field in flat overcast light, flakes \
         drifting past the lens. Low-angle telephoto wide shot from behind, 135mm, the {character} off-center in \
         the left third, facing the ridge and unaware of the camera. Identity, face and clothing features faithful \
         to the reference image.",
    ),
    photo(
        "photo-neon-alley",
        FullBody,
        ThreeQuarter,
        "Moody cinematic photograph of the {character} waiting in a narrow city alley at night, neon signs \
         spilling pink and blue over wet brick. High angle from a fire escape, 35mm lens, full-body three-quarter \
         shot, the {character} off-center at lower right, checking the time, unaware of the camera. Same identity, \
         face and clothing features as the reference image.",
    ),
    photo(
        "photo-workshop",
        Medium,
        Front,
        "Photorealistic scene of the {character} repairing a bicycle in a cluttered workshop, a single warm lamp \
         above the bench. Over-the-bench angle from the front, 50mm lens, medium shot with tools out of focus, the \
         {character} off-center on the left, concentrated and unaware of the camera. Preserve identity, face and \
         clothing features of the reference image.",
    ),
    photo(
        "photo-beach-storm",
        FullBody,
        Profile,
        "Cinematic film still of the {character} walking along an empty beach before a storm, dark clouds over \
         bright surf. Ground-level angle, 28mm lens, full-body shot in profile, the {character} off-center to the \
         right against the sky, lost in thought, unaware of the camera. Keep identity, face and clothing features \
         of the reference image.",
    ),
    photo(
        "photo-train-carriage",
        CloseUp,
        ThreeQuarter,
        "Film frame of the {character} sitting in an evening train carriage, lamps streaking past the window \
         glass. Angle from across the aisle, 65mm lens, three-quarter close-up shot, the {character} off-center on \
         the left third with the window filling the rest, gazing outside and unaware of the camera. Same identity, \
         face and clothing features as the reference image.",
    ),
    photo(
        "photo-autumn-park",
        Medium,
        Front,
        "Photorealistic photograph of the {character} strolling along an autumn park avenue, backlit leaves \
         falling in golden late sun. Eye-level tracking angle from the front, 85mm lens, medium shot, the \
         {character} off-center on the right, glancing at the trees and unaware of the camera. Identity, face and \
         clothing features exactly as in the reference image.",
    ),
    photo(
        "photo-diner-counter",
        Medium,
        Profile,
        "Cinematic photograph of the {character} at the counter of a small roadside diner late at night, chrome \
         and lamplight, rain on the window. Profile angle, 40mm lens, medium shot, the {character} off-center to \
         the left, stirring a cup and unaware of the camera. Keep the identity, face and clothing features of the \
         reference image.",
    ),
    photo(
        "photo-stone-stairs",
        Medium,
        ThreeQuarter,
        "Film still of the {character} climbing worn stone stairs in an old hillside town, sharp morning sunlight \
         and long shadows on plaster walls. Steep low angle, 28mm lens, medium three-quarter shot, the {character} \
         off-center in the upper right, looking up the lane, unaware of the camera. Same identity, face and \
         clothing features as the reference image.",
    ),
    photo(
        "photo-wheat-evening",
        CloseUp,
        Front,
        "Photorealistic film scene of the {character} standing in a windy wheat field at blue hour, a far farm \
         light and rolling hills beyond. Eye-level close-up shot from the front, 50mm lens, the {character} \
         off-center on the left third, following a flock of birds and unaware of the camera. Preserve the \
         identity, face and clothing features of the reference image.",
    ),
];
