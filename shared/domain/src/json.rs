//! Reads JSON in every encoding that editors and shells write: UTF-8 with or without a byte order mark, and UTF-16.

use serde::de::DeserializeOwned;

/// Why a text can't be read as JSON.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The bytes are in neither encoding.
    #[error("it is neither UTF-8 nor UTF-16 text; save it as UTF-8")]
    Encoding,
    /// The text is not the expected JSON.
    #[error(transparent)]
    Content(#[from] serde_json::Error),
    /// A field, or an entry of it, has a value that it can't have.
    #[error("`{field}`: {problem}")]
    Field {
        /// The path of the field.
        field: String,
        /// What is wrong with its value.
        problem: serde_json::Error,
    },
}

/// Parses JSON from bytes that may come from an editor.
///
/// # Errors
/// If the bytes are no text, or the text is not the expected JSON.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    Ok(serde_json::from_str(without_mark(&text(bytes)?))?)
}

/// Parses JSON like [`read`], and names the field that has an unusable value.
///
/// # Errors
/// If the bytes are no text, or the text is not the expected JSON.
pub fn read_naming_fields<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    let text = text(bytes)?;
    let mut json = serde_json::Deserializer::from_str(without_mark(&text));
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        // The path has a question mark for a key that is no text, such as the name of a fault.
        let field = error.path().to_string().replace(".?", "");
        let problem = error.into_inner();
        // A path of `.` is the whole text.
        if problem.is_data() && field != "." {
            JsonError::Field { field, problem }
        } else {
            JsonError::Content(problem)
        }
    })?;
    json.end()?;
    Ok(value)
}

/// The text without a leading byte order mark.
#[must_use]
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// UTF-16 is recognized by its mark, which Windows PowerShell writes, or by a zero beside the first character, which in
/// JSON is always ASCII.
pub(crate) fn text(bytes: &[u8]) -> Result<String, JsonError> {
    let text = match *bytes {
        [0xFF, 0xFE, ..] | [1..=u8::MAX, 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0xFE, 0xFF, ..] | [0, 1..=u8::MAX, ..] => utf16(bytes, u16::from_be_bytes),
        _ => std::str::from_utf8(bytes).ok().map(str::to_owned),
    };
    text.ok_or(JsonError::Encoding)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|&pair| unit(pair)).collect();
    String::from_utf16(&units).ok().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TEXT: &str = r#"{"sex":"weiblich – 女"}"#;

    fn in_utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_of_editors_is_read() {
        let marked = format!("\u{feff}{TEXT}");
        for bytes in [
            TEXT.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            in_utf16(&marked, u16::to_le_bytes),
            in_utf16(&marked, u16::to_be_bytes),
            in_utf16(TEXT, u16::to_le_bytes),
            in_utf16(TEXT, u16::to_be_bytes),
        ] {
            assert_eq!(read::<Value>(&bytes).unwrap(), json!({ "sex": "weiblich – 女" }), "{bytes:?}");
        }
    }

    #[test]
    fn other_encodings_are_reported() {
        for bytes in [&b"{\"a\":\"caf\xe9\"}"[..], b"\xff\xfe{\0}", b"\xff\xfe\0\xd8\0\0"] {
            assert!(read::<Value>(bytes).unwrap_err().to_string().contains("save it as UTF-8"), "{bytes:?}");
        }
        assert!(read::<Value>(b"").unwrap_err().to_string().contains("EOF"));
    }
}
