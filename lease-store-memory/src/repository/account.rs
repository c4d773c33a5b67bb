use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::account::{AccountSnapshot, Token};
use lease_core::id::{CustomerId, Stored, UserId, Versioned};
use lease_core::model::{Account, Customer, LoginName, Role, User};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{AccountRepository, CustomerFilter, RepositoryError, TokenFilter, TokenKey, UserFilter};

use crate::MemoryRepository;
use crate::index::Term;
use crate::state::{Annotated as _, State, called, role, token_of};
use crate::walk::Query;

#[async_trait]
impl AccountRepository for MemoryRepository {
    async fn find_token(&self, key: TokenKey) -> Result<Option<(Stored<Token>, Account)>, RepositoryError> {
        Ok(self.state.read(|state| {
            let id = match key {
                TokenKey::Hash(hash) => state.tokens.id_of(&hash)?,
                TokenKey::Id(id) => id,
            };
            let token = state.tokens.rows.stored(id)?;
            let account = state.accounts.account(token.user_id)?;
            Some((token, account))
        }))
    }

    async fn list_tokens(
        &self,
        filter: &TokenFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Token>>, RepositoryError> {
        Ok(self.state.read(|state| state.live_tokens(filter.user_id, page, now)))
    }

    async fn find_login(&self, name: &LoginName) -> Result<Option<Account>, RepositoryError> {
        Ok(self.state.read(|state| state.accounts.account(*state.accounts.by_name.get(name)?)))
    }

    async fn load_account(&self, id: UserId) -> Result<Option<Versioned<AccountSnapshot>>, RepositoryError> {
        Ok(self.state.read(|state| state.account_snapshot(id)))
    }

    async fn taken_names(&self, names: &[LoginName]) -> Result<Vec<(LoginName, UserId)>, RepositoryError> {
        let taken = |state: &State| {
            let owner = |name: &LoginName| state.accounts.by_name.get(name).map(|user| (name.clone(), *user));
            names.iter().filter_map(owner).collect()
        };
        Ok(self.state.read(taken))
    }

    async fn purge_tokens(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        self.forget_expired_tokens(now, limit as usize)
    }

    async fn list_users(&self, filter: &UserFilter, page: PageRequest) -> Result<Page<Account>, RepositoryError> {
        Ok(self.state.read(|state| state.users(filter, page)))
    }

    async fn find_customer(&self, id: CustomerId) -> Result<Option<Versioned<Stored<Customer>>>, RepositoryError> {
        Ok(self.state.read(|state| state.accounts.customers.versioned(id)))
    }

    async fn list_customers(
        &self,
        filter: &CustomerFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Customer>>, RepositoryError> {
        Ok(self.state.read(|state| state.customers(filter, page)))
    }
}

impl State {
    fn account_snapshot(&self, id: UserId) -> Option<Versioned<AccountSnapshot>> {
        let version = self.accounts.users.get(id)?.version;
        let account = self.accounts.account(id)?;
        let customer_in_use = account.customer_id.is_some_and(|customer| self.customer_in_use(customer));
        let another_active_superuser = self.accounts.another_superuser(id);
        Some(Versioned { version, value: AccountSnapshot { account, customer_in_use, another_active_superuser } })
    }

    fn live_tokens(&self, user: UserId, page: PageRequest, now: DateTime<Utc>) -> Page<Stored<Token>> {
        let owner = self.accounts.users.get(user);
        let is_live = |token: &Token| owner.is_some_and(|user| token.is_live(&user.value, now));
        self.tokens.rows.list(Query::default().and(Some(token_of(user))), page, |_, row| is_live(&row.value))
    }

    fn users(&self, filter: &UserFilter, page: PageRequest) -> Page<Account> {
        let external_id = filter.external_id.as_ref();
        let mut query = Query::default()
            .and(filter.is_active.map(Term::flag))
            .and(filter.role.map(role))
            .and(external_id.map(called))
            .and_search(filter.search.as_ref());
        if let Some(is_staff) = filter.is_staff {
            let roles = [Role::Customer, Role::Staff, Role::Superuser];
            query = query.and_any(roles.into_iter().filter(|role| role.is_staff() == is_staff).map(role));
        }
        if let Some(user) = filter.visible_to {
            query = query.and_row(Some(user));
        }
        let matches = |user: &User| {
            user.is_called(external_id) && filter.search.as_ref().is_none_or(|search| search.matches(&user.search_text()))
        };
        let users = self.accounts.users.list(query, page, |_, row| matches(&row.value));
        users.map(|user| self.accounts.with_customer(user))
    }

    fn customers(&self, filter: &CustomerFilter, page: PageRequest) -> Page<Stored<Customer>> {
        let external_id = filter.external_id.as_ref();
        let mut query = Query::default().and(external_id.map(called));
        if let Some(customer) = filter.visible_to {
            query = query.and_row(Some(customer));
        }
        if let Some(user) = filter.user_id {
            query = query.and_row(self.accounts.customer_of.get(&user).copied());
        }
        self.accounts.customers.list(query, page, |_, row| row.value.is_called(external_id))
    }
}
