//! Customers and their cards, which share one version.
//!
//! Rule 5.6.

use std::sync::Arc;

use chrono::NaiveDate;

use super::build::*;
use super::commit::written;
use super::commits::Commits as _;
use super::world::World;
use crate::decision::RowChange;
use crate::gateway::CardToken;
use crate::id::{Stored, Version};
use crate::model::*;
use crate::repository::*;
use crate::wallet::{CardChange, DefaultCard, Wallet, WalletChange};

pub async fn every_field_of_a_card_is_kept(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let customer = world.customer().await;
    let made = CreditCard {
        brand: CardBrand::Unionpay,
        last4: "0007".into(),
        exp_month: 1,
        exp_year: 2027,
        holder_name: "Ада".into(),
        is_default: true,
        token: CardToken::new("tok_secret".into()),
        created_at: at(1),
        ..credit_card(customer)
    };
    let id = world.card_of(made.clone()).await;
    let key = WalletKey::Card(id);
    let read = world.store.load_wallet(key).await.unwrap().unwrap();
    let card = Some(Stored { id, value: made });
    assert_eq!(read.value, Wallet { customer_id: customer, card, newest_other: None, default_other: None });
    assert_eq!(read.version, Version::FIRST.next());

    let value = CreditCard { exp_month: 2, exp_year: 2031, ..credit_card(customer) };
    let card = CardChange::Update(id, value.clone());
    let change = WalletChange { customer_id: customer, expected: read.version, card, others: DefaultCard::Keep };
    assert_eq!(world.store.commit_wallet(&change, None).await.unwrap(), id);
    assert_eq!(world.list_cards(&CardFilter::default()).await, [Stored { id, value }]);
}

pub async fn a_customer_and_its_cards_share_a_version(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let account = world.account(Role::Customer).await;
    let id = account.customer_id.unwrap();
    let read = world.store.find_customer(id).await.unwrap().unwrap();
    let made = Customer {
        user_id: account.user.id,
        profile: Profile::default(),
        created_at: base(),
        annotations: Annotations::default(),
    };
    assert_eq!((read.version, &**read), (Version::FIRST, &made));

    let profile = Profile { job: "Pilot".into(), dob: NaiveDate::from_ymd_opt(1900, 2, 28), notes: "n\n".into() };
    let value = Customer { profile, ..made };
    let change = RowChange::Update { id, expected: read.version, value: value.clone() };
    assert_eq!(world.store.commit_customer(&change).await.unwrap(), id);
    assert_eq!(world.store.find_customer(id).await.unwrap(), Some(written(2, id, value.clone())));
    assert_eq!(world.wallet(id).await.version, Version(2));

    world.card(id).await;
    assert_eq!(world.store.find_customer(id).await.unwrap().unwrap().version, Version(3));
    assert_eq!(world.wallet(id).await.version, Version(3));
    world.assert_conflict(world.store.commit_customer(&change)).await;
    assert_eq!(world.load_account(account.user.id).await.version, Version::FIRST, "the user's version is a different one");
}

pub async fn deleting_the_default_card_makes_another_one_the_default(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let customer = world.customer().await;
    let default = CreditCard { is_default: true, ..credit_card(customer) };
    let (one, two) = (world.card_of(default.clone()).await, world.card(customer).await);
    let three = world.card(customer).await;
    let loaded = world.store.load_wallet(WalletKey::Card(one)).await.unwrap().unwrap();
    assert_eq!((loaded.newest_other, loaded.default_other), (Some(three), None));
    let whole = Wallet { customer_id: customer, card: None, newest_other: Some(three), default_other: Some(one) };
    assert_eq!(world.wallet(customer).await.value, whole);
    assert_eq!(world.store.load_wallet(WalletKey::Card(two)).await.unwrap().unwrap().default_other, Some(one));

    let gone = CreditCard { is_default: false, deleted_at: Some(at(1)), ..default };
    let card = CardChange::Update(one, gone);
    let change = WalletChange { customer_id: customer, expected: loaded.version, card, others: DefaultCard::Becomes(three) };
    assert_eq!(world.store.commit_wallet(&change, None).await.unwrap(), one);
    assert_eq!(world.store.load_wallet(WalletKey::Card(one)).await.unwrap(), None);
    let cards = world.list_cards(&CardFilter::default()).await;
    let left: Vec<_> = cards.iter().map(|card| (card.id, card.is_default)).collect();
    assert_eq!(left, [(three, true), (two, false)]);

    // A new default takes over from the old one.
    let card = CardChange::Create(CreditCard { is_default: true, ..credit_card(customer) });
    let expected = world.wallet(customer).await.version;
    let change = WalletChange { customer_id: customer, expected, card, others: DefaultCard::Clear };
    let four = world.store.commit_wallet(&change, None).await.unwrap();
    let cards = world.list_cards(&CardFilter::default()).await;
    let defaults: Vec<_> = cards.iter().filter(|card| card.is_default).map(|card| card.id).collect();
    assert_eq!(defaults, [four]);
}
