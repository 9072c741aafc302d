//! The images that services deliver.

use imaging::{decode, encode_jpeg, is_jpeg};
use reqwest::StatusCode;
use tokio::task::JoinError;

use super::failure::Failure;

/// The image as a JPEG that was decoded completely. Keeps the bytes of a JPEG.
///
/// # Errors
/// If the bytes are no usable image.
pub(super) async fn to_jpeg(bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let convert = move || {
        let image = decode(&bytes)?;
        Ok(if is_jpeg(&bytes) { bytes } else { encode_jpeg(&image)? })
    };
    tokio::task::spawn_blocking(convert).await.map_err(|error| interrupted("decoding the output", &error))?
}

/// Whether nothing exists at the address of an output.
pub(super) fn is_missing(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN)
}

/// The failure of a task of this process.
pub(super) fn interrupted(what: &str, error: &JoinError) -> Failure {
    Failure::Unavailable { message: format!("{what} was interrupted: {error}"), retry_after: None }
}
