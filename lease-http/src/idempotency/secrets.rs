//! What a body is found and told apart by. Neither a lookup hash nor a fingerprint may help to guess a password or a card number:
//! whoever has a copy of the store and knows a key could compute them as fast as any hash.

#[cfg(feature = "passwords")]
mod passwords;

use std::collections::BTreeMap;

use axum::body::Bytes;
use serde_json::value::{RawValue, to_raw_value};

/// The field that holds the number of a card.
const NUMBER: &str = "number";
/// The field that holds its security code.
const CVC: &str = "cvc";

/// The secrets that the body of an endpoint can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// None.
    #[default]
    None,
    /// Passwords. They count only as stretched by Argon2, which makes guessing them as slow as guessing the password of a user.
    #[cfg(feature = "passwords")]
    Passwords,
    /// A card. Its number counts by its length, its first six and its last four digits, which may be shown (PCI DSS 3.4.1); the
    /// security code does not count. There are so few numbers that stretching would not protect them.
    Card,
}

/// A body without its secrets.
#[derive(Clone, Debug)]
pub(super) struct Parted {
    pub(super) rest: Bytes,
    /// The passwords that it had.
    #[cfg(feature = "passwords")]
    passwords: Option<secrecy::SecretString>,
}

impl Parted {
    /// A body without passwords.
    const fn of(rest: Bytes) -> Self {
        Self {
            rest,
            #[cfg(feature = "passwords")]
            passwords: None,
        }
    }
}

impl Secrets {
    /// Parts the secrets from the body. `None` if the body can hold secrets and is no JSON object: its response is an error, which
    /// need not be stored.
    pub(super) fn part(self, body: &Bytes) -> Option<Parted> {
        if self == Self::None {
            return Some(Parted::of(body.clone()));
        }
        let mut fields: BTreeMap<String, &RawValue> = serde_json::from_slice(body).ok()?;
        let digits;
        match self {
            Self::None => {}
            #[cfg(feature = "passwords")]
            Self::Passwords => {
                let passwords = passwords::take(&mut fields).map(Into::into);
                return Some(Parted { rest: serde_json::to_vec(&fields).ok()?.into(), passwords });
            }
            Self::Card => {
                fields.remove(CVC);
                if let Some(number) = fields.get_mut(NUMBER) {
                    digits = to_raw_value(&shown(number.get())).ok()?;
                    *number = &digits;
                }
            }
        }
        Some(Parted::of(serde_json::to_vec(&fields).ok()?.into()))
    }
}

/// What may be shown of the number of a card; at least six digits are hidden.
fn shown(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let [first, last] = if digits.len() < 16 { [0, 4] } else { [6, 4] };
    let hidden = first..digits.len().saturating_sub(last).max(first);
    digits.char_indices().map(|(place, digit)| if hidden.contains(&place) { '*' } else { digit }).collect()
}

#[cfg(test)]
mod tests {
    use lease_core::account::{PasswordHasher, PasswordParams};
    use secrecy::ExposeSecret as _;

    use super::*;

    fn part(secrets: Secrets, body: &'static str) -> Option<(String, Option<String>)> {
        let parted = secrets.part(&Bytes::from_static(body.as_bytes()))?;
        let passwords = parted.passwords.map(|passwords| passwords.expose_secret().to_owned());
        Some((String::from_utf8(parted.rest.to_vec()).unwrap(), passwords))
    }

    #[test]
    fn passwords_are_parted_from_a_body() {
        let body = r#"{"username": "ada", "pass\u0077ord": "hunter2", "password2": 7, "dob": 1.50}"#;
        let rest = r#"{"dob":1.50,"username":"ada"}"#;
        assert_eq!(
            part(Secrets::Passwords, body),
            Some((rest.to_owned(), Some("password: \"hunter2\"\npassword2: 7".to_owned())))
        );
        let change = r#"{"current_password": "hunter2", "token": "7-00"}"#;
        let parted = Some((r#"{"token":"7-00"}"#.to_owned(), Some("current_password: \"hunter2\"".to_owned())));
        assert_eq!(part(Secrets::Passwords, change), parted);
        assert_eq!(part(Secrets::Passwords, "{}"), Some(("{}".to_owned(), None)));
    }

    #[tokio::test]
    async fn passwords_count_only_as_stretched() {
        let costs = PasswordParams { memory_kib: 8, iterations: 1 };
        let hasher = PasswordHasher::new(costs, std::num::NonZeroUsize::MIN).unwrap();
        let content = async |key: &str, body: &'static str| {
            let before = hasher.blocks_computed();
            let parted = Secrets::Passwords.part(&Bytes::from_static(body.as_bytes())).unwrap();
            let content = parted.stretched(key, &hasher, None).await.unwrap().rest;
            (content, hasher.blocks_computed() - before)
        };
        let (first, work) = content("k1", r#"{"password": "hunter2"}"#).await;
        assert!(work > 0 && !String::from_utf8_lossy(&first).contains("hunter2"));
        assert_eq!(content("k1", r#"{ "password":"hunter2" }"#).await.0, first);
        assert_ne!(content("k2", r#"{"password": "hunter2"}"#).await.0, first);
        assert_ne!(content("k1", r#"{"password": "hunter3"}"#).await.0, first);
        assert_eq!(content("k1", "{}").await, (Bytes::from_static(b"{}"), 0));
    }

    #[test]
    fn of_a_card_what_may_be_shown_remains() {
        for (number, remains) in [
            ("4242 4242 4242 4342", "424242******4342"),
            ("378282246310005", "***********0005"),
            ("6200000000000000003", "620000*********0003"),
            ("424", "424"),
            ("", ""),
        ] {
            let body = format!(r#"{{"number": "{number}", "cvc": "123", "exp_year": 2099}}"#);
            let parted = Secrets::Card.part(&body.into()).unwrap();
            assert_eq!(parted.rest, format!(r#"{{"exp_year":2099,"number":"{remains}"}}"#));
        }
        assert_eq!(part(Secrets::Card, r#"{"number": null}"#), Some((r#"{"number":""}"#.to_owned(), None)));
    }

    #[test]
    fn what_is_no_object_has_no_place_for_secrets() {
        for body in ["[\"hunter2\"]", "\"hunter2\"", "{\"password\": \"hunter2\"", ""] {
            assert_eq!(part(Secrets::Passwords, body), None, "{body}");
            assert_eq!(part(Secrets::None, body), Some((body.to_owned(), None)), "{body}");
        }
    }
}
