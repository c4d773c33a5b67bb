//! Commits: each is one transaction that checks its envelope, then what its change depends on, and then writes.

use async_trait::async_trait;
use lease_core::event::Event;
use lease_core::id::NewIds;
use lease_core::repository::{Change, Commit, Repository, RepositoryError};

use crate::SqliteRepository;
use crate::error::failure;
use crate::sql::Db;
use crate::{account, card, directory, event, idempotency, mail, service, trade, vehicle, webhook};

#[async_trait]
impl Repository for SqliteRepository {
    async fn commit(&self, commit: &Commit) -> Result<NewIds, RepositoryError> {
        let Commit { envelope, change } = commit;
        let mut db = self.writing().await?;
        idempotency::check(&mut db, envelope.claim).await?;
        account::check_actor(&mut db, &envelope.actor).await?;
        let mut events = envelope.events.clone();
        let ids = write(&mut db, change, &mut events).await?;
        event::write(&mut db, envelope, &events, &ids).await?;
        idempotency::finish(&mut db, envelope.claim, ids.primary()).await?;
        db.commit().await.map_err(failure)?;
        Ok(ids)
    }

    async fn ping(&self) -> Result<(), RepositoryError> {
        self.writing().await?.rollback().await.map_err(failure)
    }
}

/// Writes a change. Two kinds of change add to the events or take from them.
async fn write(db: &mut Db, change: &Change, events: &mut Vec<Event>) -> Result<NewIds, RepositoryError> {
    match change {
        Change::NewAccount(new) => account::create(db, new).await,
        Change::Account(change) => account::change(db, change).await,
        Change::Login(login) => account::log_in(db, login).await,
        Change::RevokeToken(revocation) => account::revoke_token(db, revocation, events).await,
        Change::CreateToken(token) => account::create_token(db, token).await,
        Change::Customer(change) => account::change_customer(db, change).await,
        Change::Wallet(change) => card::change(db, change).await,
        Change::RefusedCard(refused) => card::refuse(db, refused).await,
        Change::Contact(change) => directory::change_contact(db, change).await,
        Change::Lead(change) => directory::change_lead(db, change).await,
        Change::Vehicle(change) => vehicle::change(db, change).await,
        Change::Service(change) => service::change(db, change).await,
        Change::FirstServices(services) => service::create_first(db, services).await,
        Change::OpenTrade(opening) => trade::open(db, opening).await,
        Change::Trade(change) => trade::change(db, change, events).await,
        Change::WebhookEndpoint(change) => webhook::change_endpoint(db, change).await,
        Change::WebhookDelivery(change) => webhook::change_delivery(db, change).await,
        Change::Mail(mail) => mail::queue(db, mail).await.map(|_| NewIds::default()),
    }
}
