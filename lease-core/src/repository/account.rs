use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Change, Claim, RepositoryError};
use crate::account::{Token, TokenHash};
use crate::id::{CustomerId, Stored, UserId, Version, Versioned};
use crate::model::{Account, Customer, LoginName, Profile, Role, User};
use crate::page::{Page, PageRequest};
use crate::text::Search;

/// Users, customers and tokens. The version is the user's; customers have one of their own for [`Profile`] changes.
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

    /// Makes a user, with a customer where there is a profile, and a token where one is asked for: all or nothing.
    async fn create_account(&self, new: &NewUser, claim: Option<Claim>) -> Result<Account, RepositoryError>;

    /// Changes a user, and makes or erases the customer behind it: all or nothing. Returns the customer that was made, if one was.
    /// Erasing a customer that something hangs on is a [`RepositoryError::Conflict`].
    async fn commit_account(&self, change: &AccountChange, claim: Option<Claim>) -> Result<Option<CustomerId>, RepositoryError>;

    /// Stores a login. Does not move the user's version: logins do not stand in each other's way.
    async fn commit_login(&self, login: &Login, claim: Option<Claim>) -> Result<(), RepositoryError>;

    /// Forgets a token. One that is not there is forgotten already.
    async fn delete_token(&self, hash: &TokenHash, claim: Option<Claim>) -> Result<(), RepositoryError>;

    /// Forgets tokens that expired before `now`; at most `limit`. Returns how many.
    async fn purge_tokens(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;

    /// Lists users.
    async fn list_users(&self, filter: &UserFilter, page: PageRequest) -> Result<Page<Account>, RepositoryError>;

    /// One customer.
    async fn find_customer(&self, id: CustomerId) -> Result<Option<Versioned<Stored<Customer>>>, RepositoryError>;

    /// Changes a customer's profile. Customers are made and erased with their users, so the change is always an update.
    async fn commit_customer(&self, change: &Change<Customer>) -> Result<CustomerId, RepositoryError>;

    /// Lists customers.
    async fn list_customers(&self, filter: &CustomerFilter, page: PageRequest)
    -> Result<Page<Stored<Customer>>, RepositoryError>;
}

/// What a decision about a user reads.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSnapshot {
    /// The user.
    pub account: Account,
    /// Whether anything hangs on its customer: a card, a contact, a lead converted to it, a vehicle, a trade, a proposal,
    /// an invoice, a payment. Deleted cards count.
    pub customer_in_use: bool,
    /// Whether another user is an active superuser.
    pub another_active_superuser: bool,
}

/// A user to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewUser {
    /// The user.
    pub user: User,
    /// The customer behind it, where it trades; made at the user's `date_joined`.
    pub profile: Option<Profile>,
    /// A first token, where one is handed out: its hash and when it expires. Its epoch is the user's.
    pub token: Option<(TokenHash, DateTime<Utc>)>,
}

/// A change to a user.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountChange {
    /// The user.
    pub id: UserId,
    /// The version that was decided on.
    pub expected: Version,
    /// What it says from here on; `last_login` excepted, which only logins write.
    pub user: User,
    /// What becomes of the customer behind it.
    pub customer: CustomerChange,
    /// A token of this user that is carried over from the user's present epoch to the new one; one of an older epoch was revoked
    /// and stays so.
    pub keep_token: Option<TokenHash>,
    /// Refuse with [`Guarantee::ActiveSuperuser`](super::Guarantee::ActiveSuperuser) unless another active superuser remains.
    pub needs_another_superuser: bool,
}

/// What becomes of the customer behind a user.
#[derive(Clone, Debug, PartialEq)]
pub enum CustomerChange {
    /// Nothing.
    Keep,
    /// It is made, at this instant.
    Create(Profile, DateTime<Utc>),
    /// It is erased, if nothing hangs on it.
    Erase(CustomerId),
}

/// A login that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The new token.
    pub token: Token,
    /// When: the user's `last_login` from here on.
    pub at: DateTime<Utc>,
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
    /// Matching [`User::search_text`].
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
