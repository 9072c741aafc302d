//! Prompts for photographs: film scenes in varied places, weather, light, lenses and shot sizes.

use super::Prompt;
use crate::kind::Kind;

const fn photo(id: &'static str, text: &'static str) -> Prompt {
    Prompt { id, kind: Kind::Photorealistic, text }
}

/// The fifteen photographic scenes.
pub(super) const PROMPTS: [Prompt; 15] = [
    photo(
        "photo-night-market",
        "Cinematic film still of the {character} wandering through a crowded night market after rain, strings \
         of bulbs mirrored in puddles. Low angle, 35mm lens, medium-wide shot, the {character} off-center on \
         the left third, studying a stall and unaware of the camera. Same identity, face and clothing features as the reference image.",
    ),
    photo(
        "photo-desert-noon",
        "Photorealistic film frame of the {character} crossing pale desert dunes under a hard noon sun, heat \
         haze on the horizon. Eye-level wide shot on a 50mm anamorphic lens, the {character} off-center to \
         the right with open sand ahead, gazing far away, unaware of the camera. Keep the identity, face and \
         clothing features of the reference image.",
    ),
    photo(
        "photo-forest-dawn",
        "Cinematic photograph of the {character} pausing in a misty pine forest at dawn, cool light slanting \
         between wet trunks. Slightly high angle, 85mm lens, medium shot with shallow focus, the {character} \
         off-center in the lower left, listening to birds and unaware of the camera. Identity, face and \
         clothing features exactly as in the reference image.",
    ),
    photo(
        "photo-rooftop-dusk",
        "Film still of the {character} leaning on a rooftop parapet at dusk, the city skyline glowing behind in \
         warm haze. Three-quarter view from behind the shoulder, 40mm lens, medium shot, the {character} \
         off-center on the right third, watching the streets, unaware of the camera. Preserve the identity, \
         face and clothing features of the reference image.",
    ),
    photo(
        "photo-ferry-deck",
        "Photorealistic scene of the {character} on the deck of an old ferry, gray sea and low clouds all \
         around, wind in the ropes. Dutch angle, 28mm lens, full shot, the {character} off-center near the \
         left rail, looking toward the horizon and unaware of the camera. Same identity, face and clothing features as the reference image.",
    ),
    photo(
        "photo-library-window",
        "Cinematic interior photograph of the {character} reading beside a tall library window, dust floating \
         in soft afternoon light. Side angle at table height, 50mm lens, medium close shot, the {character} \
         off-center to the right, absorbed in the page and unaware of the camera. Keep the identity, face \
         and clothing features of the reference image.",
    ),
    photo(
        "photo-snowfield",
        "Film frame of the {character} trudging across a snowy mountain field in flat overcast light, flakes \
         drifting past the lens. Low-angle telephoto long shot, 135mm, the {character} off-center in the left \
         third, facing the ridge and unaware of the camera. Identity, face and clothing features faithful to \
         the reference image.",
    ),
    photo(
        "photo-neon-alley",
        "Moody cinematic photograph of the {character} waiting in a narrow city alley at night, neon signs \
         spilling pink and blue over wet brick. High angle from a fire escape, 35mm lens, medium-wide, the \
         {character} off-center at lower right, checking the time, unaware of the camera. Same identity, \
         face and clothing features as the reference image.",
    ),
    photo(
        "photo-workshop",
        "Photorealistic scene of the {character} repairing a bicycle in a cluttered workshop, a single warm \
         lamp above the bench. Over-the-bench angle, 50mm lens, medium shot with foreground tools out of \
         focus, the {character} off-center on the left, concentrated and unaware of the camera. Preserve \
         identity, face and clothing features of the reference image.",
    ),
    photo(
        "photo-beach-storm",
        "Cinematic film still of the {character} walking along an empty beach before a storm, dark clouds over \
         bright surf. Ground-level angle, 24mm wide lens, full shot, the {character} off-center to the right \
         and small against the sky, lost in thought, unaware of the camera. Keep identity, face and clothing features of the reference image.",
    ),
    photo(
        "photo-train-carriage",
        "Film frame of the {character} sitting in an evening train carriage, lamps streaking past the window \
         glass. Angle from across the aisle, 65mm lens, medium close shot, the {character} off-center on the \
         left third with the window filling the rest, gazing outside and unaware of the camera. Same \
         identity, face and clothing features as the reference image.",
    ),
    photo(
        "photo-autumn-park",
        "Photorealistic photograph of the {character} strolling along an autumn park avenue, backlit leaves \
         falling in golden late sun. Eye-level tracking angle, 85mm lens, three-quarter shot, the {character} \
         off-center on the right, turned toward the trees and unaware of the camera. Identity, face and \
         clothing features exactly as in the reference image.",
    ),
    photo(
        "photo-diner-counter",
        "Cinematic photograph of the {character} at the counter of a small roadside diner late at night, chrome \
         and lamplight, rain on the window. Profile angle, 40mm lens, medium shot, the {character} off-center \
         to the left, stirring a cup and unaware of the camera. Keep the identity, face and clothing features \
         of the reference image.",
    ),
    photo(
        "photo-stone-stairs",
        "Film still of the {character} climbing worn stone stairs in an old hillside town, sharp morning \
         sunlight and long shadows on plaster walls. Steep low angle, 28mm lens, full shot, the {character} \
         off-center in the upper right, looking up the lane, unaware of the camera. Same identity, face and \
         clothing features as the reference image.",
    ),
    photo(
        "photo-wheat-evening",
        "Photorealistic film scene of the {character} standing in a windy wheat field at blue hour, a far farm \
         light and rolling hills beyond. Wide eye-level shot, 50mm lens, the {character} off-center on the \
         left third, following a flock of birds and unaware of the camera. Preserve the identity, face and \
         clothing features of the reference image.",
    ),
];
