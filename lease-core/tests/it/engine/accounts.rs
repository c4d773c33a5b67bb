//! Registering and logging in.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Waker};

use lease_core::Error;
use lease_core::account::{NewAccount, RegistrationDraft, TokenText};
use lease_core::clock::last_instant;
use lease_core::engine::LoginDraft;
use lease_core::id::NewIds;
use lease_core::model::{Account, LoginName, Role};
use lease_core::policy::Policy;
use lease_core::repository::{Guarantee, MockRepository, RepositoryError};
use secrecy::SecretString;
use serde_json::json;

use super::*;
use crate::secrets::hides;

pub(super) const PASSWORD: &str = "plum-Tractor-94-west";

pub(super) fn registration() -> RegistrationDraft {
    draft(json!({"username": "eve", "password": PASSWORD, "password2": PASSWORD, "email": "eve@example.com", "first_name": "Eve",
        "last_name": "Moneypenny"}))
}

pub(super) fn login_draft(name: &str, password: &str) -> LoginDraft {
    draft(json!({"username": name, "password": password}))
}

/// The new account that this commit creates.
fn new_account(commit: &Commit) -> &NewAccount {
    match &commit.change {
        Change::NewAccount(new) => new,
        other => panic!("a new account was expected, not {other:?}"),
    }
}

/// The ids that a store returns for [`new_account`].
fn ids() -> NewIds {
    NewIds { user: Some(user_id(OWNER)), customer: Some(id(OWNER)), ..NewIds::default() }
}

/// An account with the password [`PASSWORD`], hashed by an engine like those of these tests.
pub(super) async fn account_with_password() -> Account {
    let hasher = engine(MockRepository::new()).password_hasher().clone();
    let mut account = account(OWNER, Role::Customer);
    account.user.value.password = hasher.hash(None, &SecretString::from(PASSWORD)).await.unwrap();
    account
}

/// Rule 3.1: registering creates a user, a customer and a token in one commit.
#[tokio::test]
async fn registering_creates_everything_in_one_commit() {
    let mut store = MockRepository::new();
    store.expect_taken_names().times(1).returning(|asked| {
        assert_eq!(asked, [LoginName::new("eve"), LoginName::new("eve@example.com")]);
        Ok(Vec::new())
    });
    store.expect_commit().times(1).returning(|commit| {
        let new = new_account(commit);
        assert!(new.profile.is_some() && new.user.password.expose().starts_with("$argon2id$"));
        let (hash, expires_at) = new.token.unwrap();
        assert_eq!((hash, expires_at), (TokenText::from_random([0; 20]).hash(), at(30 * 86_400)));
        Ok(ids())
    });
    let registered = engine(store).register(Actor::Anonymous, &registration()).await.unwrap();
    hides(&registered, &[registered.token.expose(), registered.account.user.password.expose()]);
    assert_eq!(registered.token.expose(), "0".repeat(40));
    assert_eq!((registered.account.user.id, registered.account.customer_id), (user_id(OWNER), Some(id(OWNER))));
}

/// Chapter 1, rule 3.6: years have four digits; a token that would be valid for longer expires at the end of the year 9999.
#[tokio::test]
async fn a_token_ends_with_the_calendar_at_the_latest() {
    for token_ttl in [chrono::Duration::days(4_000_000), chrono::Duration::MAX] {
        let mut store = MockRepository::new();
        store.expect_taken_names().returning(|_| Ok(Vec::new()));
        store.expect_commit().times(1).returning(|commit| {
            assert_eq!(new_account(commit).token.unwrap().1, last_instant());
            Ok(ids())
        });
        let builder = LeaseEngine::builder(Arc::new(store))
            .clock(Arc::new(ManualClock::at(now())))
            .policy(Policy::default().with_token_ttl(token_ttl))
            .password_params(PasswordParams { memory_kib: 64, iterations: 1 });
        assert!(builder.build().unwrap().register(Actor::Anonymous, &registration()).await.is_ok());
    }
}

/// Rule 3.7: whoever loses a race for a name gets the same error as somebody who comes later.
#[tokio::test(start_paused = true)]
async fn a_name_lost_in_a_race_is_a_wrong_field() {
    let mut store = MockRepository::new();
    store.expect_taken_names().times(1).returning(|_| Ok(Vec::new()));
    store.expect_taken_names().times(1).returning(|_| Ok(vec![(LoginName::new("eve"), id(9))]));
    refuse_commits(&mut store, 1, || RepositoryError::Taken(Guarantee::LoginName));
    assert_eq!(wrong_fields(engine(store).register(Actor::Anonymous, &registration()).await), ["username"]);
}

#[tokio::test]
async fn registering_under_a_claim_that_was_lost_is_not_tried_again() {
    let mut store = MockRepository::new();
    store.expect_taken_names().returning(|_| Ok(Vec::new()));
    store.expect_commit().times(1).returning(|commit| {
        assert_eq!(commit.envelope.claim, Some(CLAIM));
        Err(RepositoryError::Taken(Guarantee::Claim))
    });
    assert_eq!(code(engine(store).register(claimed(Actor::Anonymous), &registration()).await), "idempotency_key_in_use");
}

/// Rule 3.5: the store checks again, and the decision reports it with its own error.
#[tokio::test(start_paused = true)]
async fn the_last_superuser_is_kept_through_a_race() {
    let row = |another: bool| {
        let mut row = account_snapshot(102, Role::Superuser);
        row.value.another_active_superuser = another;
        Ok(Some(row))
    };
    let mut store = MockRepository::new();
    store.expect_load_account().times(1).returning(move |_| row(true));
    store.expect_load_account().times(1).returning(move |_| row(false));
    store.expect_commit().times(1).returning(|commit| {
        assert!(matches!(&commit.change, Change::Account(change) if change.needs_another_superuser));
        Err(RepositoryError::Taken(Guarantee::ActiveSuperuser))
    });
    assert_eq!(code(engine(store).deactivate_user(&superuser(), id(202)).await), "last_superuser");
}

/// Rule 3.2: by name and by address; each login issues a token of its own, for the epoch in which the password was read.
#[tokio::test]
async fn the_right_password_gets_a_token() {
    let known = account_with_password().await;
    let mut store = MockRepository::new();
    store.expect_find_login().withf(|name| name.as_str() == "user-1@example.com").returning(move |_| Ok(Some(known.clone())));
    store.expect_commit().times(1).returning(|commit| {
        let Change::Login(login) = &commit.change else { panic!("a login was expected, not {commit:?}") };
        assert_eq!((login.token.epoch, login.token.expires_at, login.at), (7, at(30 * 86_400), now()));
        assert_eq!(login.token.hash, TokenText::from_random([0; 20]).hash());
        Ok(NewIds::default())
    });
    let session = engine(store).login(Actor::Anonymous, &login_draft(" USER-1@Example.com ", PASSWORD)).await.unwrap();
    assert_eq!((session.account.user.last_login, session.expires_at), (Some(now()), at(30 * 86_400)));
    hides(&session, &[session.token.expose(), session.account.user.password.expose()]);
}

/// Rule 3.2: a wrong name, a wrong password and a deactivated user get the same response.
#[tokio::test]
async fn every_failed_login_gets_the_same_response() {
    let known = account_with_password().await;
    let mut inactive = known.clone();
    inactive.user.value.is_active = false;
    let mut responses = Vec::new();
    for (found, password) in
        [(None, PASSWORD), (None, "the password of nobody"), (Some(known), "wrong"), (Some(inactive), PASSWORD)]
    {
        let mut store = MockRepository::new();
        store.expect_find_login().returning(move |_| Ok(found.clone()));
        let error = engine(store).login(Actor::Anonymous, &login_draft("x", password)).await.unwrap_err();
        assert!(matches!(error, Error::InvalidCredentials), "{error:?}");
        responses.push(error.to_string());
    }
    responses.dedup();
    assert_eq!(responses.len(), 1);
    let missing = engine(MockRepository::new()).login(Actor::Anonymous, &draft(json!({}))).await;
    assert_eq!(wrong_fields(missing), ["password", "username"]);
}

/// Rule 3.2: a login takes the same time in every case, since a password is always verified. The only thread that may hash is
/// kept busy, so a login that needs to verify can be seen to wait for it.
#[test]
fn a_login_verifies_a_password_whether_or_not_the_name_is_known() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    for is_known in [true, false] {
        runtime.block_on(async {
            let found = if is_known { Some(account_with_password().await) } else { None };
            let mut store = MockRepository::new();
            store.expect_find_login().returning(move |_| Ok(found.clone()));
            let engine = engine(store);
            let (release, busy) = mpsc::channel::<()>();
            let keeper = tokio::task::spawn_blocking(move || busy.recv());
            let draft = login_draft("x", "wrong");
            let mut login = pin!(engine.login(Actor::Anonymous, &draft));
            assert!(login.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert_eq!(engine.password_hasher().available_permits(), 0, "known: {is_known}");
            release.send(()).unwrap();
            assert!(keeper.await.unwrap().is_ok());
            assert_eq!(code(login.await), "invalid_credentials");
        });
    }
}

/// Rule 3.7: a caller that hangs up does not release its place while its password is still being hashed.
#[test]
fn hashing_is_bounded_even_where_callers_hang_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let engine = engine(MockRepository::new());
        let hasher = engine.password_hasher();
        assert_eq!(hasher.available_permits(), 1);
        let (release, busy) = mpsc::channel::<()>();
        let keeper = tokio::task::spawn_blocking(move || busy.recv());
        let password = SecretString::from(PASSWORD);
        {
            let mut hashing = pin!(hasher.hash(None, &password));
            assert!(hashing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert_eq!(hasher.available_permits(), 0, "the work outlives who asked for it");
        assert_eq!(hasher.waiting(), 0, "who has a place does not wait");
        {
            let mut second = pin!(hasher.hash(None, &password));
            assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert_eq!(hasher.waiting(), 1);
        }
        assert_eq!(hasher.waiting(), 0, "who hung up does not wait");
        release.send(()).unwrap();
        assert!(keeper.await.unwrap().is_ok());
        assert!(hasher.hash(None, &password).await.is_ok());
    });
}

/// Rule 3.6: a token is found by its hash and expires by the engine's clock.
#[tokio::test]
async fn a_token_is_found_by_its_hash_and_judged_by_the_clock() {
    let text = TokenText::from_random([5; 20]);
    let hash = text.hash();
    for (expires_at, expected) in [(now(), "not_authenticated"), (now() + tick(), "ok")] {
        let mut store = MockRepository::new();
        store.expect_find_token().withf(move |asked| *asked == hash).returning(move |_| {
            let token = lease_core::account::Token { hash, user_id: user_id(OWNER), epoch: 7, expires_at };
            Ok(Some((token, account(OWNER, Role::Customer))))
        });
        assert_eq!(code(engine(store).authenticate(&text).await), expected);
    }
}
