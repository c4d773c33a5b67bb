//! Registering and logging in.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Waker};

use lease_core::Error;
use lease_core::account::{NewAccount, NewCustomer, PasswordHasher, RegistrationDraft, Token, TokenText};
use lease_core::client::ClientNetwork;
use lease_core::clock::last_instant;
use lease_core::engine::LoginDraft;
use lease_core::id::NewIds;
use lease_core::input::UpdateMode;
use lease_core::model::{Account, LoginName, Role};
use lease_core::page::{Page, PageRequest};
use lease_core::policy::Policy;
use lease_core::repository::{Guarantee, MockRepository, RepositoryError, TokenFilter, TokenKey, UserFilter};
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
        let token = new.token.as_ref().unwrap();
        assert_eq!((token.hash, token.expires_at), (TokenText::from_random([0; 20]).hash(), at(30 * 86_400)));
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
            assert_eq!(new_account(commit).token.as_ref().unwrap().expires_at, last_instant());
            Ok(ids())
        });
        let builder = LeaseEngine::builder(Arc::new(store), Arc::new(a_gateway()))
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

/// Rule 3.2: nor does the time of a login tell a deactivated user, or a hash from a time of other costs, from an unknown name.
#[tokio::test]
async fn every_failed_login_costs_the_same() {
    let old = PasswordHasher::new(PasswordParams { memory_kib: 16, iterations: 1 }, NonZeroUsize::MIN).unwrap();
    let mut active = account(OWNER, Role::Customer);
    active.user.value.password = old.hash(None, &PASSWORD.into()).await.unwrap();
    let mut inactive = active.clone();
    inactive.user.value.is_active = false;
    let cases = [(None, "wrong"), (Some(active), "wrong"), (Some(inactive.clone()), "wrong"), (Some(inactive), PASSWORD)];
    for (found, password) in cases {
        let mut store = MockRepository::new();
        store.expect_find_login().returning(move |_| Ok(found.clone()));
        let engine = engine(store);
        let before = engine.password_hasher().blocks_computed();
        assert_eq!(code(engine.login(Actor::Anonymous, &login_draft("x", password)).await), "invalid_credentials");
        assert_eq!(engine.password_hasher().blocks_computed() - before, 64);
    }
}

/// Rule 3.7: a login writes a new hash of its password if the costs have changed since.
#[tokio::test]
async fn a_login_renews_a_hash_of_other_costs() {
    let old = PasswordHasher::new(PasswordParams { memory_kib: 16, iterations: 1 }, NonZeroUsize::MIN).unwrap();
    let stored = old.hash(None, &PASSWORD.into()).await.unwrap();
    let mut known = account(OWNER, Role::Customer);
    known.user.value.password = stored.clone();
    let mut store = MockRepository::new();
    store.expect_find_login().returning(move |_| Ok(Some(known.clone())));
    store.expect_commit().times(1).returning(move |commit| {
        let Change::Login(login) = &commit.change else { panic!("a login was expected, not {commit:?}") };
        let renewal = login.renewal.as_ref().unwrap();
        assert!(renewal.from == stored && renewal.to.expose().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        hides(login, &[renewal.from.expose(), renewal.to.expose()]);
        Ok(NewIds::default())
    });
    engine(store).login(Actor::Anonymous, &login_draft("x", PASSWORD)).await.unwrap();
}

/// Rule 3.7: a command that is decided several times checks its password each time, and hashes it once.
#[tokio::test(start_paused = true)]
async fn a_password_is_hashed_once_however_often_its_command_is_decided() {
    let mut store = MockRepository::new();
    store.expect_taken_names().times(2).returning(|_| Ok(Vec::new()));
    refuse_commits(&mut store, 1, || RepositoryError::Taken(Guarantee::LoginName));
    store.expect_commit().times(1).returning(|_| Ok(ids()));
    let engine_one = engine(store);
    let before = engine_one.password_hasher().blocks_computed();
    engine_one.register(Actor::Anonymous, &registration()).await.unwrap();
    assert_eq!(engine_one.password_hasher().blocks_computed() - before, 64);

    let mut store = MockRepository::new();
    store.expect_load_account().times(2).returning(|_| Ok(Some(account_snapshot(OWNER, Role::Customer))));
    refuse_commits(&mut store, 1, || RepositoryError::Conflict);
    store.expect_commit().times(1).returning(|_| Ok(NewIds::default()));
    let engine_two = engine(store);
    let before = engine_two.password_hasher().blocks_computed();
    let draft = draft(json!({"password": PASSWORD}));
    engine_two.update_user(customer(OWNER), user_id(OWNER), &draft, UpdateMode::Partial, None).await.unwrap();
    assert_eq!(engine_two.password_hasher().blocks_computed() - before, 64);
}

/// Rule 3.7: checking a password takes long, too, so it waits for its turn; a change without a password does not.
#[test]
fn checking_a_password_waits_for_its_turn() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let mut store = MockRepository::new();
        store.expect_taken_names().returning(|_| Ok(Vec::new()));
        store.expect_load_account().returning(|_| Ok(Some(account_snapshot(OWNER, Role::Customer))));
        store.expect_commit().returning(|_| Ok(NewIds::default()));
        let engine = engine(store);
        let (release, busy) = mpsc::channel::<()>();
        let keeper = tokio::task::spawn_blocking(move || busy.recv());
        let mut common = registration();
        common.password = "password".into();
        common.password2 = "password".into();
        let change = draft(json!({"password": "password"}));
        let new_user = draft(json!({"username": "eve", "email": "eve@example.com", "password": "password"}));
        {
            let (owner, clerk) = (customer(OWNER), staff());
            let mut registering = pin!(engine.register(Actor::Anonymous, &common));
            let mut changing = pin!(engine.update_user(owner, user_id(OWNER), &change, UpdateMode::Partial, None));
            let mut creating = pin!(engine.create_user(clerk, &new_user));
            let mut context = Context::from_waker(Waker::noop());
            assert!(registering.as_mut().poll(&mut context).is_pending());
            assert!(changing.as_mut().poll(&mut context).is_pending());
            assert!(creating.as_mut().poll(&mut context).is_pending());
            assert_eq!((engine.password_hasher().available_permits(), engine.password_hasher().waiting()), (0, 2));
        }
        let rename = draft(json!({"first_name": "Eve"}));
        engine.update_user(customer(OWNER), user_id(OWNER), &rename, UpdateMode::Partial, None).await.unwrap();
        release.send(()).unwrap();
        assert!(keeper.await.unwrap().is_ok());
        assert_eq!(wrong_fields(engine.register(Actor::Anonymous, &common).await), ["password"]);
    });
}

/// Rule 3.7: where too many wait, the next one is told to come again later.
#[test]
fn a_password_beyond_those_that_may_wait_is_unavailable() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let mut store = MockRepository::new();
        store.expect_find_login().returning(|_| Ok(None));
        let engine = engine(store);
        let (release, busy) = mpsc::channel::<()>();
        let keeper = tokio::task::spawn_blocking(move || busy.recv());
        let context = |last| {
            let address = std::net::IpAddr::from([10, 0, 0, last]);
            RequestContext::new(Actor::Anonymous).with_client(Some(ClientNetwork::of(address)))
        };
        let draft = login_draft("x", "wrong");
        let mut flood: Vec<_> = (0..65).map(|_| Box::pin(engine.login(context(1), &draft))).collect();
        let mut waker = Context::from_waker(Waker::noop());
        for login in &mut flood {
            assert!(login.as_mut().poll(&mut waker).is_pending());
        }
        assert_eq!(code(engine.login(context(1), &draft).await), "unavailable");
        assert_eq!(engine.password_hasher().refused(), 1);
        let mut other = pin!(engine.login(context(2), &draft));
        assert!(other.as_mut().poll(&mut waker).is_pending(), "another client has a place");
        drop(flood);
        release.send(()).unwrap();
        assert!(keeper.await.unwrap().is_ok());
        assert_eq!(code(other.await), "invalid_credentials");
    });
}

/// Rule 7.2: the superuser of the settings is made only where there is no active one.
#[tokio::test]
async fn the_first_superuser_is_made_once() {
    let superusers = |found: Vec<Account>| Ok(Page { items: found, next: None, previous: None });
    let is_asked = |filter: &UserFilter, _: &PageRequest| filter.role == Some(Role::Superuser) && filter.is_active == Some(true);
    let first = async |store| engine(store).ensure_first_superuser("root", "root@example.com", PASSWORD.into()).await;

    let mut store = MockRepository::new();
    store.expect_list_users().withf(is_asked).returning(move |_, _| superusers(vec![account(102, Role::Superuser)]));
    let bad = engine(store).ensure_first_superuser("", "nonsense", "1".into()).await;
    assert!(bad.unwrap().is_none(), "where there is one, the values do not matter");

    let mut store = MockRepository::new();
    store.expect_list_users().withf(is_asked).returning(move |_, _| superusers(Vec::new()));
    store.expect_taken_names().returning(|_| Ok(Vec::new()));
    store.expect_commit().times(1).returning(|commit| {
        let new = new_account(commit);
        assert!(new.only_first_superuser && new.user.role == Role::Superuser && commit.envelope.actor == Actor::System);
        Ok(NewIds { user: Some(user_id(OWNER)), ..NewIds::default() })
    });
    assert_eq!(first(store).await.unwrap().unwrap().user.role, Role::Superuser);

    // Another process comes first.
    let mut store = MockRepository::new();
    store.expect_list_users().times(1).returning(move |_, _| superusers(Vec::new()));
    store.expect_list_users().times(1).returning(move |_, _| superusers(vec![account(102, Role::Superuser)]));
    store.expect_taken_names().returning(|_| Ok(Vec::new()));
    refuse_commits(&mut store, 1, || RepositoryError::Taken(Guarantee::FirstSuperuser));
    assert!(first(store).await.unwrap().is_none());

    // Values that are wrong where they matter.
    let mut store = MockRepository::new();
    store.expect_list_users().returning(move |_, _| superusers(Vec::new()));
    store.expect_taken_names().returning(|_| Ok(vec![(LoginName::new("root"), id(9))]));
    assert_eq!(wrong_fields(first(store).await), ["username"]);
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
        store.expect_find_token().withf(move |asked| *asked == TokenKey::Hash(hash)).returning(move |_| {
            let token = Token { hash, expires_at, ..token(OWNER) };
            Ok(Some((stored(1, token), account(OWNER, Role::Customer))))
        });
        assert_eq!(code(engine(store).authenticate(&text).await), expected);
    }
}

/// Rule 3.3: a new token gets the epoch of the token in use as it is when the token is created. If all tokens are revoked at the
/// same time, the commit is refused, and then so is the command.
#[tokio::test(start_paused = true)]
async fn a_token_that_is_revoked_meanwhile_creates_no_other_one() {
    let found = |epoch| Ok(Some((stored(1, Token { epoch, ..token(OWNER) }), account(OWNER, Role::Customer))));
    for (later, expected) in [(7, "ok"), (6, "not_authenticated")] {
        let mut store = MockRepository::new();
        let in_use = token(OWNER).hash;
        store.expect_find_token().times(1).withf(move |asked| *asked == TokenKey::Hash(in_use)).returning(move |_| found(7));
        store.expect_find_token().times(1).returning(move |_| found(later));
        refuse_commits(&mut store, 1, || RepositoryError::Conflict);
        store.expect_commit().returning(|commit| {
            let Change::CreateToken(token) = &commit.change else { panic!("a token was expected, not {commit:?}") };
            assert_eq!((token.epoch, token.expires_at), (7, at(30 * 86_400)));
            Ok(NewIds { token: Some(id(5)), ..NewIds::default() })
        });
        let created = engine(store).create_token(&customer(OWNER), in_use, &draft(json!({"name": "Backup"}))).await;
        if let Ok(new) = &created {
            assert_eq!((new.token.id, new.token.hash), (id(5), new.text.hash()));
            hides(new, &[new.text.expose()]);
        }
        assert_eq!(code(created), expected);
    }
}

/// Rule 3.3: users see their own tokens, whatever their role.
#[tokio::test]
async fn everybody_lists_their_own_tokens() {
    for actor in [customer(OWNER), staff(), superuser()] {
        let mut store = MockRepository::new();
        let user_id = actor.user().unwrap();
        store
            .expect_list_tokens()
            .times(1)
            .withf(move |filter, _, at| *filter == TokenFilter { user_id } && *at == now())
            .returning(|_, _, _| Ok(Page { items: vec![stored(1, token(OWNER))], next: None, previous: None }));
        assert_eq!(engine(store).list_tokens(&actor, PageRequest::default()).await.unwrap().items.len(), 1);
    }
    let engine = engine(MockRepository::new());
    for actor in [Actor::Anonymous, Actor::System] {
        assert_eq!(code(engine.list_tokens(&actor, PageRequest::default()).await), "not_authenticated", "{actor:?}");
    }
    assert_eq!(code(engine.revoke_token(&Actor::Anonymous, id(1)).await), "not_authenticated");
}

/// Rule 3.8: another request makes the customer between the look-up and the decision.
#[tokio::test]
async fn a_customer_whom_another_request_has_just_made_is_the_one() {
    let page = |items| Page { items, next: None, previous: None };
    for (is_active, expected) in [(true, Ok(customer(BUYER))), (false, Err("not_authenticated"))] {
        let mut store = MockRepository::new();
        store.expect_list_users().times(1).returning(move |_, _| Ok(page(Vec::new())));
        store.expect_list_users().times(2).returning(move |_, _| {
            let mut made = account(BUYER, Role::Customer);
            made.user.value.is_active = is_active;
            Ok(page(vec![made]))
        });
        let draft = NewCustomer { external_id: "42".into(), ..NewCustomer::default() };
        let ensured = engine(store).ensure_customer(&draft).await;
        assert_eq!(ensured.map_err(|error| error.code()), expected);
    }
}
