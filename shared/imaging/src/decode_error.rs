//! The limits of accepted images, and the reasons for which a file is unusable.

/// The maximum size of a file, in bytes.
pub const MAX_BYTES: u64 = 50 * 1024 * 1024;

/// The maximum length of a side, in pixels.
pub const MAX_SIDE: u32 = 12_000;

/// The maximum number of pixels. With 16 bits in each of four channels, the decoding of such an image takes 600 MB, and
/// the evaluation function decodes two at a time.
pub const MAX_PIXELS: u64 = 40_000_000;

/// The minimum length of a side, in pixels. A model learns nothing from smaller images.
pub const MIN_SIDE: u32 = 64;

/// Why a file is unusable as an image, with the remedy. A retry can't succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the file is empty; upload it again, or delete it")]
    Empty,
    #[error("the file has {} MB, more than the {} MB accepted; save it smaller", .0 / 1_048_576, MAX_BYTES / 1_048_576)]
    TooLarge(u64),
    #[error("the content is not PNG, JPEG or WebP; convert it, or delete it")]
    NotAnImage,
    #[error(
        "{width}×{height} pixels are more than the {MAX_SIDE} a side and {} million in all accepted; scale it down",
        MAX_PIXELS / 1_000_000
    )]
    TooManyPixels { width: u32, height: u32 },
    #[error("{width}×{height} pixels are too few; at least {MIN_SIDE} a side are needed, so upload a larger version")]
    TooFewPixels { width: u32, height: u32 },
    #[error("the file ends before its image does; upload it again, or delete it")]
    Truncated,
    /// A JPEG has an end-of-image marker before all of its rows.
    #[error("only the upper {rows} of its {height} rows are there; upload it again, or delete it")]
    RowsMissing {
        /// The number of rows that can be decoded.
        rows: u32,
        height: u32,
    },
    #[error("the file is damaged ({0}); upload it again, or delete it")]
    Damaged(String),
}

/// # Errors
/// If the image is larger or smaller than the limits.
pub(super) fn check_dimensions(width: u32, height: u32) -> Result<(), DecodeError> {
    let pixels = u64::from(width) * u64::from(height);
    if width.max(height) > MAX_SIDE || pixels > MAX_PIXELS {
        Err(DecodeError::TooManyPixels { width, height })
    } else if width.min(height) < MIN_SIDE {
        Err(DecodeError::TooFewPixels { width, height })
    } else {
        Ok(())
    }
}
