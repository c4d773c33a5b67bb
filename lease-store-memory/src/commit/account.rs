use chrono::{DateTime, Utc};
use lease_core::account::{AccountChange, CustomerChange, Login, NewAccount, Token};
use lease_core::decision::RowChange;
use lease_core::id::{CustomerId, NewIds, UserId};
use lease_core::model::{Annotations, Customer, Profile};
use lease_core::repository::{Guarantee, RepositoryError};

use super::require;
use crate::MemoryRepository;
use crate::index::{Kind, Term};
use crate::state::State;

impl State {
    /// Whether any row refers to a customer.
    pub(crate) fn customer_in_use(&self, id: CustomerId) -> bool {
        let (own, other) = (Term::id(Kind::Customer, id), Term::id(Kind::Counterparty, id));
        self.cards.rows.index.any(own)
            || self.contacts.index.any(own)
            || self.leads.index.any(own)
            || self.vehicles.rows.index.any(own)
            || self.trades.rows.index.any(own)
            || self.trades.rows.index.any(other)
            || self.proposals.rows.index.any(own)
            || self.invoices.rows.index.any(own)
            || self.payments.rows.index.any(own)
    }

    pub(super) fn check_new_account(&self, new: &NewAccount) -> Result<NewIds, RepositoryError> {
        let id = self.accounts.users.next_id()?;
        if new.only_first_superuser && self.accounts.another_superuser(id) {
            return Err(RepositoryError::Taken(Guarantee::FirstSuperuser));
        }
        self.accounts.names_free(&new.user, id)?;
        self.accounts.users.external_id_free(id, &new.user.annotations)?;
        let customer = new.profile.as_ref().map(|_| self.accounts.customers.next_id()).transpose()?;
        let token = new.token.as_ref().map(|_| self.tokens.rows.next_id()).transpose()?;
        Ok(NewIds { user: Some(id), token, customer, ..NewIds::default() })
    }

    pub(super) fn create_account(&mut self, new: &NewAccount, ids: NewIds) {
        let Some(user_id) = ids.user else { return };
        self.accounts.insert_user(user_id, new.user.clone());
        if let (Some(customer), Some(profile)) = (ids.customer, &new.profile) {
            self.accounts.insert_customer(customer, new_customer(user_id, profile, new.user.date_joined));
        }
        if let (Some(id), Some(token)) = (ids.token, new.first_token(user_id)) {
            self.tokens.insert(id, token);
        }
    }

    pub(super) fn check_account(&self, change: &AccountChange) -> Result<NewIds, RepositoryError> {
        self.accounts.users.expect(change.id, change.expected)?;
        let customer = self.check_customer_change(change.id, &change.customer)?;
        self.accounts.names_free(&change.user, change.id)?;
        self.accounts.users.external_id_free(change.id, &change.user.annotations)?;
        if change.needs_another_superuser && !self.accounts.another_superuser(change.id) {
            return Err(RepositoryError::Taken(Guarantee::ActiveSuperuser));
        }
        Ok(NewIds { customer, ..NewIds::default() })
    }

    /// The id of the customer that the change creates for a user.
    fn check_customer_change(&self, user: UserId, change: &CustomerChange) -> Result<Option<CustomerId>, RepositoryError> {
        let present = self.accounts.customer_of.get(&user).copied();
        match change {
            CustomerChange::Keep => Ok(None),
            CustomerChange::Create(..) => {
                require(present.is_none())?;
                self.accounts.customers.next_id().map(Some)
            }
            CustomerChange::Delete(id) => {
                require(present == Some(*id) && !self.customer_in_use(*id))?;
                Ok(None)
            }
        }
    }

    pub(super) fn change_account(&mut self, change: &AccountChange, ids: NewIds) {
        if let (Some(hash), Some(before)) = (&change.keep_token, self.accounts.users.get(change.id)) {
            self.tokens.carry_over(hash, change.id, before.value.token_epoch, change.user.token_epoch);
        }
        self.accounts.replace_user(change.id, change.user.clone());
        match (&change.customer, ids.customer) {
            (CustomerChange::Create(profile, created_at), Some(id)) => {
                self.accounts.insert_customer(id, new_customer(change.id, profile, *created_at));
            }
            (CustomerChange::Delete(id), _) => self.accounts.erase_customer(*id),
            _ => {}
        }
    }

    pub(super) fn check_login(&self, login: &Login) -> Result<NewIds, RepositoryError> {
        self.accounts.users.require(login.token.user_id)?;
        self.next_token()
    }

    pub(super) fn log_in(&mut self, login: &Login, ids: NewIds) {
        self.create_token(&login.token, ids);
        if let Some(row) = self.accounts.users.get_mut(login.token.user_id) {
            row.value.last_login = Some(login.at);
            if let Some(renewal) = login.renewal.as_ref().filter(|renewal| renewal.from == row.value.password) {
                row.value.password = renewal.to.clone();
            }
        }
    }

    pub(super) fn check_new_token(&self, token: &Token) -> Result<NewIds, RepositoryError> {
        require(self.accounts.users.require(token.user_id)?.value.token_epoch == token.epoch)?;
        self.next_token()
    }

    fn next_token(&self) -> Result<NewIds, RepositoryError> {
        Ok(NewIds { token: Some(self.tokens.rows.next_id()?), ..NewIds::default() })
    }

    pub(super) fn create_token(&mut self, token: &Token, ids: NewIds) {
        if let Some(id) = ids.token {
            self.tokens.insert(id, token.clone());
        }
    }

    pub(super) fn check_customer(&self, change: &RowChange<Customer>) -> Result<NewIds, RepositoryError> {
        let RowChange::Update { id, expected, value } = change else {
            return Err(RepositoryError::Internal("customers are created and deleted with their users".into()));
        };
        self.accounts.customers.expect(*id, *expected)?;
        self.accounts.customers.external_id_free(*id, &value.annotations)?;
        Ok(NewIds::default())
    }

    pub(super) fn change_customer(&mut self, change: &RowChange<Customer>) {
        self.accounts.customers.write(change, None);
    }
}

fn new_customer(user_id: UserId, profile: &Profile, created_at: DateTime<Utc>) -> Customer {
    Customer { user_id, profile: profile.clone(), created_at, annotations: Annotations::default() }
}

impl MemoryRepository {
    pub(crate) fn forget_expired_tokens(&self, now: DateTime<Utc>, limit: usize) -> Result<u64, RepositoryError> {
        let expired = self.state.write(
            |state| Ok::<_, RepositoryError>(state.tokens.expired(now, limit)),
            |state, expired| expired.iter().for_each(|id| state.tokens.remove(*id)),
        )?;
        Ok(expired.len() as u64)
    }
}
