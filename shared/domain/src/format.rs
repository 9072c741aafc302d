//! The format of generated images: aspect ratio and size.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most that one side may be longer than the other. Image models offer nothing wider.
const MAX_ELONGATION: u32 = 3;

/// How much one aspect ratio may be wider than another that stands for it.
const NEAR: f64 = 1.2;

/// Image models work in blocks of this many pixels.
const BLOCK: f64 = 16.0;

/// A megapixel in pixels, as image models count it.
const PIXELS_PER_MEGAPIXEL: f64 = 1024.0 * 1024.0;

/// A shape, at most three times as wide as high or as high as wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AspectRatio {
    width: u32,
    height: u32,
}

/// The size of an image in hundredths of a megapixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Megapixels(u32);

/// The format of an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Format {
    /// The ratio of width to height.
    pub ratio: AspectRatio,
    /// The area.
    pub size: Megapixels,
}

/// What an actor or a prompt changes of the stack's format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnFormat {
    /// The ratio of width to height.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<AspectRatio>,
    /// The area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub megapixels: Option<Megapixels>,
}

impl AspectRatio {
    /// What [`FromStr`] accepts.
    pub const ACCEPTED: &str = "width:height such as 16:9, neither side more than 3 times the other";

    /// The ratio of these sides; `None` if one is more than three times as long as the other.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Option<Self> {
        let (short, long) = (width.min(height), width.max(height));
        let is_usable = short > 0 && u64::from(long) <= u64::from(short) * u64::from(MAX_ELONGATION);
        is_usable.then_some(Self { width, height })
    }

    fn value(self) -> f64 {
        f64::from(self.width) / f64::from(self.height)
    }

    /// How many times wider the wider one is.
    fn distance(self, other: Self) -> f64 {
        let ratio = self.value() / other.value();
        ratio.max(ratio.recip())
    }

    /// The most similar of the ratios that a model offers; `None` if none is within a fifth.
    #[must_use]
    pub fn nearest(self, offered: impl IntoIterator<Item = Self>) -> Option<Self> {
        let nearest = offered.into_iter().min_by(|a, b| self.distance(*a).total_cmp(&self.distance(*b)))?;
        (self.distance(nearest) <= NEAR + f64::EPSILON).then_some(nearest)
    }
}

impl Default for AspectRatio {
    fn default() -> Self {
        Self { width: 16, height: 9 }
    }
}

impl fmt::Display for AspectRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.width, self.height)
    }
}

impl FromStr for AspectRatio {
    type Err = InvalidFormat;

    fn from_str(text: &str) -> Result<Self, InvalidFormat> {
        let sides = text.split_once(':').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
        let ratio = sides.and_then(|(width, height)| Self::new(width, height));
        ratio.ok_or_else(|| InvalidFormat { given: text.to_owned(), accepted: Self::ACCEPTED })
    }
}

impl Megapixels {
    /// What [`FromStr`] accepts.
    pub const ACCEPTED: &str = "a number of megapixels from 0.25 to 8, such as 1 or 2";

    const RANGE: std::ops::RangeInclusive<u32> = 25..=800;

    /// Every size.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::RANGE.map(Self)
    }

    /// The number of megapixels.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// The number in hundredths.
    #[must_use]
    pub const fn hundredths(self) -> u32 {
        self.0
    }
}

impl Default for Megapixels {
    fn default() -> Self {
        Self(100)
    }
}

impl fmt::Display for Megapixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value())
    }
}

impl FromStr for Megapixels {
    type Err = InvalidFormat;

    fn from_str(text: &str) -> Result<Self, InvalidFormat> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let digits = format!("{whole}{part:0<2}");
        let hundredths = (part.len() <= 2 && !whole.is_empty() && is_number(&digits)).then(|| digits.parse().ok());
        let usable = hundredths.flatten().filter(|hundredths| Self::RANGE.contains(hundredths));
        usable.map(Self).ok_or_else(|| InvalidFormat { given: text.to_owned(), accepted: Self::ACCEPTED })
    }
}

impl Format {
    /// The format with what an actor or a prompt changes of it.
    #[must_use]
    pub fn with(self, own: OwnFormat) -> Self {
        Self { ratio: own.aspect_ratio.unwrap_or(self.ratio), size: own.megapixels.unwrap_or(self.size) }
    }

    /// The width and the height in pixels: about the size, in whole blocks of 16 pixels.
    #[must_use]
    pub fn pixels(self) -> (u32, u32) {
        let area = self.size.value() * PIXELS_PER_MEGAPIXEL;
        let height = (area / self.ratio.value()).sqrt();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a few thousand pixels")]
        let in_blocks = |side: f64| ((side / BLOCK).round().max(1.0) * BLOCK) as u32;
        (in_blocks(height * self.ratio.value()), in_blocks(height))
    }
}

impl OwnFormat {
    /// This format, and `other` for what it leaves open.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            aspect_ratio: self.aspect_ratio.or(other.aspect_ratio),
            megapixels: self.megapixels.or(other.megapixels),
        }
    }
}

/// The text is no aspect ratio or no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` must be {accepted}")]
pub struct InvalidFormat {
    given: String,
    accepted: &'static str,
}

impl Serialize for AspectRatio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Megapixels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.value())
    }
}

impl<'de> Deserialize<'de> for AspectRatio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Megapixels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer)?.to_string().parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ratio(text: &str) -> AspectRatio {
        text.parse().unwrap()
    }

    #[test]
    fn ratio_and_size_are_read_and_written() {
        for text in ["16:9", "1:1", "9:16", "3:1", "1360:768"] {
            assert_eq!(ratio(text).to_string(), text);
        }
        for (text, written) in [("1", "1"), ("0.25", "0.25"), ("2.5", "2.5"), ("4.0", "4"), ("8", "8")] {
            assert_eq!(text.parse::<Megapixels>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn other_texts_are_no_formats() {
        for text in ["", "16", "16:", ":9", "0:1", "1:0", "4:1", "1:4", "16/9", "-1:1", "1:1:1"] {
            assert!(text.parse::<AspectRatio>().is_err(), "{text}");
        }
        for text in ["", "0", "0.2", "8.01", "9", "-1", ".5", "1.234", "1e1", "4K", "99999999999"] {
            assert!(text.parse::<Megapixels>().is_err(), "{text}");
        }
    }

    #[test]
    fn nearest_offered_ratio_is_within_a_fifth() {
        let offered = ["1:1", "3:2", "2:3"].map(ratio);
        for (wanted, nearest) in
            [("16:9", Some("3:2")), ("9:16", Some("2:3")), ("4:3", Some("3:2")), ("21:9", None), ("1:1", Some("1:1"))]
        {
            assert_eq!(ratio(wanted).nearest(offered), nearest.map(ratio), "{wanted}");
        }
        assert_eq!(ratio("16:9").nearest([]), None);
    }

    #[test]
    fn pixels_of_the_usual_formats() {
        let pixels = |text: &str, size: &str| Format { ratio: ratio(text), size: size.parse().unwrap() }.pixels();
        assert_eq!(pixels("16:9", "1"), (1360, 768));
        assert_eq!(pixels("1:1", "1"), (1024, 1024));
        assert_eq!(pixels("9:16", "2"), (1088, 1936));
    }

    proptest! {
        #[test]
        fn pixels_have_the_ratio_and_the_size(width in 1u32..=3000, height in 1u32..=3000, hundredths in 25u32..=800) {
            let Some(ratio) = AspectRatio::new(width, height) else { return Ok(()) };
            let format = Format { ratio, size: Megapixels(hundredths) };
            let (wide, high) = format.pixels();
            prop_assert!(wide % 16 == 0 && high % 16 == 0);
            let area = f64::from(wide) * f64::from(high) / PIXELS_PER_MEGAPIXEL;
            prop_assert!((area / format.size.value() - 1.0).abs() < 0.1, "{wide}×{high}");
            let drawn = AspectRatio { width: wide, height: high };
            prop_assert!(ratio.distance(drawn) < 1.06, "{wide}×{high}");
        }

        #[test]
        fn written_format_is_read_back(width in 1u32..=3000, height in 1u32..=3000, hundredths in 25u32..=800) {
            let Some(ratio) = AspectRatio::new(width, height) else { return Ok(()) };
            let own = OwnFormat { aspect_ratio: Some(ratio), megapixels: Some(Megapixels(hundredths)) };
            let text = serde_json::to_string(&own).unwrap();
            prop_assert_eq!(serde_json::from_str::<OwnFormat>(&text).unwrap(), own);
        }
    }
}
