//! What the model is told about judging, and the limits that hold whatever it answers.

use crate::domain::assessment::{BEST_QUALITY, Flag};

/// The version of the rubric; whoever changes the text counts it up, and every image is judged anew.
pub const PROMPT_VERSION: u32 = 1;

/// How images are judged, in the model's own instructions.
pub(super) const RUBRIC: &str = include_str!("rubric.txt");

/// An image that looks into the camera is usable at best.
const LOOKING_AT_CAMERA_AT_MOST: u8 = 6;

/// A symmetrical, centred image is usable at best.
const SYMMETRICAL_AT_MOST: u8 = 6;

/// Both together are a passport photograph: below the usual floor of 5.
const PASSPORT_LIKE_AT_MOST: u8 = 4;

/// Training would learn the blur.
const BLURRY_AT_MOST: u8 = 4;

/// Training would learn the sixth finger.
const DISTORTED_ANATOMY_AT_MOST: u8 = 3;

/// The best quality that an image with these faults can have.
pub(super) fn most_quality(flags: &[Flag]) -> u8 {
    let is_passport_like = flags.contains(&Flag::LookingAtCamera) && flags.contains(&Flag::Symmetrical);
    let limits = flags.iter().map(|flag| match flag {
        Flag::LookingAtCamera => LOOKING_AT_CAMERA_AT_MOST,
        Flag::Symmetrical => SYMMETRICAL_AT_MOST,
        Flag::Blurry => BLURRY_AT_MOST,
        Flag::DistortedAnatomy => DISTORTED_ANATOMY_AT_MOST,
        // Measured, and weighed where the whole set is known.
        Flag::BadExposure | Flag::ExactDuplicate | Flag::NearDuplicate => BEST_QUALITY,
    });
    limits.chain(is_passport_like.then_some(PASSPORT_LIKE_AT_MOST)).min().unwrap_or(BEST_QUALITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn a_change_of_the_rubric_is_a_new_version() {
        let digest = Sha256::digest(RUBRIC);
        let known = (PROMPT_VERSION, format!("{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2]));
        assert_eq!(known, (1, "c96e76".to_owned()), "count PROMPT_VERSION up, then note the new digest here");
    }

    #[test]
    fn the_rubric_tells_the_limits_that_are_enforced() {
        for (fault, flags) in [
            ("looking_at_camera", vec![Flag::LookingAtCamera]),
            ("symmetrical", vec![Flag::Symmetrical]),
            ("looking_at_camera and symmetrical together", vec![Flag::LookingAtCamera, Flag::Symmetrical]),
            ("blurry", vec![Flag::Blurry]),
            ("distorted_anatomy", vec![Flag::DistortedAnatomy]),
        ] {
            let line = format!("\n  {fault}: at most {}\n", most_quality(&flags));
            assert!(RUBRIC.contains(&line), "{line}");
        }
        assert_eq!(most_quality(&[]), BEST_QUALITY);
        assert_eq!(most_quality(&[Flag::Symmetrical, Flag::DistortedAnatomy]), DISTORTED_ANATOMY_AT_MOST);
    }
}
