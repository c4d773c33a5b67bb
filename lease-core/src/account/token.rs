use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};

use crate::clock::last_instant;
use crate::event::{Event, EventType, IdRef, NewRow};
use crate::id::{Entity, TokenId, UserId};
use crate::model::User;

/// A token as its holder knows it: 40 lower-case hexadecimal characters from a CSPRNG (rule 3.6). It is never stored, and `Debug`
/// does not show it.
#[derive(Clone)]
pub struct TokenText(String);

impl TokenText {
    /// A token of 20 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 20]) -> Self {
        Self(hex::encode(bytes))
    }

    /// The text, for the response that returns it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The hash of a token of the API, which is the only form in which it is stored.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        self.hash_for(TokenUse::Api)
    }

    /// The hash of a token for this use.
    #[must_use]
    pub fn hash_for(&self, used: TokenUse) -> TokenHash {
        TokenHash(Sha256::new().chain_update(used.prefix()).chain_update(self.0.as_bytes()).finalize().into())
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

/// The error for a text that is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token consists of 40 lower-case hexadecimal characters")]
pub struct NotAToken;

/// The SHA-256 of a token, by which a store finds it. A fast hash suffices, since a token has 160 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// What a token is for (chapter 10). The hashes of the uses differ, so that a token for one of them is none for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// Requests to the API.
    Api,
    /// The staff console, whose cookie holds it.
    Console,
}

impl TokenUse {
    /// What is hashed before the token.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Api => "",
            Self::Console => "console session ",
        }
    }
}

/// The [`token_epoch`](crate::model::User::token_epoch) of a new user.
pub const FIRST_EPOCH: i64 = 0;

/// The name of the first token of a user who registered.
pub(super) const REGISTRATION: &str = "registration";

/// A stored token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The hash by which it is found.
    pub hash: TokenHash,
    /// The user that it belongs to.
    pub user_id: UserId,
    /// What its user calls it.
    pub name: String,
    /// The user's [`token_epoch`](crate::model::User::token_epoch) when it was created; it is valid only while the two are equal.
    pub epoch: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// From this instant on, it is not valid.
    pub expires_at: DateTime<Utc>,
}

impl Entity for Token {
    type Id = TokenId;
}

impl Token {
    /// Whether it has neither expired nor been revoked together with others (rule 3.6). `user` is the one that it belongs to.
    #[must_use]
    pub fn is_live(&self, user: &User, now: DateTime<Utc>) -> bool {
        now < self.expires_at && self.epoch == user.token_epoch
    }
}

/// What happens when a token of a user is created.
pub(super) fn token_created(user: impl Into<IdRef>, name: &str, expires_at: DateTime<Utc>) -> Event {
    Event::of_token(EventType::TokenCreated, NewRow::Token, user, name).optional_instant("expires_at", Some(expires_at))
}

/// The instant at which a token created now expires, at the latest the last instant of the calendar.
pub(crate) fn expiry(now: DateTime<Utc>, ttl: Duration) -> DateTime<Utc> {
    now.checked_add_signed(ttl).map_or_else(last_instant, |end| end.min(last_instant()))
}
