//! What only whoever was given the address knows.

use sha2::{Digest, Sha256};

use crate::error::ExploreError;

/// Random bytes.
const BYTES: usize = 16;

/// A random part of the page's address.
pub(super) struct Token(String);

impl Token {
    /// 128 bits of the system's randomness, in hexadecimal.
    ///
    /// # Errors
    ///
    /// [`ExploreError::NoToken`].
    pub(super) fn random() -> Result<Self, ExploreError> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(|error| ExploreError::NoToken(error.to_string()))?;
        Ok(Self(hex::encode(bytes)))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether `found` is this token. How long that takes tells nothing of where they differ: checksums are compared.
    pub(super) fn is(&self, found: &str) -> bool {
        Sha256::digest(&self.0) == Sha256::digest(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_know_themselves() {
        let [a, b] = [Token::random().unwrap(), Token::random().unwrap()];
        assert!(a.text().len() == 32 && a.is(a.text()) && !a.is(b.text()) && !a.is(""));
    }
}
