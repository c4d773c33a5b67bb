//! Commits of every kind of change by the system, at the instant at which everything is created, so that a case states only the
//! change.

use async_trait::async_trait;

use super::build::{base, nobody};
use crate::account::{AccountChange, Login, NewAccount, Token, TokenHash, TokenRevocation};
use crate::catalog::{FirstServices, VehicleChange};
use crate::decision::RowChange;
use crate::directory::LeadChange;
use crate::event::{Audience, Event, EventType};
use crate::id::{
    ContactId, CreditCardId, CustomerId, Entity, LeadId, NewIds, ServiceId, Stored, TokenId, TradeId, VehicleId, Version,
    WebhookEndpointId,
};
use crate::lifecycle::{Opening, TradeChange, TradeChanges};
use crate::model::{Account, Contact, Customer, Service, Vehicle};
use crate::permission::Actor;
use crate::repository::{Change, Claim, Commit, Envelope, Guarantee, Repository, RepositoryError, TokenKey};
use crate::wallet::{CardChange, WalletChange};
use crate::webhook::WebhookEndpointChange;

/// The outcome of a commit.
type Outcome<T> = Result<T, RepositoryError>;

/// A commit of this change by the system.
pub(super) fn by_system(change: impl Into<Change>, claim: Option<Claim>) -> Commit {
    Commit::new(Envelope { claim, events: vec![a_fact()], ..Envelope::new(Actor::System, base()) }, change)
}

/// An event that comes with every commit, and must not be there if the commit is refused.
pub(super) fn a_fact() -> Event {
    Event::new(EventType::LeadUpdated, nobody::<LeadId>(), Audience::Staff)
}

/// One method for each kind of change, which calls [`Repository::commit`].
#[async_trait]
pub(super) trait Commits: Repository {
    async fn write(&self, change: Change, claim: Option<Claim>) -> Outcome<NewIds> {
        self.commit(&by_system(change, claim)).await
    }

    async fn create_account(&self, new: &NewAccount, claim: Option<Claim>) -> Outcome<Account> {
        let ids = self.write(new.clone().into(), claim).await?;
        let id = ids.user.expect("a new user has an id");
        Ok(Account { user: Stored { id, value: new.user.clone() }, customer_id: ids.customer })
    }

    async fn commit_account(&self, change: &AccountChange, claim: Option<Claim>) -> Outcome<Option<CustomerId>> {
        Ok(self.write(change.clone().into(), claim).await?.customer)
    }

    async fn commit_login(&self, login: &Login, claim: Option<Claim>) -> Outcome<TokenId> {
        Ok(self.write(login.clone().into(), claim).await?.token.expect("a new token has an id"))
    }

    async fn create_token(&self, token: &Token, claim: Option<Claim>) -> Outcome<TokenId> {
        Ok(self.write(token.clone().into(), claim).await?.token.expect("a new token has an id"))
    }

    async fn delete_token(&self, hash: &TokenHash, claim: Option<Claim>) -> Outcome<()> {
        // The token's own user; of a token that is not there, any.
        let user_id = self.find_token(TokenKey::Hash(*hash)).await?.map_or_else(nobody, |(token, _)| token.user_id);
        self.write(TokenRevocation { user_id, token: *hash }.into(), claim).await.map(drop)
    }

    async fn commit_customer(&self, change: &RowChange<Customer>) -> Outcome<CustomerId> {
        self.write(change.clone().into(), None).await.map(|_| target(change, None))
    }

    async fn commit_wallet(&self, change: &WalletChange, claim: Option<Claim>) -> Outcome<CreditCardId> {
        let created = self.write(change.clone().into(), claim).await?.credit_card;
        Ok(match &change.card {
            CardChange::Create(_) => created.expect("a new card has an id"),
            CardChange::Update(id, _) => *id,
        })
    }

    async fn commit_contact(&self, change: &RowChange<Contact>, claim: Option<Claim>) -> Outcome<ContactId> {
        self.write(change.clone().into(), claim).await.map(|ids| target(change, ids.contact))
    }

    async fn commit_lead(&self, change: &LeadChange, claim: Option<Claim>) -> Outcome<LeadId> {
        self.write(change.clone().into(), claim).await.map(|ids| target(&change.lead, ids.lead))
    }

    async fn commit_vehicle(&self, change: &RowChange<Vehicle>, claim: Option<Claim>) -> Outcome<VehicleId> {
        let written = self.write(VehicleChange::from(change.clone()).into(), claim).await;
        written.map(|ids| target(change, ids.vehicle))
    }

    async fn commit_service(&self, change: &RowChange<Service>, claim: Option<Claim>) -> Outcome<ServiceId> {
        self.write(change.clone().into(), claim).await.map(|ids| target(change, ids.service))
    }

    /// Returns whether any service was created.
    async fn seed_services(&self, services: &[Service]) -> Outcome<bool> {
        match self.write(FirstServices(services.to_vec()).into(), None).await {
            Err(RepositoryError::Taken(Guarantee::FirstServices)) => Ok(false),
            written => Ok(written?.service.is_some()),
        }
    }

    async fn open_trade(&self, opening: &Opening, claim: Option<Claim>) -> Outcome<TradeId> {
        Ok(self.write(opening.clone().into(), claim).await?.trade.expect("a new trade has an id"))
    }

    async fn commit_trade(
        &self,
        id: TradeId,
        expected: Version,
        changes: &TradeChanges,
        claim: Option<Claim>,
    ) -> Outcome<NewIds> {
        self.write(TradeChange { id, expected, changes: changes.clone() }.into(), claim).await
    }

    async fn commit_endpoint(&self, change: &WebhookEndpointChange, claim: Option<Claim>) -> Outcome<WebhookEndpointId> {
        self.write(change.clone().into(), claim).await.map(|ids| target(&change.endpoint, ids.webhook_endpoint))
    }
}

#[async_trait]
impl<R: Repository + ?Sized> Commits for R {}

/// The row that a change is about.
fn target<T: Entity>(change: &RowChange<T>, created: Option<T::Id>) -> T::Id {
    match change {
        RowChange::Create(_) => created.expect("a new row has an id"),
        RowChange::Update { id, .. } | RowChange::Delete { id, .. } => *id,
    }
}
