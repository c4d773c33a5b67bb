use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::RepositoryError;
use crate::account::{AccountSnapshot, Token, TokenHash};
use crate::id::{CustomerId, Stored, TokenId, UserId, Versioned};
use crate::model::{Account, Customer, ExternalId, LoginName, Role};
use crate::page::{Page, PageRequest};
use crate::text::Search;

/// Users, customers and tokens. An account's version is its user's; a customer has its own version for changes to its
/// [`Profile`](crate::model::Profile).
#[async_trait]
pub trait AccountRepository {
    /// The token with this key and the account it belongs to, valid or not: the core decides whether it is valid.
    async fn find_token(&self, key: TokenKey) -> Result<Option<(Stored<Token>, Account)>, RepositoryError>;

    /// Lists the live tokens of a user: those of the user's present epoch that have not expired at `now`.
    async fn list_tokens(
        &self,
        filter: &TokenFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Token>>, RepositoryError>;

    /// The account with this login name.
    async fn find_login(&self, name: &LoginName) -> Result<Option<Account>, RepositoryError>;

    /// The snapshot that a decision about a user reads.
    async fn load_account(&self, id: UserId) -> Result<Option<Versioned<AccountSnapshot>>, RepositoryError>;

    /// Those of `names` that are taken, each with the user who has it.
    async fn taken_names(&self, names: &[LoginName]) -> Result<Vec<(LoginName, UserId)>, RepositoryError>;

    /// Deletes up to `limit` tokens that expired before `now`. Returns how many it deleted.
    async fn purge_tokens(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;

    /// Lists users.
    async fn list_users(&self, filter: &UserFilter, page: PageRequest) -> Result<Page<Account>, RepositoryError>;

    /// One customer.
    async fn find_customer(&self, id: CustomerId) -> Result<Option<Versioned<Stored<Customer>>>, RepositoryError>;

    /// Lists customers.
    async fn list_customers(&self, filter: &CustomerFilter, page: PageRequest)
    -> Result<Page<Stored<Customer>>, RepositoryError>;
}

/// The key by which a token is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKey {
    /// The token with this hash.
    Hash(TokenHash),
    /// The token with this id.
    Id(TokenId),
}

/// The filter for a list of tokens. Nobody sees those of another user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenFilter {
    /// Of this user.
    pub user_id: UserId,
}

/// The filter for a list of users; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Only this user.
    pub visible_to: Option<UserId>,
    /// Active or not.
    pub is_active: Option<bool>,
    /// Administrative or not.
    pub is_staff: Option<bool>,
    /// With this role.
    pub role: Option<Role>,
    /// With this external id; at most one has it.
    pub external_id: Option<ExternalId>,
    /// Matching [`User::search_text`](crate::model::User::search_text).
    pub search: Option<Search>,
}

/// The filter for a list of customers; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// Only this customer.
    pub visible_to: Option<CustomerId>,
    /// The customer that belongs to this user.
    pub user_id: Option<UserId>,
    /// With this external id; at most one has it.
    pub external_id: Option<ExternalId>,
}
