//! Commits: the statement for each kind of change.

use lease_core::id::NewIds;
use lease_core::repository::{Change, Commit, RepositoryError};

use crate::database::Database;
use crate::{account, card, contact, lead, mail, service, trade, vehicle, webhook};

pub(crate) async fn commit(database: &Database, Commit { envelope, change }: &Commit) -> Result<NewIds, RepositoryError> {
    match change {
        Change::NewAccount(new) => account::commit::create(database, new, envelope).await,
        Change::Account(change) => account::commit::account(database, change, envelope).await,
        Change::Login(login) => account::commit::login(database, login, envelope).await,
        Change::RevokeToken(revocation) => account::commit::revoke_token(database, revocation, envelope).await,
        Change::CreateToken(token) => account::commit::create_token(database, token, envelope).await,
        Change::Customer(change) => account::commit::customer(database, change, envelope).await,
        Change::Wallet(change) => card::commit(database, change, envelope).await,
        Change::RefusedCard(refused) => card::refused(database, refused, envelope).await,
        Change::Contact(change) => contact::commit(database, change, envelope).await,
        Change::Lead(change) => lead::commit(database, change, envelope).await,
        Change::Vehicle(change) => vehicle::commit(database, change, envelope).await,
        Change::Service(change) => service::commit(database, change, envelope).await,
        Change::FirstServices(services) => service::create_first(database, services, envelope).await,
        Change::OpenTrade(opening) => trade::open::commit(database, opening, envelope).await,
        Change::Trade(change) => trade::commit::trade(database, change, envelope).await,
        Change::WebhookEndpoint(change) => webhook::endpoint::commit(database, change, envelope).await,
        Change::WebhookDelivery(change) => webhook::delivery::commit(database, change, envelope).await,
        Change::Mail(mail) => mail::commit(database, mail, envelope).await,
    }
}
