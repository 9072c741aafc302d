//! Reads a place, a time of day and a medium from the words of a prompt.

use domain::kind::Kind;
use rand::Rng;
use rand::seq::IndexedRandom;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    City,
    Market,
    Interior,
    Forest,
    Hills,
    Dunes,
    Shore,
}

/// The time of day, which determines the light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    Dawn,
    Day,
    Overcast,
    Dusk,
    Night,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bw {
    PenAndInk,
    Etching,
    Manga,
    Woodcut,
    Linocut,
    Scratchboard,
    Pencil,
    Charcoal,
    Conte,
    Vector,
    CutPaper,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Color {
    Comic,
    Vector,
    Watercolor,
    Gouache,
    Acrylic,
    Digital,
    Oil,
    Pastel,
    Collage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Medium {
    Photograph,
    Bw(Bw),
    Color(Color),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Brief {
    pub(super) place: Place,
    pub(super) time: Time,
    pub(super) medium: Medium,
}

/// Words that name a place. The first row with a word in the prompt decides.
const PLACES: [(&[&str], Place); 7] = [
    (&["market", "carnival", "fair", "bazaar"], Place::Market),
    (
        &[
            "library",
            "workshop",
            "train",
            "diner",
            "café",
            "cafe",
            "kitchen",
            "studio",
            "theater",
            "stage",
            "room",
            "corner table",
            "indoors",
            "interior",
        ],
        Place::Interior,
    ),
    (&["dunes", "desert", "sand"], Place::Dunes),
    (&["beach", "ferry", "harbor", "shore", "canal", "sea", "boat", "lake"], Place::Shore),
    (&["forest", "park", "garden", "woods", "jungle", "trees"], Place::Forest),
    (&["mountain", "field", "valley", "hill", "meadow", "snow"], Place::Hills),
    (&["city", "street", "alley", "rooftop", "skyline", "town", "square", "stairs"], Place::City),
];

/// Words that name the light. The first row with a word in the prompt decides.
const TIMES: [(&[&str], Time); 5] = [
    (&["night", "neon", "moon", "stars", "lantern"], Time::Night),
    (&["dusk", "sunset", "evening", "blue hour", "late sun", "dim"], Time::Dusk),
    (&["dawn", "sunrise", "mist", "fog", "early"], Time::Dawn),
    (&["overcast", "cloud", "rain", "storm", "snow"], Time::Overcast),
    (&["noon", "sunny", "sunlight", "afternoon", "morning", "spring"], Time::Day),
];

/// Words that name a black-and-white technique. The first row with a word in the prompt decides.
const BW: [(&[&str], Bw); 11] = [
    (&["pen and ink", "pen & ink", "ink drawing"], Bw::PenAndInk),
    (&["etching", "engraving"], Bw::Etching),
    (&["manga", "screentone"], Bw::Manga),
    (&["woodcut"], Bw::Woodcut),
    (&["linocut"], Bw::Linocut),
    (&["scratchboard"], Bw::Scratchboard),
    (&["charcoal"], Bw::Charcoal),
    (&["conté", "conte", "crayon"], Bw::Conte),
    (&["pencil", "graphite"], Bw::Pencil),
    (&["cut paper", "cut-paper", "silhouette"], Bw::CutPaper),
    (&["vector"], Bw::Vector),
];

/// Words that name a colour technique. The first row with a word in the prompt decides.
const COLOR: [(&[&str], Color); 9] = [
    (&["collage"], Color::Collage),
    (&["comic"], Color::Comic),
    (&["vector", "flat illustration"], Color::Vector),
    (&["watercolor", "watercolour"], Color::Watercolor),
    (&["gouache"], Color::Gouache),
    (&["acrylic"], Color::Acrylic),
    (&["digital"], Color::Digital),
    (&["pastel", "chalk"], Color::Pastel),
    (&["oil paint", "oils", "impasto"], Color::Oil),
];

impl Brief {
    /// Reads a prompt. Everything that it leaves open is random.
    pub(super) fn read(kind: Kind, prompt: &str, rng: &mut impl Rng) -> Self {
        let text = prompt.to_lowercase();
        let medium = match kind {
            Kind::Photorealistic => Medium::Photograph,
            Kind::BwStylized => Medium::Bw(named(&text, &BW, rng).unwrap_or(Bw::Pencil)),
            Kind::ColorStylized => Medium::Color(named(&text, &COLOR, rng).unwrap_or(Color::Gouache)),
        };
        Self {
            place: named(&text, &PLACES, rng).unwrap_or(Place::Hills),
            time: named(&text, &TIMES, rng).unwrap_or(Time::Day),
            medium,
        }
    }
}

/// The value of the first row with a word in the text, otherwise of a random row.
fn named<T: Copy>(text: &str, rows: &[(&[&str], T)], rng: &mut impl Rng) -> Option<T> {
    rows.iter()
        .find(|(words, _)| words.iter().any(|word| starts_a_word(text, word)))
        .or_else(|| rows.choose(rng))
        .map(|(_, value)| *value)
}

/// Whether the text has a word that begins with `word`: "mist" matches "misty" but not "chemist".
fn starts_a_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[..at].chars().next_back().is_some_and(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use domain::kind::Kind;
    use domain::prompts::Library;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::{Brief, Bw, Color, Medium, Place, Time};

    fn read(kind: Kind, prompt: &str) -> Brief {
        Brief::read(kind, prompt, &mut ChaCha8Rng::seed_from_u64(1))
    }

    #[test]
    fn words_of_a_prompt_select_place_time_and_medium() {
        let brief = read(Kind::ColorStylized, "Watercolour of a misty forest at night");
        assert_eq!(brief.place, Place::Forest);
        assert_eq!(brief.time, Time::Night);
        assert_eq!(brief.medium, Medium::Color(Color::Watercolor));
        assert_eq!(read(Kind::BwStylized, "CHARCOAL study").medium, Medium::Bw(Bw::Charcoal));
    }

    #[test]
    fn every_stylized_prompt_has_its_own_technique() {
        for kind in [Kind::BwStylized, Kind::ColorStylized] {
            let media: Vec<_> =
                Library::built_in().of_kind(kind).map(|prompt| read(kind, &prompt.text).medium).collect();
            for (index, medium) in media.iter().enumerate() {
                assert!(!media[..index].contains(medium), "{medium:?} twice");
            }
        }
    }
}
