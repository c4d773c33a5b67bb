use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::id::UserId;

/// A token as its holder knows it: 40 lower-case hexadecimal characters from a CSPRNG (rule 3.6). Not storable, and
/// `Debug` does not show it.
#[derive(Clone)]
pub struct TokenText(String);

impl TokenText {
    /// A token of 20 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 20]) -> Self {
        Self(hex::encode(bytes))
    }

    /// The text, for the response that hands it out.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// All that is ever stored of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl FromStr for TokenText {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 40 && text.bytes().all(hex) { Ok(Self(text.to_owned())) } else { Err(NotAToken) }
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText(…)")
    }
}

/// The text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token: 40 lower-case hexadecimal characters are")]
pub struct NotAToken;

/// The SHA-256 of a token: what a store knows it by. A fast hash does, since a token has 160 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// The [`token_epoch`](crate::model::User::token_epoch) of a new user.
pub const FIRST_EPOCH: i64 = 0;

/// A stored token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is found by.
    pub hash: TokenHash,
    /// Whose it is.
    pub user_id: UserId,
    /// The user's [`token_epoch`](crate::model::User::token_epoch) when it was made; good only while they are equal.
    pub epoch: i64,
    /// From this instant on it is not good.
    pub expires_at: DateTime<Utc>,
}
