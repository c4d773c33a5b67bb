//! Registering (rule 3.1), and the requirements for passwords (rule 3.7).

use std::num::NonZeroUsize;

use lease_core::Error;
use lease_core::account::{
    FIRST_EPOCH, PasswordHash, PasswordHasher, PasswordParams, Registrant, RegistrationDraft, Token, TokenHash,
    check_registration,
};
use lease_core::model::Role;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::*;

const GOOD: &str = "plum-Tractor-94-west";

fn somebody(fields: Value) -> Value {
    let json = json!({"username": "ada.byron", "password": GOOD, "password2": GOOD, "email": "ada@example.com",
        "first_name": "Augusta", "last_name": "Lovelace"});
    with(json, fields)
}

fn register(fields: Value) -> Result<Registrant, Error> {
    check_registration(&draft::<RegistrationDraft>(somebody(fields)), &free(), now().date_naive())
}

/// The objections to this password of Augusta Lovelace.
fn objections(password: &str) -> Vec<String> {
    match register(json!({"password": password, "password2": password})) {
        Ok(_) => Vec::new(),
        Err(Error::Invalid(errors)) => errors.of("password").iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other:?}"),
    }
}

/// Rule 3.1: registering creates an active user with a customer.
#[test]
fn registering_creates_an_active_customer() {
    let json =
        json!({"is_staff": true, "is_superuser": true, "is_active": false, "job": "poet", "dob": "1815-12-10", "notes": "n"});
    let (hash, expires_at) = (TokenHash([1; 32]), at(60));
    let new =
        register(json).unwrap().into_new_account(PasswordHash::from_phc("h".into()), Some((hash, expires_at)), now()).changes;
    assert_eq!((new.user.role, new.user.is_active, new.user.date_joined), (Role::Customer, true, now()));
    let token = Token { hash, name: "registration".into(), epoch: FIRST_EPOCH, created_at: now(), expires_at, ..token(OWNER) };
    assert_eq!((new.user.last_login, new.first_token(user_id(OWNER))), (None, Some(token)));
    let profile = new.profile.unwrap();
    assert_eq!((&*profile.job, profile.dob, &*profile.notes), ("poet", Some(date("1815-12-10")), "n"));
}

/// Rules 3.1, 6.6: all wrong fields are reported at once.
#[test]
fn every_wrong_field_of_a_registration_is_named_at_once() {
    let json = json!({"username": "a b", "password": "short", "password2": "other", "email": "no", "first_name": " ", "last_name": null,
        "job": 5, "dob": "2999-01-01", "notes": "\u{0}"});
    let expected = ["dob", "email", "first_name", "job", "last_name", "notes", "password", "password2", "username"];
    assert_eq!(wrong_fields(register(json)), expected);
    let missing = check_registration(&RegistrationDraft::default(), &free(), now().date_naive());
    assert_eq!(wrong_fields(missing), ["email", "first_name", "last_name", "password", "password2", "username"]);
}

/// Rule 3.7: a new password is given twice.
#[test]
fn the_password_is_given_twice() {
    assert_eq!(wrong_fields(register(json!({"password2": "plum-Tractor-94-West"}))), ["password2"]);
    assert_eq!(wrong_fields(register(json!({"password2": null}))), ["password2"]);
    assert_eq!(wrong_fields(register(json!({"password": 12_345_678, "password2": 12_345_678}))), ["password", "password2"]);
}

/// Rule 3.7: user names and addresses are compared without regard to case, and with each other.
#[test]
fn a_name_that_another_user_has_is_taken() {
    let taken = |name: &str| {
        let taken = logins([(lease_core::model::LoginName::new(name), user_id(9))]);
        check_registration(
            &draft::<RegistrationDraft>(somebody(json!({"username": "Ada@Example.org"}))),
            &taken,
            now().date_naive(),
        )
    };
    assert_eq!(wrong_fields(taken("ADA@example.org")), ["username"]);
    assert_eq!(wrong_fields(taken("ada@EXAMPLE.com")), ["email"]);
    assert_eq!(code(taken("ada@example.net")), "ok");
}

/// Rule 3.7: a user name consists of letters, digits and five signs.
#[test]
fn a_username_has_letters_digits_and_five_signs() {
    for name in ["a", "Ada.Byron+x@y-z_1", "ädä", "李", "１２", &"x".repeat(150)] {
        assert_eq!(code(register(json!({"username": name}))), "ok", "{name}");
    }
    for name in ["", " ", "a b", "a/b", "a\u{0}b", "a#b", "a\u{200b}b", "😀", &"x".repeat(151)] {
        assert_eq!(wrong_fields(register(json!({"username": name}))), ["username"], "{name:?}");
    }
    let name = |text: &str| lease_core::model::Username::parse(text).unwrap();
    assert_eq!(name("ＡＤＡ").key(), name("ada").key(), "compatibility forms are one name");
    assert_eq!(name(" Ada ").as_str(), "Ada");
}

/// Rule 3.7: an e-mail address has the form of one.
#[test]
fn an_email_is_an_address() {
    for email in ["a@b.co", "first.last+tag@sub.example.com", " Ada@Example.com ", "müller@example.com"] {
        assert_eq!(code(register(json!({"email": email}))), "ok", "{email}");
    }
    let long = format!("{}@example.com", "x".repeat(250));
    for email in [
        "",
        "a",
        "a@",
        "@b.co",
        "a@b",
        "a b@c.de",
        "Ada <a@b.co>",
        "a@[127.0.0.1]",
        "a@b..co",
        "a@b.co\u{0}",
        "a@b.co,c@d.ef",
        &long,
    ] {
        assert_eq!(wrong_fields(register(json!({"email": email}))), ["email"], "{email:?}");
    }
}

/// Rule 3.7: a password that meets all requirements is accepted.
#[test]
fn good_passwords_are_accepted() {
    let long = "correct horse battery staple ".repeat(35);
    for password in [GOOD, "Xk3!pq9Z", "naïve-façade-93", "пароль-лиса-7", "tr0ub4dor&3x", "  spaces around it  ", long.as_str()]
    {
        assert_eq!(objections(password), Vec::<String>::new(), "{password:?}");
    }
}

/// Rule 3.7: each requirement has its own message.
#[test]
fn bad_passwords_are_refused_for_what_is_wrong_with_them() {
    let too_long = "x1-".repeat(342);
    let cases = [
        ("Xk3!pq9", "too short"),
        ("", "too short"),
        ("äöüßéèà", "too short"),
        (&*too_long, "too long"),
        ("a horse of\0another colour", "Control characters"),
        ("a horse of\tanother colour", "Control characters"),
        ("8675309864", "entirely numeric"),
        ("٨٦٧٥٣٠٩٨", "entirely numeric"),
        ("password", "too common"),
        ("password1", "too common"),
        ("PASSWORD1", "too common"),
        ("iloveyou", "too common"),
        // These entries of the list are easier to guess as two parts.
        ("password0", "too common"),
        ("iloveyou!", "too common"),
        ("letmein6", "too common"),
        ("1william", "too common"),
        ("trustno1", "too common"),
        ("qwertyuiop", "too common"),
        ("abcdefgh", "too common"),
        ("aaaaaaaa", "too common"),
        // Only the beginning of a long password is examined.
        ("aaaaaaaaaaaaaaaaaaaa", "too common"),
        ("12345678", "too common"),
        ("adabyron", "similar to the username"),
        ("Ada.Byron1", "similar to the username"),
        ("ada@example.com", "similar to the email"),
        // A part of a name, followed by as many other characters as are allowed.
        ("example7", "similar to the email"),
        ("lovelace-k9Tz!", "similar to the last name"),
        ("augusta1", "similar to the first name"),
        ("LOVELACE!", "similar to the last name"),
    ];
    for (password, words) in cases {
        let objections = objections(password);
        assert!(objections.iter().any(|objection| objection.contains(words)), "{password:?}: {objections:?}");
    }
}

/// Rule 3.7: at most 1,024 bytes, exactly; the minimum counts characters, not bytes.
#[test]
fn the_lengths_of_a_password_are_exact() {
    let of_bytes = |bytes: usize| "k9-".repeat(400).chars().take(bytes).collect::<String>();
    assert_eq!(objections(&of_bytes(1_024)), Vec::<String>::new());
    assert_eq!(objections(&of_bytes(1_025)).len(), 1);
    assert!(objections("äöüßéèàß").iter().all(|objection| !objection.contains("short")));
}

/// Rule 3.7: all objections to a password are reported.
#[test]
fn a_password_may_be_bad_in_many_ways() {
    assert_eq!(objections("1234567").len(), 3, "{:?}", objections("1234567"));
    assert_eq!(objections("").len(), 1, "of nothing only that it is too short: {:?}", objections(""));
}

/// No objection repeats the password.
#[test]
fn no_objection_shows_the_password() {
    for password in ["Xk3!pq9", "adabyron", "iloveyou", "8675309864"] {
        assert!(objections(password).iter().all(|objection| !objection.contains(password)));
    }
}

fn cheap() -> PasswordHasher {
    PasswordHasher::new(PasswordParams { memory_kib: 64, iterations: 1 }, NonZeroUsize::MIN).unwrap()
}

/// Rule 3.7: Argon2id with a new salt each time, in PHC form.
#[tokio::test]
async fn a_password_is_hashed_with_argon2id_and_a_salt() {
    let password = SecretString::from(GOOD);
    let (one, two) = (cheap().hash(None, &password).await.unwrap(), cheap().hash(None, &password).await.unwrap());
    assert!(one.expose().starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{}", one.expose());
    assert_ne!(one, two);
    assert!(cheap().verify(None, &password, Some(&one)).await.unwrap().matches);
    assert!(!cheap().verify(None, &SecretString::from("another one"), Some(&one)).await.unwrap().matches);
}

/// Rule 3.7: OWASP's parameters are the default.
#[test]
fn the_default_costs_are_owasps() {
    assert_eq!(PasswordParams::default(), PasswordParams { memory_kib: 19_456, iterations: 2 });
    for params in [PasswordParams { memory_kib: 7, iterations: 1 }, PasswordParams { memory_kib: 64, iterations: 0 }] {
        assert!(PasswordHasher::new(params, NonZeroUsize::MIN).is_err());
    }
}

/// Rule 3.2: without a hash no password is right, not even that of the decoy.
#[tokio::test]
async fn without_a_hash_no_password_matches() {
    for password in ["the password of nobody", GOOD, ""] {
        assert!(!cheap().verify(None, &SecretString::from(password), None).await.unwrap().matches);
    }
}
