use chrono::{DateTime, Utc};
use lease_core::account::{PasswordHash, Token, TokenHash};
use lease_core::id::Stored;
use lease_core::model::{Account, Email, User, Username};
use lease_core::repository::RepositoryError;

use super::{At, Row};

/// A row of `users`, with the id of the user's customer.
#[derive(sqlx::FromRow, sqlx::Type)]
#[sqlx(type_name = "record")]
pub(crate) struct UserRow {
    id: i64,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    password_hash: String,
    is_active: bool,
    role: String,
    date_joined: DateTime<Utc>,
    last_login: Option<DateTime<Utc>>,
    token_epoch: i64,
    customer_id: Option<i64>,
}

impl Row for UserRow {
    type Entity = User;

    fn parse(self) -> Result<Stored<User>, RepositoryError> {
        let at = At::new("users", self.id);
        let value = User {
            username: Username::parse(&self.username).map_err(|_| at.corrupt("username is none"))?,
            email: Email::parse(&self.email).map_err(|_| at.corrupt("email is none"))?,
            first_name: self.first_name,
            last_name: self.last_name,
            password: PasswordHash::from_phc(self.password_hash),
            is_active: self.is_active,
            role: at.name("role", &self.role)?,
            date_joined: self.date_joined,
            last_login: self.last_login,
            token_epoch: self.token_epoch,
        };
        Ok(Stored { id: at.id("id", self.id)?, value })
    }
}

impl UserRow {
    /// The user and the user's customer.
    pub(crate) fn account(self) -> Result<Account, RepositoryError> {
        let at = At::new("users", self.id);
        let customer_id = self.customer_id.map(|id| at.id("customer_id", id)).transpose()?;
        Ok(Account { user: self.parse()?, customer_id })
    }
}

/// A row of `tokens`.
#[derive(sqlx::Type)]
#[sqlx(type_name = "record")]
pub(crate) struct TokenRow {
    hash: Vec<u8>,
    user_id: i64,
    epoch: i64,
    expires_at: DateTime<Utc>,
}

impl TokenRow {
    /// The token. Tokens have no id, so a corrupt one is reported under the id of its user.
    pub(crate) fn token(self) -> Result<Token, RepositoryError> {
        let at = At::new("tokens", self.user_id);
        let hash = <[u8; 32]>::try_from(self.hash).map_err(|_| at.corrupt("hash is not 32 bytes"))?;
        Ok(Token {
            hash: TokenHash(hash),
            user_id: at.id("user_id", self.user_id)?,
            epoch: self.epoch,
            expires_at: self.expires_at,
        })
    }
}
