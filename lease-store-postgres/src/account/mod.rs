//! Users, customers and tokens.

pub(crate) mod commit;
mod list;
mod load;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::account::{AccountSnapshot, Token};
use lease_core::id::{CustomerId, Stored, UserId, Versioned};
use lease_core::model::{Account, Customer, LoginName};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{AccountRepository, CustomerFilter, RepositoryError, TokenFilter, TokenKey, UserFilter};

use crate::PostgresRepository;

#[async_trait]
impl AccountRepository for PostgresRepository {
    async fn find_token(&self, key: TokenKey) -> Result<Option<(Stored<Token>, Account)>, RepositoryError> {
        load::token(&self.accounts, key).await
    }

    async fn list_tokens(
        &self,
        filter: &TokenFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Token>>, RepositoryError> {
        list::tokens(&self.accounts, filter, page, now).await
    }

    async fn find_login(&self, name: &LoginName) -> Result<Option<Account>, RepositoryError> {
        load::login(&self.accounts, name).await
    }

    async fn load_account(&self, id: UserId) -> Result<Option<Versioned<AccountSnapshot>>, RepositoryError> {
        load::account(&self.accounts, id).await
    }

    async fn taken_names(&self, names: &[LoginName]) -> Result<Vec<(LoginName, UserId)>, RepositoryError> {
        load::taken_names(&self.accounts, names).await
    }

    async fn purge_tokens(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        commit::purge_tokens(&self.accounts, now, limit).await
    }

    async fn list_users(&self, filter: &UserFilter, page: PageRequest) -> Result<Page<Account>, RepositoryError> {
        list::users(&self.accounts, filter, page).await
    }

    async fn find_customer(&self, id: CustomerId) -> Result<Option<Versioned<Stored<Customer>>>, RepositoryError> {
        self.accounts.find_versioned(id).await
    }

    async fn list_customers(
        &self,
        filter: &CustomerFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Customer>>, RepositoryError> {
        list::customers(&self.accounts, filter, page).await
    }
}
