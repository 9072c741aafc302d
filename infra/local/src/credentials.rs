//! The credentials that sign requests to an emulator.

use std::fmt;

use rand::TryRng;
use rand::rngs::SysRng;

use crate::{Account, Error};

/// The emulator checks only the id of the access key, but clients require a secret key too.
const SECRET: &str = "not-verified";

/// The secret of one run of the emulator: 192 random bits in hexadecimal digits.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// A new token from the operating system's random number generator.
    pub(crate) fn random() -> Result<Self, Error> {
        let mut bytes = [0; 24];
        SysRng.try_fill_bytes(&mut bytes).map_err(|error| Error::NoRandomness { reason: error.to_string() })?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The credentials of an account in this run.
    pub(crate) fn credentials(&self, account: &Account) -> Credentials {
        Credentials { access_key_id: format!("{account}{}", self.0), secret_access_key: SECRET.to_owned() }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// An access key of an emulator, for one account. Its id is the secret: it grants full access to the emulator.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
}

impl Credentials {
    /// The access key of an emulator that another process started.
    #[must_use]
    pub fn new(access_key_id: String, secret_access_key: String) -> Self {
        Self { access_key_id, secret_access_key }
    }

    /// For `AWS_ACCESS_KEY_ID`.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// For `AWS_SECRET_ACCESS_KEY`.
    #[must_use]
    pub fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_ids_name_the_account_and_differ() {
        let account = Account::new("123456789012").unwrap();
        let [one, other] = [(); 2].map(|()| Token::random().unwrap().credentials(&account));
        assert!(one.access_key_id().starts_with("123456789012") && one.access_key_id().len() == 12 + 48);
        assert_ne!(one.access_key_id(), other.access_key_id());
    }

    #[test]
    fn debug_text_hides_the_key() {
        let token = Token::random().unwrap();
        let shown = format!("{token:?} {:?}", token.credentials(&Account::default()));
        assert!(!shown.contains(token.as_str()), "{shown}");
    }
}
