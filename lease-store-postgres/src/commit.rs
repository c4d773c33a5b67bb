//! Commits: one statement for each kind of change. Every statement calls the function `begin_commit` of the schema first (a change
//! of a user once its locks are taken), which refuses all of it if the envelope is not valid, and ends with `end_commit`, which
//! marks the claim as used.

use lease_core::id::{CustomerId, NewIds, UserId};
use lease_core::model::Role;
use lease_core::permission::Actor;
use lease_core::repository::{Change, Commit, Envelope, RepositoryError};
use serde_json::{Value, json};

use crate::statement::Database;
use crate::{account, card, contact, lead, service, trade, vehicle};

pub(crate) async fn commit(database: &Database, Commit { envelope, change }: &Commit) -> Result<NewIds, RepositoryError> {
    let envelope = &to_json(envelope);
    match change {
        Change::NewAccount(new) => account::commit::create(database, new, envelope).await,
        Change::Account(change) => account::commit::account(database, change, envelope).await,
        Change::Login(login) => account::commit::login(database, login, envelope).await,
        Change::RevokeToken(revocation) => account::commit::revoke_token(database, revocation, envelope).await,
        Change::Customer(change) => account::commit::customer(database, change, envelope).await,
        Change::Wallet(change) => card::commit(database, change, envelope).await,
        Change::Contact(change) => contact::commit(database, change, envelope).await,
        Change::Lead(change) => lead::commit(database, change, envelope).await,
        Change::Vehicle(change) => vehicle::commit(database, change, envelope).await,
        Change::Service(change) => service::commit(database, change, envelope).await,
        Change::FirstServices(services) => service::create_first(database, services, envelope).await,
        Change::OpenTrade(opening) => trade::open::commit(database, opening, envelope).await,
        Change::Trade(change) => trade::commit::trade(database, change, envelope).await,
    }
}

/// The envelope as the functions of the schema take it: the key and holder of the claim, and the user who acts, if there are any.
fn to_json(envelope: &Envelope) -> Value {
    let claim = envelope.claim.map(|claim| json!({ "key": hex::encode(claim.key.0), "holder": hex::encode(claim.holder) }));
    json!({ "claim": claim, "actor": acting_user(&envelope.actor) })
}

fn acting_user(actor: &Actor) -> Option<Value> {
    let user = |user: UserId, role: Role, customer: Option<CustomerId>| {
        let role: &str = role.into();
        Some(json!({ "user_id": user.get(), "role": role, "customer_id": customer.map(CustomerId::get) }))
    };
    match *actor {
        Actor::Customer { user: id, customer } => user(id, Role::Customer, Some(customer)),
        Actor::Staff { user: id } => user(id, Role::Staff, None),
        Actor::Superuser { user: id } => user(id, Role::Superuser, None),
        Actor::Anonymous | Actor::System | Actor::Gateway => None,
    }
}
