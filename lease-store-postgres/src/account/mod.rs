//! Users, customers and tokens.

mod commit;
mod list;
mod load;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::account::{Token, TokenHash};
use lease_core::id::{CustomerId, Stored, UserId, Versioned};
use lease_core::model::{Account, Customer, LoginName};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    AccountChange, AccountRepository, AccountSnapshot, Change, Claim, CustomerFilter, Login, NewUser, RepositoryError, UserFilter,
};

use crate::PostgresRepository;

#[async_trait]
impl AccountRepository for PostgresRepository {
    async fn find_token(&self, hash: &TokenHash) -> Result<Option<(Token, Account)>, RepositoryError> {
        load::token(&self.pool, hash).await
    }

    async fn find_login(&self, name: &LoginName) -> Result<Option<Account>, RepositoryError> {
        load::login(&self.pool, name).await
    }

    async fn load_account(&self, id: UserId) -> Result<Option<Versioned<AccountSnapshot>>, RepositoryError> {
        load::account(&self.pool, id).await
    }

    async fn taken_names(&self, names: &[LoginName]) -> Result<Vec<(LoginName, UserId)>, RepositoryError> {
        load::taken_names(&self.pool, names).await
    }

    async fn create_account(&self, new: &NewUser, claim: Option<Claim>) -> Result<Account, RepositoryError> {
        commit::create(&self.pool, new, claim).await
    }

    async fn commit_account(&self, change: &AccountChange, claim: Option<Claim>) -> Result<Option<CustomerId>, RepositoryError> {
        commit::account(&self.pool, change, claim).await
    }

    async fn commit_login(&self, login: &Login, claim: Option<Claim>) -> Result<(), RepositoryError> {
        commit::login(&self.pool, login, claim).await
    }

    async fn delete_token(&self, hash: &TokenHash, claim: Option<Claim>) -> Result<(), RepositoryError> {
        commit::delete_token(&self.pool, hash, claim).await
    }

    async fn purge_tokens(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        commit::purge_tokens(&self.pool, now, limit).await
    }

    async fn list_users(&self, filter: &UserFilter, page: PageRequest) -> Result<Page<Account>, RepositoryError> {
        list::users(&self.pool, filter, page).await
    }

    async fn find_customer(&self, id: CustomerId) -> Result<Option<Versioned<Stored<Customer>>>, RepositoryError> {
        load::customer(&self.pool, id).await
    }

    async fn commit_customer(&self, change: &Change<Customer>) -> Result<CustomerId, RepositoryError> {
        commit::customer(&self.pool, change).await
    }

    async fn list_customers(
        &self,
        filter: &CustomerFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Customer>>, RepositoryError> {
        list::customers(&self.pool, filter, page).await
    }
}
