//! Hashes that Django 5.2 made of `Grüße an 3 Pferde!`, as an import brings them. Rules 3.2 and 3.7.

use std::num::NonZeroUsize;

use lease_core::account::{PasswordHash, PasswordHasher, PasswordParams};

const PASSWORD: &str = "Grüße an 3 Pferde!";

/// By each of its hashers, at its own costs and at others.
const HASHES: [&str; 11] = [
    "pbkdf2_sha256$320000$fa3ZrUq1C0pX7yLk$O/6OKE/cJF5W7QD2YY48+rmNTqbMnZrHPgk9rsbCAWI=",
    "pbkdf2_sha256$20000$short$QIqA7ViJXeEIRVLEXCN+afM7FSrZJd0G8yg5909PuW8=",
    "pbkdf2_sha256$1000000$5ZyKf0dXn8QmTr1b$bN/mfceb7W6zbZCsktmR0BnR/Rwwai2/CTZLm8wxB1w=",
    "pbkdf2_sha1$100000$Zt8vPwQe2nB4$f563Z/CQdHzFzUnf9EZy9lziybU=",
    "argon2$argon2id$v=19$m=102400,t=2,p=8$NnNzeDBtRXdrNlNiek1yWUhZaXZseg$/nenhg8eRnt82t5TUNUtk2+l/Upt25Fcd1XY0O+uDVY",
    "argon2$argon2id$v=19$m=512,t=2,p=2$c29tZXNhbHQx$M/x+qUcuaAuc/hpl7XAeIY5llfxV2+v4JSR3IaZZJSs",
    "bcrypt_sha256$$2b$12$sHoE8cmQ0GH4695x7sE.wOHmTFwFq42D6P.mmG7hrOfTvkZmkjiAy",
    "bcrypt_sha256$$2b$06$8UboO3uLyAxInEuY3mkuA.BBUBEDXLgL1uzNg77HpwJNFPyg62ivG",
    "bcrypt$$2b$06$pF2MZW1tz8bhbKmgCiZ5SeA7jbKVvOwSl6ZflPxV2LZy9vwJWLsCW",
    "scrypt$16384$eUZ2GKwznOldKXHbPfu6lZ$8$5$qRN2Dk5TaoFdlanDUEWP6RyhBIXGVqEkqJcirWVnJ+tDvCiG4hBncmtdF4Bvhg/yCB2Pw04F/oks+qDnksXgHQ==",
    "scrypt$1024$salziges$8$1$UP1aFou6lwajU7B3VPIdyE3oc+fP3vMHdkd/xpabYhtSM5CdVlItHIzbS68uoGg9TJGzyvc5o6SlX1KzCZNweg==",
];

fn hasher() -> PasswordHasher {
    PasswordHasher::new(PasswordParams { memory_kib: 64, iterations: 1 }, NonZeroUsize::MIN).unwrap()
}

#[tokio::test]
async fn a_hash_of_django_is_verified_and_replaced() {
    let hasher = hasher();
    for text in HASHES {
        let hash = PasswordHash::from_django(text).expect(text);
        let verified = hasher.verify(None, &PASSWORD.into(), Some(&hash)).await.unwrap();
        let renewed = verified.renewed.unwrap();
        assert!(verified.matches && renewed.expose().starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{text}");
        let again = hasher.verify(None, &PASSWORD.into(), Some(&renewed)).await.unwrap();
        assert!(again.matches && again.renewed.is_none(), "{text}");
        let wrong = hasher.verify(None, &"Gruesse an 3 Pferde!".into(), Some(&hash)).await.unwrap();
        assert!(!wrong.matches && wrong.renewed.is_none(), "{text}");
    }
}

/// Whatever is no hash, or costs more than a login may, is compared with nothing.
#[tokio::test]
async fn what_is_no_hash_matches_no_password() {
    let others = [
        "",
        "secret",
        "$",
        "!0OO6wk0OxtmXuWG10zTrpBegnfyPxzVHeX3pH3Ou",
        "md5$Psu3FfI7QMRmKtkjWsOHV3$37fad060852e3aa2b0bec2084088bb00",
        "$argon2id$v=19$m=512,t=2,p=2$c29tZXNhbHQx$M/x+qUcuaAuc/hpl7XAeIY5llfxV2+v4JSR3IaZZJSs",
        "pbkdf2_sha256$0$short$QIqA7ViJXeEIRVLEXCN+afM7FSrZJd0G8yg5909PuW8=",
        "pbkdf2_sha256$5000001$short$QIqA7ViJXeEIRVLEXCN+afM7FSrZJd0G8yg5909PuW8=",
        "pbkdf2_sha256$20000$short$QIqA7ViJXeEIRVLEXCN+",
        "pbkdf2_sha256$20000$short$short$QIqA7ViJXeEIRVLEXCN+afM7FSrZJd0G8yg5909PuW8=",
        "pbkdf2_sha256$20000$short$no base64",
        "argon2$argon2id$v=19$m=262145,t=2,p=2$c29tZXNhbHQx$M/x+qUcuaAuc/hpl7XAeIY5llfxV2+v4JSR3IaZZJSs",
        "argon2$argon2id$v=19$m=512,t=17,p=2$c29tZXNhbHQx$M/x+qUcuaAuc/hpl7XAeIY5llfxV2+v4JSR3IaZZJSs",
        "bcrypt$$2b$15$pF2MZW1tz8bhbKmgCiZ5SeA7jbKVvOwSl6ZflPxV2LZy9vwJWLsCW",
        "bcrypt$$2b$06$pF2MZW1tz8bhbKmgCiZ5Se",
        "scrypt$1000$salziges$8$1$UP1aFou6lwajU7B3VPIdyE3oc+fP3vMHdkd/xpabYhtSM5CdVlItHIzbS68uoGg9TJGzyvc5o6SlX1KzCZNweg==",
        "scrypt$131072$salziges$8$1$UP1aFou6lwajU7B3VPIdyE3oc+fP3vMHdkd/xpabYhtSM5CdVlItHIzbS68uoGg9TJGzyvc5o6SlX1KzCZNweg==",
        "scrypt$1024$salziges$8$17$UP1aFou6lwajU7B3VPIdyE3oc+fP3vMHdkd/xpabYhtSM5CdVlItHIzbS68uoGg9TJGzyvc5o6SlX1KzCZNweg==",
    ];
    for text in others {
        assert!(PasswordHash::from_django(text).is_none(), "{text}");
    }
    let unusable = PasswordHash::unusable();
    for password in ["", "!", PASSWORD] {
        assert!(!hasher().verify(None, &password.into(), Some(&unusable)).await.unwrap().matches);
    }
}
