//! Checks the size of a WebP file before the decoder reads it.

use super::decode_error::DecodeError;

/// The file without the bytes after its own end, by the sizes of its chunks (RFC 9649, 2.3 and 2.4).
///
/// # Errors
/// If a chunk doesn't end within the file: the decoder would allocate as much memory as the chunk claims, up to 4 GB.
pub(super) fn whole(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let size = |at: usize| Some(u32::from_le_bytes(bytes.get(at..)?.first_chunk().copied()?) as usize);
    let riff = size(4).ok_or(DecodeError::Truncated)?;
    let end = bytes.len().min(8 + riff + riff % 2);
    let mut at = 12;
    while at + 8 <= end {
        let chunk = size(at + 4).ok_or(DecodeError::Truncated)?;
        let next = at + 8 + chunk;
        if next > bytes.len() {
            return Err(DecodeError::Truncated);
        }
        at = next + chunk % 2;
    }
    Ok(&bytes[..bytes.len().min(at.max(end))])
}
