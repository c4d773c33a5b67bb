//! The customers, with their cards and vehicles.

use chrono::{DateTime, Utc};
use lease_core::LeaseEngine;
use lease_core::account::{NewAccount, PasswordHash};
use lease_core::catalog::VehicleDraft;
use lease_core::id::{CreditCardId, VehicleId};
use lease_core::model::{Email, Profile, Role, User, Username};
use lease_core::permission::Actor;
use lease_core::repository::{Commit, Envelope, Repository as _};
use lease_core::wallet::CardDraft;
use lease_store_postgres::PostgresRepository;

/// A customer of this name.
pub(crate) async fn customer(store: &PostgresRepository, name: &str) -> Actor {
    let user = User {
        username: Username::parse(name).unwrap(),
        email: Email::parse(&format!("{name}@example.com")).unwrap(),
        first_name: name.to_owned(),
        last_name: name.to_owned(),
        password: PasswordHash::from_phc("none".to_owned()),
        is_active: true,
        role: Role::Customer,
        date_joined: DateTime::<Utc>::UNIX_EPOCH,
        last_login: None,
        token_epoch: 0,
    };
    let new = NewAccount { user, profile: Some(Profile::default()), token: None };
    let created = Commit::new(Envelope::new(Actor::System, DateTime::UNIX_EPOCH), new);
    let ids = store.commit(&created).await.unwrap();
    Actor::of_user(ids.user.unwrap(), Role::Customer, ids.customer)
}

/// A card of the customer that can be charged.
pub(crate) async fn card(engine: &LeaseEngine, owner: &Actor) -> CreditCardId {
    let card = CardDraft {
        number: "4242424242424242".into(),
        exp_month: 12.into(),
        exp_year: 2099.into(),
        holder_name: "Owner".into(),
        ..CardDraft::default()
    };
    engine.create_card(owner, &card).await.unwrap().id
}

/// A vehicle with a VIN that looks random and is different for every number.
pub(crate) async fn vehicle(engine: &LeaseEngine, owner: &Actor, number: u64) -> VehicleId {
    let vin = u128::from(number) * 61_803_398_874_989_487 % 100_000_000_000_000_003;
    let vehicle = VehicleDraft {
        vin: format!("{vin:017}").into(),
        make: "Honda".into(),
        model: "Accord".into(),
        year: 2003.into(),
        ..VehicleDraft::default()
    };
    engine.create_vehicle(owner, &vehicle).await.unwrap().id
}
