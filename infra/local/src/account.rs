//! AWS accounts of the emulator.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Error;

/// An AWS account id of 12 digits, which the emulator also uses as the access key.
///
/// Accounts have separate queues, tables, functions and stacks. Only bucket names are global.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account(String);

impl Account {
    pub fn new(id: &str) -> Result<Self, Error> {
        if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(id.to_owned()))
        } else {
            Err(Error::InvalidAccount { id: id.to_owned() })
        }
    }

    /// An account that no earlier call in this process has returned.
    #[must_use]
    pub fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(format!("1{:011}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.0
    }
}

impl Default for Account {
    fn default() -> Self {
        Self("000000000000".to_owned())
    }
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_is_twelve_digits() {
        assert!(Account::new("123456789012").is_ok());
        assert!(Account::new("12345678901").is_err());
        assert!(Account::new("12345678901x").is_err());
    }

    #[test]
    fn unique_accounts_are_valid_and_differ() {
        let (one, two) = (Account::unique(), Account::unique());
        assert_ne!(one, two);
        assert!(Account::new(one.id()).is_ok());
    }
}
