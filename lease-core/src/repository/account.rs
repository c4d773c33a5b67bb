use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::RepositoryError;
use crate::account::{AccountSnapshot, Token, TokenHash};
use crate::id::{CustomerId, Stored, UserId, Versioned};
use crate::model::{Account, Customer, LoginName, Role};
use crate::page::{Page, PageRequest};
use crate::text::Search;

/// Users, customers and tokens. The version is the user's; customers have one of their own for changes of the [`Profile`](crate::model::Profile).
#[async_trait]
pub trait AccountRepository {
    /// The token of this hash and whose it is, good or not: core judges.
    async fn find_token(&self, hash: &TokenHash) -> Result<Option<(Token, Account)>, RepositoryError>;

    /// The account that this name logs in.
    async fn find_login(&self, name: &LoginName) -> Result<Option<Account>, RepositoryError>;

    /// What a decision about a user reads.
    async fn load_account(&self, id: UserId) -> Result<Option<Versioned<AccountSnapshot>>, RepositoryError>;

    /// Those of `names` that a user has, with the user.
    async fn taken_names(&self, names: &[LoginName]) -> Result<Vec<(LoginName, UserId)>, RepositoryError>;

    /// Forgets tokens that expired before `now`; at most `limit`. Returns how many.
    async fn purge_tokens(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;

    /// Lists users.
    async fn list_users(&self, filter: &UserFilter, page: PageRequest) -> Result<Page<Account>, RepositoryError>;

    /// One customer.
    async fn find_customer(&self, id: CustomerId) -> Result<Option<Versioned<Stored<Customer>>>, RepositoryError>;

    /// Lists customers.
    async fn list_customers(&self, filter: &CustomerFilter, page: PageRequest)
    -> Result<Page<Stored<Customer>>, RepositoryError>;
}

/// Which users to list; each condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Only this user.
    pub visible_to: Option<UserId>,
    /// Active or not.
    pub is_active: Option<bool>,
    /// Administrative or not.
    pub is_staff: Option<bool>,
    /// Of this role.
    pub role: Option<Role>,
    /// Matching [`User::search_text`](crate::model::User::search_text).
    pub search: Option<Search>,
}

/// Which customers to list; each condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// Only this customer.
    pub visible_to: Option<CustomerId>,
    /// The customer behind this user.
    pub user_id: Option<UserId>,
}
