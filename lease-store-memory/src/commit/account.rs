use chrono::{DateTime, Utc};
use lease_core::account::{Token, TokenHash};
use lease_core::id::{CustomerId, Stored, UserId};
use lease_core::model::{Account, Customer};
use lease_core::repository::{AccountChange, Change, Claim, CustomerChange, Guarantee, Login, NewUser, RepositoryError};

use super::require;
use crate::MemoryRepository;
use crate::index::{Kind, Term};
use crate::state::State;

impl State {
    /// Whether anything hangs on a customer.
    pub(crate) fn customer_in_use(&self, id: CustomerId) -> bool {
        let (own, other) = (Term::id(Kind::Customer, id), Term::id(Kind::Counterparty, id));
        self.cards.rows.index.any(own)
            || self.contacts.index.any(own)
            || self.leads.index.any(own)
            || self.vehicles.rows.index.any(own)
            || self.trades.rows.index.any(own)
            || self.trades.rows.index.any(other)
            || self.proposals.rows.index.any(own)
            || self.invoices.index.any(own)
            || self.payments.rows.index.any(own)
    }

    /// The customer behind a user once the change is made.
    fn check_customer_change(&self, user: UserId, change: &CustomerChange) -> Result<Option<CustomerId>, RepositoryError> {
        let present = self.accounts.customer_of.get(&user).copied();
        match change {
            CustomerChange::Keep => Ok(present),
            CustomerChange::Create(..) => {
                require(present.is_none())?;
                self.accounts.customers.next_id().map(Some)
            }
            CustomerChange::Erase(id) => {
                require(present == Some(*id) && !self.customer_in_use(*id))?;
                Ok(None)
            }
        }
    }

    fn change_account(&mut self, change: &AccountChange, customer: Option<CustomerId>) {
        if let (Some(hash), Some(before)) = (&change.keep_token, self.accounts.users.get(change.id)) {
            self.tokens.carry_over(hash, change.id, before.value.token_epoch, change.user.token_epoch);
        }
        self.accounts.replace_user(change.id, change.user.clone());
        match (&change.customer, customer) {
            (CustomerChange::Create(profile, created_at), Some(id)) => {
                let customer = Customer { user_id: change.id, profile: profile.clone(), created_at: *created_at };
                self.accounts.insert_customer(id, customer);
            }
            (CustomerChange::Erase(id), _) => self.accounts.erase_customer(*id),
            _ => {}
        }
    }

    fn create_account(&mut self, new: &NewUser, id: UserId, customer: Option<CustomerId>) {
        self.accounts.insert_user(id, new.user.clone());
        if let (Some(customer), Some(profile)) = (customer, &new.profile) {
            let value = Customer { user_id: id, profile: profile.clone(), created_at: new.user.date_joined };
            self.accounts.insert_customer(customer, value);
        }
        if let Some((hash, expires_at)) = new.token {
            self.tokens.insert(Token { hash, user_id: id, epoch: new.user.token_epoch, expires_at });
        }
    }
}

impl MemoryRepository {
    pub(crate) fn write_new_account(&self, new: &NewUser, claim: Option<Claim>) -> Result<Account, RepositoryError> {
        let (id, customer_id) = self.state.write(
            |state| {
                state.claims.check(claim)?;
                let id = state.accounts.users.next_id()?;
                state.accounts.names_free(&new.user, id)?;
                let customer = new.profile.as_ref().map(|_| state.accounts.customers.next_id()).transpose()?;
                Ok::<_, RepositoryError>((id, customer))
            },
            |state, (id, customer)| {
                state.create_account(new, *id, *customer);
                state.claims.finish(claim, Some(id.get()));
            },
        )?;
        Ok(Account { user: Stored { id, value: new.user.clone() }, customer_id })
    }

    pub(crate) fn write_account(
        &self,
        change: &AccountChange,
        claim: Option<Claim>,
    ) -> Result<Option<CustomerId>, RepositoryError> {
        self.state.write(
            |state| {
                state.claims.check(claim)?;
                state.accounts.users.expect(change.id, change.expected)?;
                let customer = state.check_customer_change(change.id, &change.customer)?;
                state.accounts.names_free(&change.user, change.id)?;
                if change.needs_another_superuser && !state.accounts.another_superuser(change.id) {
                    return Err(RepositoryError::Taken(Guarantee::ActiveSuperuser));
                }
                Ok(customer)
            },
            |state, customer| {
                state.change_account(change, *customer);
                state.claims.finish(claim, None);
            },
        )
    }

    pub(crate) fn write_login(&self, login: &Login, claim: Option<Claim>) -> Result<(), RepositoryError> {
        let user = login.token.user_id;
        self.state.write(
            |state| {
                state.claims.check(claim)?;
                state.accounts.users.require(user).map(drop)
            },
            |state, ()| {
                state.tokens.insert(login.token.clone());
                if let Some(row) = state.accounts.users.get_mut(user) {
                    row.value.last_login = Some(login.at);
                }
                state.claims.finish(claim, None);
            },
        )
    }

    pub(crate) fn forget_token(&self, hash: &TokenHash, claim: Option<Claim>) -> Result<(), RepositoryError> {
        self.state.write(
            |state| state.claims.check(claim),
            |state, ()| {
                state.tokens.remove(hash);
                state.claims.finish(claim, None);
            },
        )
    }

    pub(crate) fn forget_expired_tokens(&self, now: DateTime<Utc>, limit: usize) -> Result<u64, RepositoryError> {
        let expired = self.state.write(
            |state| Ok::<_, RepositoryError>(state.tokens.expired(now, limit)),
            |state, expired| expired.iter().for_each(|hash| state.tokens.remove(hash)),
        )?;
        Ok(expired.len() as u64)
    }

    pub(crate) fn write_customer(&self, change: &Change<Customer>) -> Result<CustomerId, RepositoryError> {
        let Change::Update { id, expected, value } = change else {
            return Err(RepositoryError::Internal("customers are made and erased with their users".into()));
        };
        self.state.write(
            |state| {
                state.accounts.customers.expect(*id, *expected)?;
                Ok(*id)
            },
            |state, id| state.accounts.customers.replace(*id, value.clone()),
        )
    }
}
