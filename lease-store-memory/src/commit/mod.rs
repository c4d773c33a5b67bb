//! Commits. Each is checked (its envelope, the rows that it expects, the guarantees, the next ids) and then applied, all under
//! one lock. Nothing can fail after the first write.

mod account;
mod card;
mod directory;
mod event;
mod idempotency;
mod trade;
mod vehicle;
mod webhook;

use lease_core::decision::RowChange;
use lease_core::id::{Entity, NewIds};
use lease_core::repository::{Change, Commit, Envelope, RepositoryError};

use crate::MemoryRepository;
use crate::state::State;

impl MemoryRepository {
    pub(crate) fn write_commit(&self, commit: &Commit) -> Result<NewIds, RepositoryError> {
        let Commit { envelope, change } = commit;
        let (ids, _) = self.state.write(
            |state| {
                state.check_envelope(envelope)?;
                let ids = state.check(change)?;
                Ok::<_, RepositoryError>((ids, state.events_of(commit, &ids)))
            },
            |state, (ids, events)| {
                state.apply(change, *ids);
                state.write_events(events, ids);
                state.claims.finish(envelope.claim, ids.primary());
            },
        )?;
        Ok(ids)
    }
}

impl State {
    fn check_envelope(&self, envelope: &Envelope) -> Result<(), RepositoryError> {
        self.claims.check(envelope.claim)?;
        self.accounts.check_actor(&envelope.actor)
    }

    /// The ids of the rows that the change creates, if nothing prevents it.
    fn check(&self, change: &Change) -> Result<NewIds, RepositoryError> {
        match change {
            Change::NewAccount(new) => self.check_new_account(new),
            Change::Account(change) => self.check_account(change),
            Change::Login(login) => self.check_login(login),
            Change::RevokeToken(_) | Change::Mail(_) => Ok(NewIds::default()),
            Change::CreateToken(token) => self.check_new_token(token),
            Change::Customer(change) => self.check_customer(change),
            Change::Wallet(change) => self.check_wallet(change),
            Change::RefusedCard(refused) => self.accounts.customers.require(refused.customer_id).map(|_| NewIds::default()),
            Change::Contact(change) => self.check_contact(change),
            Change::Lead(change) => self.check_lead(change),
            Change::Vehicle(change) => self.check_vehicle(change),
            Change::Service(change) => self.check_service(change),
            Change::FirstServices(services) => self.check_first_services(services),
            Change::OpenTrade(opening) => self.check_opening(opening),
            Change::Trade(change) => self.check_trade(change),
            Change::WebhookEndpoint(change) => self.check_endpoint(change),
            Change::WebhookDelivery(change) => self.check_delivery(change),
        }
    }

    /// Writes a change that has been checked.
    fn apply(&mut self, change: &Change, ids: NewIds) {
        match change {
            Change::NewAccount(new) => self.create_account(new, ids),
            Change::Account(change) => self.change_account(change, ids),
            Change::Login(login) => self.log_in(login, ids),
            Change::RevokeToken(revocation) => self.tokens.revoke(revocation),
            Change::CreateToken(token) => self.create_token(token, ids),
            Change::Customer(change) => self.change_customer(change),
            Change::Wallet(change) => self.change_wallet(change, ids),
            Change::RefusedCard(refused) => self.cards.refused.entry(refused.customer_id).or_default().push(refused.at),
            Change::Contact(change) => self.contacts.write(change, ids.contact),
            Change::Lead(change) => self.change_lead(change, ids),
            Change::Vehicle(change) => self.change_vehicle(change, ids),
            Change::Service(change) => self.services.write(change, ids.service),
            Change::FirstServices(services) => self.create_services(services),
            Change::OpenTrade(opening) => self.open(opening, ids),
            Change::Trade(change) => self.change_trade(change, ids),
            Change::WebhookEndpoint(change) => self.webhooks.write_endpoint(change, ids.webhook_endpoint),
            Change::WebhookDelivery(change) => self.change_delivery(change, ids),
            Change::Mail(mail) => drop(self.mails.queue(mail)),
        }
    }
}

/// Succeeds if everything that the change depends on is true.
const fn require(holds: bool) -> Result<(), RepositoryError> {
    if holds { Ok(()) } else { Err(RepositoryError::Conflict) }
}

/// The id of the row that a change is about, if the change creates it.
fn created<T: Entity>(change: &RowChange<T>, id: T::Id) -> Option<T::Id> {
    matches!(change, RowChange::Create(_)).then_some(id)
}
