//! Links that are mailed, new passwords and confirmed addresses: rules 9.3 and 9.4.

use chrono::TimeDelta;
use lease_core::account::{
    AccountSnapshot, CurrentPassword, LinkToken, NewLink, PasswordHash, Presented, account_to_reset, add_link,
    check_password_change, check_password_reset, check_update, choose_notices, confirm_email,
};
use lease_core::id::Versioned;
use lease_core::input::UpdateMode;
use lease_core::model::{LinkPurpose, Role, User};
use lease_core::permission::Actor;
use serde_json::{Value, json};

use crate::support::*;

const GOOD: &str = "plum-Tractor-94-west";

fn token(number: u8) -> LinkToken {
    LinkToken::from_random(user_id(OWNER), [number; 32])
}

/// A customer who was mailed this link now.
fn mailed(purpose: LinkPurpose, token: &LinkToken) -> Versioned<AccountSnapshot> {
    with_link(account_snapshot(OWNER, Role::Customer), purpose, token)
}

fn with_link(mut row: Versioned<AccountSnapshot>, purpose: LinkPurpose, token: &LinkToken) -> Versioned<AccountSnapshot> {
    let link = NewLink { purpose, hash: token.hash(), mail: id(1), address: "user-1@example.com" };
    row.account.user.value = add_link(&row, link, now()).unwrap().changes.user;
    row
}

fn new_password() -> Value {
    json!({"token": "-", "password": GOOD, "password2": GOOD})
}

fn reset_at(row: &Versioned<AccountSnapshot>, token: &LinkToken, seconds: i64) -> &'static str {
    code(account_to_reset(Some(row.clone()), token, now() + TimeDelta::seconds(seconds)))
}

/// Rule 9.3: the link is good for an hour, once, and shows nobody its token.
#[test]
fn a_password_is_reset_by_a_link_within_an_hour() {
    let (row, link) = (mailed(LinkPurpose::PasswordReset, &token(1)), token(1));
    assert_eq!(reset_at(&row, &link, 3_599), "ok");
    assert_eq!(reset_at(&row, &link, 3_600), "validation_error");
    assert_eq!(reset_at(&row, &token(2), 0), "validation_error");
    assert_eq!(reset_at(&account_snapshot(OWNER, Role::Customer), &link, 0), "validation_error");
    assert_eq!(wrong_fields(account_to_reset(None, &link, now())), ["token"]);

    let checked = check_password_reset(&row, &draft(new_password())).unwrap();
    let decision = checked.into_decision(Some(PasswordHash::from_phc("new".into())));
    assert_eq!(names(&decision.events), ["user.password_changed", "token.revoked"]);
    assert_eq!(decision.user.links, []);
    assert_eq!(decision.user.token_epoch, row.account.user.token_epoch + 1);
    assert_eq!(decision.keep_token, None, "nobody is logged in by it, or stays so");
    let by = decision.events[0].actor.and_then(lease_core::event::EventActor::user_id);
    assert_eq!(by, Some(user_id(OWNER)));
    assert!(!format!("{row:?} {link:?}").contains("0101"));
}

/// Rule 9.3: a new password, however it was set, ends the links to set one; one for a deactivated user is not good.
#[test]
fn a_link_is_good_until_the_password_changes() {
    let row = mailed(LinkPurpose::PasswordReset, &token(1));
    let presented = Presented::default();
    let json = draft(json!({"password": GOOD}));
    let changed = check_update(&row, &customer(OWNER), &json, UpdateMode::Partial, &free(), presented, now()).unwrap();
    assert_eq!(changed.into_decision(Some(PasswordHash::from_phc("new".into()))).user.links, []);

    let mut inactive = row;
    inactive.account.user.is_active = false;
    assert_eq!(reset_at(&inactive, &token(1), 0), "validation_error");
}

/// Rule 9.3: what is refused as a password is refused here too, beside a link that is good.
#[test]
fn a_reset_password_is_checked_like_any_other() {
    let row = mailed(LinkPurpose::PasswordReset, &token(1));
    let reset = |json| check_password_reset(&row, &draft(json));
    for bad in ["short", "12345678901", "password", "user-1@example.com"] {
        assert_eq!(wrong_fields(reset(json!({"password": bad, "password2": bad}))), ["password"], "{bad}");
    }
    assert_eq!(wrong_fields(reset(json!({"password": GOOD, "password2": "another-one-71"}))), ["password2"]);
    assert_eq!(wrong_fields(reset(json!({}))), ["password", "password2"]);
}

/// Rule 9.3: a user changes the own password by the present one, and stays logged in where they are.
#[test]
fn a_password_is_changed_by_the_present_one() {
    let row = account_snapshot(OWNER, Role::Customer);
    let json = json!({"current_password": "old", "password": GOOD, "password2": GOOD});
    let keep = Some(lease_core::account::TokenHash([7; 32]));
    let change = |actor, json: Value, is_current| check_password_change(&row, &actor, &draft(json), is_current, keep);
    assert_eq!(code(change(customer(OWNER), json.clone(), true)), "ok");
    assert_eq!(wrong_fields(change(customer(OWNER), json.clone(), false)), ["current_password"]);
    assert_eq!(wrong_fields(change(customer(OWNER), json!({}), false)), ["current_password", "password", "password2"]);
    assert_eq!(code(change(customer(BUYER), json.clone(), true)), "not_found");
    let decision = change(customer(OWNER), json, true).unwrap().into_decision(Some(PasswordHash::from_phc("new".into())));
    assert_eq!(decision.keep_token, keep);
}

/// Rule 9.3: where the operator asks for it, a new password or address needs the present password; other fields do not.
#[test]
fn the_present_password_can_be_asked_for() {
    let row = account_snapshot(OWNER, Role::Customer);
    let update = |json, password| {
        let presented = Presented { password, ..Presented::default() };
        check_update(&row, &customer(OWNER), &draft(json), UpdateMode::Partial, &free(), presented, now())
    };
    let given = |mut json: Value, password: CurrentPassword| {
        if password != CurrentPassword::Missing {
            json["current_password"] = "given".into();
        }
        json
    };
    for json in [json!({"password": GOOD}), json!({"email": "new@example.com"})] {
        for (password, expected) in [
            (CurrentPassword::NotAsked, "ok"),
            (CurrentPassword::Right, "ok"),
            (CurrentPassword::Missing, "validation_error"),
            (CurrentPassword::Wrong, "validation_error"),
        ] {
            assert_eq!(code(update(given(json.clone(), password), password)), expected, "{json} {password:?}");
        }
        assert_eq!(wrong_fields(update(given(json, CurrentPassword::Wrong), CurrentPassword::Wrong)), ["current_password"]);
    }
    let same = json!({"first_name": "Grace", "email": row.account.user.email_or_empty()});
    assert_eq!(code(update(same, CurrentPassword::Missing)), "ok");
}

/// Rule 9.4: an address is confirmed by a link within three days, once, and not by a link for something else.
#[test]
fn an_address_is_confirmed_by_a_link_within_three_days() {
    let row = mailed(LinkPurpose::EmailVerification, &token(1));
    let confirm = |row: &_, at| confirm_email(Some(row), &token(1), now() + TimeDelta::seconds(at));
    let decision = confirm(&row, 259_199).unwrap();
    assert_eq!(decision.user.email_verified_at, Some(now() + TimeDelta::seconds(259_199)));
    assert_eq!(decision.user.links, []);
    assert_eq!(names(&decision.events), ["user.updated"]);
    assert_eq!(wrong_fields(confirm(&row, 259_200)), ["token"]);
    assert_eq!(wrong_fields(confirm(&mailed(LinkPurpose::PasswordReset, &token(1)), 0)), ["token"]);
    assert_eq!(reset_at(&row, &token(1), 0), "validation_error");
    assert_eq!(wrong_fields(confirm_email(None, &token(1), now())), ["token"]);
}

/// Rule 9.4: another address is not confirmed, and neither can it be by a link that went to the old one.
#[test]
fn another_address_is_not_confirmed() {
    let mut row = with_link(mailed(LinkPurpose::EmailVerification, &token(1)), LinkPurpose::PasswordReset, &token(2));
    row.account.user.email_verified_at = Some(now());
    let update = |json: Value| {
        let draft = draft(json);
        let checked =
            check_update(&row, &customer(OWNER), &draft, UpdateMode::Partial, &free(), Presented::default(), now()).unwrap();
        let user = checked.into_decision(None).changes.user;
        (user.email_verified_at, user.links.len())
    };
    assert_eq!(update(json!({"email": "new@example.com"})), (None, 0));
    assert_eq!(update(json!({"first_name": "Grace"})), (Some(now()), 2));
}

/// Rule 9.3: links are bounded. The oldest one gives way, and those that have expired.
#[test]
fn a_user_has_a_bounded_number_of_links() {
    let mut row = mailed(LinkPurpose::PasswordReset, &token(0));
    let most = u8::try_from(User::MOST_LINKS).unwrap();
    for number in 1..=most {
        row = with_link(row, LinkPurpose::PasswordReset, &token(number));
    }
    assert_eq!(row.account.user.links.len(), User::MOST_LINKS);
    assert_eq!(reset_at(&row, &token(0), 0), "validation_error");
    assert_eq!(reset_at(&row, &token(1), 0), "ok");
    let link =
        NewLink { purpose: LinkPurpose::PasswordReset, hash: token(99).hash(), mail: id(2), address: "user-1@example.com" };
    let later = add_link(&row, link, now() + TimeDelta::hours(1)).unwrap();
    assert_eq!(later.user.links.len(), 1);
}

/// Rules 9.3 and 9.4: a link that would go to an address that is the user's no longer is not made.
#[test]
fn a_link_is_not_made_for_an_address_that_was_changed() {
    let row = account_snapshot(OWNER, Role::Customer);
    let link =
        NewLink { purpose: LinkPurpose::EmailVerification, hash: token(1).hash(), mail: id(1), address: "old@example.com" };
    assert_eq!(add_link(&row, link, now()), None);
}

/// Rule 9.4: whoever has to confirm the address first may correct it, and change nothing else.
#[test]
fn an_unverified_customer_may_correct_the_address() {
    let row = account_snapshot(OWNER, Role::Customer);
    let actor = Actor::Unverified { user: user_id(OWNER), customer: id(OWNER) };
    let update = |json| code(check_update(&row, &actor, &draft(json), UpdateMode::Partial, &free(), Presented::default(), now()));
    assert_eq!(update(json!({"email": "right@example.com"})), "ok");
    assert_eq!(update(json!({"email": "right@example.com", "first_name": "Ada", "username": "user-1"})), "ok");
    for json in
        [json!({"first_name": "Grace"}), json!({"username": "grace"}), json!({"password": GOOD}), json!({"last_name": "H"})]
    {
        assert_eq!(update(json.clone()), "email_not_verified", "{json}");
    }
    assert_eq!(code(choose_notices(&row, &actor, &draft(json!({})))), "email_not_verified");
    let change = draft(json!({"current_password": "old", "password": GOOD, "password2": GOOD}));
    assert_eq!(code(check_password_change(&row, &actor, &change, true, None)), "email_not_verified");
}

/// The token of a link names its user, and has one form.
#[test]
fn a_token_has_one_form() {
    let text = secrecy_text(&token(171));
    assert_eq!(text, format!("{}-{}", user_id(OWNER), "ab".repeat(32)));
    let read: LinkToken = text.parse().unwrap();
    assert_eq!((read.user(), read.hash()), (user_id(OWNER), token(171).hash()));
    for wrong in
        ["", "-", "0-ab", &text[1..], &text.to_uppercase(), &format!("0{text}"), &format!("+{text}"), &format!("{text}0")]
    {
        assert!(wrong.parse::<LinkToken>().is_err(), "{wrong}");
    }
}

fn secrecy_text(token: &LinkToken) -> String {
    use secrecy::ExposeSecret as _;
    token.text().expose_secret().to_owned()
}
