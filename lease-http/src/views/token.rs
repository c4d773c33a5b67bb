use chrono::{DateTime, Utc};
use lease_core::account;
use lease_core::engine::CreatedToken;
use lease_core::id::{Stored, TokenId};
use lease_core::openapi::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Secret;

/// One of the caller's own tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Token {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: TokenId,
    /// What the user calls it: `login` if a login created it, `registration` if it came with the registration.
    #[schema(example = "login")]
    pub name: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
    /// Whether it is the token of this request.
    pub is_current: bool,
}

impl Token {
    /// As a request with the token `current` sees it; a request may have been authenticated without a token.
    #[must_use]
    pub fn new(token: Stored<account::Token>, current: Option<TokenId>) -> Self {
        let Stored { id, value: token } = token;
        Self { id, name: token.name, created_at: token.created_at, expires_at: token.expires_at, is_current: current == Some(id) }
    }
}

/// A token, just created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct NewToken {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: TokenId,
    /// What the user calls it.
    pub name: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
    /// Whether it is the token of this request.
    pub is_current: bool,
    /// The token; shown only here.
    #[schema(value_type = String, pattern = "^[0-9a-f]{40}$", example = "0123456789abcdef0123456789abcdef01234567")]
    pub token: Secret,
}

impl From<CreatedToken> for NewToken {
    fn from(CreatedToken { token, text, .. }: CreatedToken) -> Self {
        // No request carries a token that is only made by it.
        let Token { id, name, created_at, expires_at, is_current } = Token::new(token, None);
        Self { id, name, created_at, expires_at, is_current, token: Secret::new(text.expose()) }
    }
}
