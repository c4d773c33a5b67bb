//! A commit is refused if its actor no longer has the same role. The command is then decided again for the role that they have
//! now.

use lease_core::account::AccountSnapshot;
use lease_core::directory::LeadDraft;
use lease_core::gateway::{CardToken, Tokenization};
use lease_core::id::UserId;
use lease_core::input::UpdateMode;
use lease_core::model::Role;
use lease_core::repository::{Guarantee, WalletKey};
use lease_core::wallet::Wallet;
use serde_json::json;

use super::payments::card_draft;
use super::*;

/// A store that refuses one commit because of its actor, and is asked once for this user. Any other call fails the test.
fn overtaken(user: UserId, now: Option<Versioned<AccountSnapshot>>) -> MockRepository {
    let mut store = MockRepository::new();
    refuse_commits(&mut store, 1, || RepositoryError::Taken(Guarantee::Actor));
    asked_once_for(&mut store, user, now);
    store
}

fn asked_once_for(store: &mut MockRepository, user: UserId, found: Option<Versioned<AccountSnapshot>>) {
    store.expect_load_account().withf(move |asked| *asked == user).times(1).returning(move |_| Ok(found.clone()));
}

/// The user of customer [`OWNER`], who now has this role.
fn owner_as(role: Role) -> Versioned<AccountSnapshot> {
    account_snapshot(OWNER, role)
}

fn deactivated(mut row: Versioned<AccountSnapshot>) -> Versioned<AccountSnapshot> {
    row.value.account.user.value.is_active = false;
    row
}

fn with_customer(mut row: Versioned<AccountSnapshot>, customer: Option<i64>) -> Versioned<AccountSnapshot> {
    row.value.account.customer_id = customer.map(id);
    row
}

/// Everything that ends the right to act as [`OWNER`].
fn owner_is_gone() -> [(&'static str, Option<Versioned<AccountSnapshot>>); 5] {
    [
        ("unknown", None),
        ("inactive", Some(deactivated(owner_as(Role::Customer)))),
        ("inactive and staff", Some(deactivated(owner_as(Role::Staff)))),
        ("without a customer", Some(with_customer(owner_as(Role::Customer), None))),
        ("another customer", Some(with_customer(owner_as(Role::Customer), Some(THIRD)))),
    ]
}

fn a_lead() -> LeadDraft {
    draft(json!({"first_name": "Grace"}))
}

#[tokio::test]
async fn a_deactivated_customer_is_not_authenticated_and_nothing_is_decided_again() {
    for (what, now) in owner_is_gone() {
        let mut store = overtaken(user_id(OWNER), now);
        store.expect_find_vehicle().times(1).returning(|_| Ok(None));
        let response = engine(store).create_vehicle(customer(OWNER), &a_vehicle()).await;
        assert_eq!(code(response), "not_authenticated", "{what}");
    }
}

#[tokio::test]
async fn a_deactivated_administrator_is_not_authenticated() {
    for actor in [staff(), superuser()] {
        let user = actor.user().unwrap();
        let number = user.get() - 100;
        let gone = [
            ("unknown", None),
            ("inactive staff", Some(deactivated(account_snapshot(number, Role::Staff)))),
            ("inactive superuser", Some(deactivated(account_snapshot(number, Role::Superuser)))),
            ("inactive customer", Some(deactivated(account_snapshot(number, Role::Customer)))),
        ];
        for (what, now) in gone {
            let response = engine(overtaken(user, now)).create_lead(actor, &a_lead()).await;
            assert_eq!(code(response), "not_authenticated", "{actor:?}: {what}");
        }
    }
}

/// The second decision refuses before it looks for the VIN again.
#[tokio::test(start_paused = true)]
async fn a_user_who_has_become_an_administrator_creates_no_vehicle() {
    for role in [Role::Staff, Role::Superuser] {
        let mut store = overtaken(user_id(OWNER), Some(owner_as(role)));
        store.expect_find_vehicle().times(1).returning(|_| Ok(None));
        let response = engine(store).create_vehicle(customer(OWNER), &a_vehicle()).await;
        assert_eq!(code(response), "permission_denied", "{role}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_is_no_longer_an_administrator_creates_no_lead() {
    let store = overtaken(id(201), Some(account_snapshot(101, Role::Customer)));
    assert_eq!(code(engine(store).create_lead(staff(), &a_lead()).await), "permission_denied");
}

/// Rule 3.5: only superusers change superusers.
#[tokio::test(start_paused = true)]
async fn a_superuser_who_has_become_staff_changes_no_superuser() {
    let mut store = overtaken(id(202), Some(account_snapshot(102, Role::Staff)));
    let another = || account_snapshot(50, Role::Superuser);
    store.expect_load_account().withf(|asked| *asked == user_id(50)).times(2).returning(move |_| Ok(Some(another())));
    let new = draft(json!({"first_name": "Eve"}));
    let response = engine(store).update_user(superuser(), user_id(50), &new, UpdateMode::Partial, None).await;
    assert_eq!(code(response), "permission_denied");
}

/// The same as after a change of role and back.
#[tokio::test(start_paused = true)]
async fn an_actor_with_the_same_role_is_decided_for_again() {
    let mut store = overtaken(user_id(OWNER), Some(owner_as(Role::Customer)));
    store.expect_find_vehicle().times(2).returning(|_| Ok(None));
    store.expect_commit().times(1).returning(|commit| {
        assert_eq!((commit.envelope.actor, commit.envelope.claim), (customer(OWNER), Some(CLAIM)));
        Ok(NewIds { vehicle: Some(id(4)), ..NewIds::default() })
    });
    let created = engine(store).create_vehicle(claimed(customer(OWNER)), &a_vehicle()).await.unwrap();
    assert_eq!((created.id.get(), created.customer_id), (4, id(OWNER)));
}

#[tokio::test(start_paused = true)]
async fn the_second_commit_is_by_the_actor_in_their_present_role() {
    let mut store = overtaken(id(201), Some(account_snapshot(101, Role::Superuser)));
    store.expect_commit().times(1).returning(|commit| {
        assert_eq!(commit.envelope.actor, Actor::Superuser { user: id(201) });
        Ok(NewIds { lead: Some(id(4)), ..NewIds::default() })
    });
    assert_eq!(code(engine(store).create_lead(staff(), &a_lead()).await), "ok");
}

/// A gateway that accepts one card.
fn tokenizing() -> MockPaymentGateway {
    let mut gateway = a_gateway();
    gateway.expect_tokenize().times(1).returning(|_| Ok(Tokenization::Accepted(CardToken::new("tok".into()))));
    gateway
}

/// The result of storing a card while its owner's customer is deleted.
async fn card_without_wallet(now: Option<Versioned<AccountSnapshot>>) -> &'static str {
    let mut store = MockRepository::new();
    never_declined(&mut store);
    store.expect_load_wallet().withf(|key| *key == WalletKey::Customer(id(OWNER))).times(1).returning(|_| Ok(None));
    asked_once_for(&mut store, user_id(OWNER), now);
    code(engine_with(store, tokenizing()).create_card(customer(OWNER), &card_draft()).await)
}

/// Rule 5.6: a user whose customer is gone has no cards; the error gives the reason.
#[tokio::test]
async fn a_card_whose_customer_is_gone_is_refused_by_the_present_role_of_its_owner() {
    for role in [Role::Staff, Role::Superuser] {
        assert_eq!(card_without_wallet(Some(owner_as(role))).await, "permission_denied", "{role}");
    }
    for (what, now) in owner_is_gone() {
        assert_eq!(card_without_wallet(now).await, "not_authenticated", "{what}");
    }
}

/// The same if the commit detects it: the cards are not loaded again.
#[tokio::test(start_paused = true)]
async fn a_user_who_has_become_an_administrator_stores_no_card() {
    let mut store = overtaken(user_id(OWNER), Some(owner_as(Role::Staff)));
    never_declined(&mut store);
    let wallet = first(Wallet { customer_id: id(OWNER), card: None, newest_other: None, default_other: None });
    store.expect_load_wallet().times(1).returning(move |_| Ok(Some(wallet.clone())));
    let response = engine_with(store, tokenizing()).create_card(customer(OWNER), &card_draft()).await;
    assert_eq!(code(response), "permission_denied");
}
