//! No secret is ever shown: rules 3.7, 5.5, 5.6.

use std::fmt::Debug;

use lease_core::account::{
    Login, PasswordHash, Presented, RegistrationDraft, Session, Token, TokenText, UserDraft, check_registration, check_update,
};
use lease_core::engine::LoginDraft;
use lease_core::gateway::{CardSetup, CardToken, ClientSecret, Tokenization};
use lease_core::id::NewIds;
use lease_core::input::{Field, Scalar, UpdateMode};
use lease_core::invoicing::settle_payment;
use lease_core::model::{Payment, PaymentState, Role};
use lease_core::permission::Actor;
use lease_core::repository::SavedResponse;
use lease_core::wallet::{CardDraft, Wallet, check_card, store_card};
use lease_core::{Error, repository::RepositoryError};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::*;

const PASSWORD: &str = "plum-Tractor-94-west";
const NUMBER: &str = "4242424242424242";
const CVC: &str = "731";

/// Checks that neither form of `Debug` shows any of these.
pub(crate) fn hides(shown: &impl Debug, secrets: &[&str]) {
    for text in [format!("{shown:?}"), format!("{shown:#?}")] {
        for secret in secrets {
            assert!(!text.contains(secret), "{text} shows {secret}");
        }
    }
}

#[test]
fn passwords_are_not_shown() {
    let json = json!({"username": "eve", "password": PASSWORD, "password2": PASSWORD, "email": "eve@example.com", "first_name": "E",
        "last_name": "M"});
    let registration: RegistrationDraft = draft(json.clone());
    hides(&registration, &[PASSWORD]);
    hides(&check_registration(&registration, &free(), now().date_naive()).unwrap(), &[PASSWORD]);
    let update: UserDraft = draft(json.clone());
    hides(&update, &[PASSWORD]);
    let row = account_snapshot(OWNER, Role::Customer);
    let checked = check_update(&row, &customer(OWNER), &update, UpdateMode::Full, &free(), Presented::default(), now()).unwrap();
    hides(&checked, &[PASSWORD, "a-hash-that-is-secret"]);
    hides(&checked.into_decision(Some(PasswordHash::from_phc("another-hash".into()))), &["another-hash"]);
    hides(&draft::<LoginDraft>(json), &[PASSWORD]);
    hides(&Scalar::Text(PASSWORD.into()), &[PASSWORD]);
    hides(&Field::from(PASSWORD) as &Field<SecretString>, &[PASSWORD]);
}

#[test]
fn hashes_and_tokens_are_not_shown() {
    let text = TokenText::from_random([0x5A; 20]);
    let plain = text.expose().to_owned();
    let account = account(OWNER, Role::Customer);
    let token = Token { hash: text.hash(), ..token(OWNER) };
    let bytes = format!("{:?}", text.hash().0);
    let secrets = [plain.as_str(), "a-hash-that-is-secret", bytes.as_str()];
    hides(&text, &secrets);
    hides(&token, &secrets);
    hides(&Login::new(token.clone(), now()), &secrets);
    hides(&Session { actor: customer(OWNER), token: stored(1, token) }, &secrets);
    hides(&account, &secrets);
    hides(&SavedResponse(b"{\"token\":\"x\"}".to_vec()), &["token", "123, 34"]);
}

#[test]
fn cards_are_not_shown() {
    let json = json!({"number": NUMBER, "cvc": CVC, "exp_month": 12, "exp_year": 2030, "holder_name": "Ada"});
    let card: CardDraft = draft(json);
    let secrets = [NUMBER, CVC, "tok_that_is_secret"];
    hides(&card, &secrets);
    let checked = check_card(&customer(OWNER), &card, &takes_numbers(), now().date_naive()).unwrap();
    hides(&checked, &secrets);
    let wallet = first(Wallet { customer_id: id(OWNER), card: None, newest_other: None, default_other: None });
    let token = || CardToken::new("tok_that_is_secret".into());
    hides(&checked.tokenized(token()), &secrets);
    hides(&store_card(&wallet, &checked.tokenized(token()), false, now()), &secrets);
    hides(&Tokenization::Accepted(token()), &secrets);
    hides(&charge("1", token()), &secrets);
}

/// Rule 5.5: the secret with which a payer acts, or enters a card, is in no `Debug` and no event.
#[test]
fn the_secret_of_a_payer_is_not_shown() {
    let secret = "cs_that_is_secret";
    let waits = PaymentState::RequiresAction(next_action());
    let setup = CardSetup { client_secret: ClientSecret::new(secret.into()) };
    hides(&(setup, next_action(), asks_payer(), Payment { state: waits.clone(), ..payment(OWNER, "1") }), &[secret]);
    let pending = Scene::lease().billed_to(OWNER).paid_and_pending("0", "40").with_payment("40", PaymentState::Pending);
    let waiting = pending.clone().with_payment("40", waits);
    hides(&waiting.0, &[secret]);
    for (scene, outcome) in [(&pending, asks_payer()), (&waiting, charged()), (&waiting, given_up())] {
        let decision = settle_payment(&scene.0, &outcome, now()).unwrap().unwrap();
        hides(&decision, &[secret]);
        for event in &decision.events {
            let record = event.record(&Actor::Gateway, now(), None, &NewIds::default());
            let text = format!("{} {}", Value::from(record.data), Value::from(record.changes));
            assert!(!text.contains(secret) && !text.contains("bank.example"), "{text}");
        }
    }
}

/// No error repeats a wrong card number or password.
#[test]
fn an_error_about_a_secret_does_not_repeat_it() {
    let json = json!({"number": "4242424242424241", "cvc": "73x", "exp_month": 12, "exp_year": 2030, "holder_name": "Ada"});
    let error = check_card(&customer(OWNER), &draft::<CardDraft>(json), &takes_numbers(), now().date_naive()).unwrap_err();
    hides(&error, &["4242424242424241", "73x"]);
    let wrong: CardDraft = draft(json!({"number": 4_242_424_242_424_242_i64, "cvc": 731}));
    hides(&wrong, &[NUMBER, CVC]);
}

/// Rule 6.6: an error reveals nothing internal.
#[test]
fn the_message_of_an_error_reveals_nothing_of_its_cause() {
    let cause = || Box::<dyn std::error::Error + Send + Sync>::from("password authentication failed for postgres://u:pw@db");
    let cases = [
        (RepositoryError::Unavailable(cause()), "unavailable"),
        (RepositoryError::Internal(cause()), "internal_error"),
        (RepositoryError::Corrupt { table: "users", id: 7, reason: "bad role".into() }, "internal_error"),
        (RepositoryError::Conflict, "unavailable"),
        (RepositoryError::Taken(lease_core::repository::Guarantee::LoginName), "unavailable"),
    ];
    for (error, code) in cases {
        let error = Error::from(error);
        assert_eq!(error.code(), code);
        for word in ["postgres", "pw@", "users", "role", "login", "conflict"] {
            assert!(!error.to_string().contains(word), "{error}");
        }
        assert!(std::error::Error::source(&error).is_some(), "the operator still learns why");
    }
    let broken = Error::from(lease_core::money::MoneyError::Negative);
    assert_eq!((broken.code(), &*broken.to_string()), ("internal_error", "An internal error occurred."));
}
