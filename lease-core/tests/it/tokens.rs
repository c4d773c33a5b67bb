//! A user's own tokens: rules 3.3 and 3.6.

use chrono::Duration;
use lease_core::Error;
use lease_core::account::{
    Session, Token, TokenDraft, TokenHash, TokenRevocation, TokenText, TokenUse, create_token, log_in, revoke_listed_token,
    revoke_token,
};
use lease_core::clock::last_instant;
use lease_core::decision::Decision;
use lease_core::model::Role;
use lease_core::permission::Actor;
use serde_json::{Value, json};

use crate::support::*;

const TTL: Duration = Duration::days(30);

fn session_of(actor: Actor, of: i64) -> Session {
    Session { actor, token: stored(1, token(of)) }
}

fn created_by(actor: &Actor, json: Value) -> Result<Decision<Token>, Error> {
    let session = session_of(customer(OWNER), OWNER);
    create_token(&session, actor, &draft::<TokenDraft>(json), TokenHash([9; 32]), TTL, now())
}

fn created(json: Value) -> Result<Decision<Token>, Error> {
    created_by(&customer(OWNER), json)
}

/// Rule 3.3: a token has a name, and lives for as many days as are asked for, or for as long as that of a login.
#[test]
fn a_token_is_created_with_a_name_and_an_end() {
    let token = created(json!({"name": "  Backup \u{410}\u{434}\u{430} ", "expires_in_days": 365})).unwrap().changes;
    let expected = Token {
        hash: TokenHash([9; 32]),
        user_id: user_id(OWNER),
        name: "Backup \u{410}\u{434}\u{430}".into(),
        epoch: 7,
        created_at: now(),
        expires_at: now() + Duration::days(365),
    };
    assert_eq!(token, expected);
    for json in [json!({"name": "x"}), json!({"name": "x", "expires_in_days": null})] {
        assert_eq!(created(json).unwrap().expires_at, now() + TTL);
    }
    for days in [1, 3_650] {
        let token = created(json!({"name": "x", "expires_in_days": days})).unwrap();
        assert_eq!(token.expires_at, now() + Duration::days(days));
    }
}

/// Rules 3.3, 1.5: which names and numbers of days are refused.
#[test]
fn every_wrong_field_of_a_token_is_named_at_once() {
    for days in [json!(0), json!(-1), json!(3_651), json!(1.5), json!("30"), json!(true)] {
        assert_eq!(wrong_fields(created(json!({"name": "x", "expires_in_days": days}))), ["expires_in_days"], "{days}");
    }
    for name in [json!(null), json!(" "), json!("a\nb"), json!("x".repeat(151)), json!(7)] {
        assert_eq!(wrong_fields(created(json!({"name": name}))), ["name"], "{name}");
    }
    assert!(created(json!({"name": "x".repeat(150)})).is_ok());
    assert_eq!(wrong_fields(created(json!({"expires_in_days": 0}))), ["expires_in_days", "name"]);
}

/// Rule 1.2: a token that would expire after the end of the calendar expires then.
#[test]
fn no_token_outlives_the_calendar() {
    let late = last_instant() - Duration::days(1);
    let session = session_of(customer(OWNER), OWNER);
    let asked = draft::<TokenDraft>(json!({"name": "x", "expires_in_days": 2}));
    let token = create_token(&session, &customer(OWNER), &asked, TokenHash([9; 32]), TTL, late).unwrap();
    assert_eq!(token.expires_at, last_instant());
}

/// Rule 3.3: everybody who is logged in creates tokens for themselves, and nobody for another.
#[test]
fn a_token_is_created_by_its_own_user() {
    let cases = [
        (Actor::Anonymous, "not_authenticated"),
        (customer(OWNER), "ok"),
        (customer(BUYER), "not_authenticated"),
        (staff(), "not_authenticated"),
        (Actor::System, "not_authenticated"),
        (Actor::Gateway, "permission_denied"),
    ];
    for (actor, expected) in cases {
        assert_eq!(code(created_by(&actor, json!({"name": "x"}))), expected, "{actor:?}");
        if expected != "ok" {
            assert_eq!(code(created_by(&actor, json!({}))), expected, "before the fields");
        }
    }
    for actor in [staff(), superuser()] {
        let own = Token { user_id: actor.user().unwrap(), ..token(OWNER) };
        let session = Session { actor, token: stored(1, own) };
        let asked = draft::<TokenDraft>(json!({"name": "x"}));
        let made = create_token(&session, &actor, &asked, TokenHash([9; 32]), TTL, now()).unwrap();
        assert_eq!(Some(made.user_id), actor.user());
    }
}

/// Rule 3.3: the tokens of logins are called so.
#[test]
fn the_token_of_a_login_has_a_name() {
    let login = log_in(&account(OWNER, Role::Customer), TokenHash([9; 32]), TokenUse::Api, at(60), None, now());
    let expected = Token { hash: TokenHash([9; 32]), name: "login".into(), created_at: now(), ..token(OWNER) };
    assert_eq!(login.token, expected);
}

/// Chapter 10: a cookie of the console is no token of the API, nor the other way round.
#[test]
fn a_token_for_one_use_is_none_for_another() {
    let text = TokenText::from_random([7; 20]);
    assert_eq!(text.hash(), text.hash_for(TokenUse::Api));
    assert_ne!(text.hash_for(TokenUse::Console), text.hash());
    let login = log_in(&account(OWNER, Role::Staff), TokenHash([9; 32]), TokenUse::Console, at(60), None, now());
    assert_eq!(login.token.name, "console");
}

/// Rule 3.3: users revoke their own tokens; those of others do not exist for them, also if they administer.
#[test]
fn a_token_is_revoked_by_its_own_user() {
    let stored_token = stored(5, token(OWNER));
    let found = Some((stored_token.clone(), account(OWNER, Role::Customer)));
    let cases = [
        (Actor::Anonymous, "not_authenticated"),
        (customer(OWNER), "ok"),
        (customer(BUYER), "not_found"),
        (staff(), "not_found"),
        (superuser(), "not_found"),
        (Actor::System, "not_found"),
    ];
    for (actor, expected) in cases {
        assert_eq!(code(revoke_token(&stored_token, &actor)), expected, "{actor:?}");
        assert_eq!(code(revoke_listed_token(found.as_ref(), &actor, now())), expected, "{actor:?}");
    }
    let revocation = revoke_listed_token(found.as_ref(), &customer(OWNER), now()).unwrap().changes;
    assert_eq!(revocation, TokenRevocation { user_id: user_id(OWNER), token: TokenHash([1; 32]) });
}

/// Rules 3.3, 2.2: a token that the list does not show cannot be revoked.
#[test]
fn a_token_that_is_over_is_not_found() {
    let revoked = |change: fn(&mut Token)| {
        let mut token = token(OWNER);
        change(&mut token);
        let found = (stored(5, token), account(OWNER, Role::Customer));
        code(revoke_listed_token(Some(&found), &customer(OWNER), now()))
    };
    assert_eq!(revoked(|token| token.expires_at = now() + tick()), "ok");
    assert_eq!(revoked(|token| token.expires_at = now()), "not_found");
    assert_eq!(revoked(|token| token.epoch = 6), "not_found");
    assert_eq!(code(revoke_listed_token(None, &customer(OWNER), now())), "not_found");
}
