//! Passwords in a body. They count only as stretched by Argon2.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use lease_core::Error;
use lease_core::account::{PasswordError, PasswordHasher};
use lease_core::client::ClientNetwork;
use serde_json::value::RawValue;

use super::Parted;
use crate::client_address::ClientAddress;
use crate::idempotency::{Once, key};
use crate::layers::Presence;
use crate::problem::Problem;

/// The fields of a body that hold passwords. The token of a mailed link is no password: nobody can guess it.
const FIELDS: [&str; 3] = ["password", "password2", "current_password"];

/// Takes the passwords out of the body. Returns them as one text.
pub(super) fn take(fields: &mut BTreeMap<String, &RawValue>) -> Option<String> {
    let passwords: Vec<_> = FIELDS.iter().filter_map(|name| Some(format!("{name}: {}", fields.remove(*name)?.get()))).collect();
    (!passwords.is_empty()).then(|| passwords.join("\n"))
}

impl Once {
    /// What was parted, with the passwords in a form that cannot be guessed fast. A client who has gone does not wait for it.
    pub(in crate::idempotency) async fn stretched(&self, parted: Parted, key: &str, parts: &Parts) -> Result<Parted, Problem> {
        if parted.passwords.is_none() {
            return Ok(parted);
        }
        let client = ClientAddress::of(parts, &self.state.options).network();
        let stretched = parted.stretched(key, self.engine().password_hasher(), client);
        Presence::of(parts).while_waiting(async { Ok(stretched.await.map_err(Error::from)?) }).await
    }
}

impl Parted {
    /// The body, in which the passwords stand in a form that cannot be guessed fast. It depends on the key.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub(in crate::idempotency) async fn stretched(
        self,
        key: &str,
        hasher: &PasswordHasher,
        client: Option<ClientNetwork>,
    ) -> Result<Self, PasswordError> {
        let Some(passwords) = self.passwords else { return Ok(self) };
        let stretched = hasher.derive(client, &passwords, &salt(key)).await?;
        Ok(Self::of([&self.rest[..], &stretched].concat().into()))
    }
}

/// The salt with which the passwords in a request under this key are stretched.
fn salt(key: &str) -> [u8; 16] {
    key::derived(&key::root(key), &[b"stretching"])
}
