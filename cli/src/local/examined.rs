//! The result of reading an actor's folder.

/// What a run has read, or why it must not use the folder.
pub enum Examined<T> {
    Usable(T),
    /// The reason, as a sentence.
    Unusable(String),
}

impl<T> From<Result<T, String>> for Examined<T> {
    fn from(result: Result<T, String>) -> Self {
        match result {
            Ok(usable) => Self::Usable(usable),
            Err(reason) => Self::Unusable(reason),
        }
    }
}
