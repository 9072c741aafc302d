//! Whether images are large enough for a resolution.
//!
//! Trainers sort images into buckets of about `resolution × resolution` pixels (kohya's `BucketManager`, ai-toolkit's
//! `get_bucket_for_image_size`, OneTrainer's `AspectBucketing`), so the area decides and not the sides. kohya and
//! OneTrainer enlarge smaller images, and ai-toolkit leaves them small.

/// The least share of the side: enlarging an image by up to a ninth shows no blur.
const LEAST_SHARE: f64 = 0.9;

/// The least and the greatest resolution, and the step between them: kohya's buckets are multiples of 64.
pub const RESOLUTIONS: (u32, u32, u32) = (256, 2048, 64);

/// Whether an image of this width and height has too few pixels.
pub fn is_too_small((width, height): (u32, u32), resolution: u32) -> bool {
    side(width, height) < f64::from(resolution) * LEAST_SHARE
}

/// The greatest resolution that is small enough for all of these images; `None` if none is, or there are no images.
pub fn fitting(sizes: impl Iterator<Item = (u32, u32)>) -> Option<u32> {
    let (least, greatest, step) = RESOLUTIONS;
    let smallest = sizes.min_by(|&(w, h), &(x, y)| side(w, h).total_cmp(&side(x, y)))?;
    let resolutions = (least..=greatest).step_by(step as usize);
    resolutions.take_while(|&resolution| !is_too_small(smallest, resolution)).last()
}

/// The side of a square with as many pixels.
fn side(width: u32, height: u32) -> f64 {
    (f64::from(width) * f64::from(height)).sqrt()
}

/// Reads the value of `--resolution`.
pub fn parse(text: &str) -> Result<u32, String> {
    let (least, greatest, step) = RESOLUTIONS;
    let is_possible = |number: &u32| (least..=greatest).contains(number) && number.is_multiple_of(step);
    let number = text.parse().ok().filter(is_possible);
    number.ok_or_else(|| format!("give a multiple of {step} from {least} to {greatest}, such as 1024"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_decides_whether_an_image_is_too_small() {
        assert!(is_too_small((1024, 576), 1024));
        assert!(!is_too_small((1344, 768), 1024), "one megapixel suits 1024");
        assert!(!is_too_small((1024, 576), 768));
        assert!(is_too_small((200, 113), 512));
    }

    #[test]
    fn fitting_resolution_suits_the_smallest_image() {
        assert_eq!(fitting([(1024, 576), (3000, 2000)].into_iter()), Some(832));
        assert_eq!(fitting([(200, 113), (3000, 2000)].into_iter()), None);
        assert_eq!(fitting(std::iter::empty()), None);
    }

    #[test]
    fn resolution_is_a_multiple_of_64() {
        assert_eq!(parse("768"), Ok(768));
        for text in ["0", "1000", "4096", "x", "-512"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
