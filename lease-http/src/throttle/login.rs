//! The limits on failed logins.

use std::fmt;

use chrono::{DateTime, Utc};
use lease_core::Error;
use lease_core::client::ClientNetwork;
use lease_core::text::comparison_key;
use sha2::{Digest, Sha256};

use super::TooMany;
use super::known::Known;
use super::limit::{Limit, Pending};

/// How many times as often as with one name a client may fail with all names together: enough for an office behind one address,
/// and too few to try a common password on many names.
const NAMES_AT_ONCE: u32 = 5;

/// Counts the failed logins of each client: with each name, and with all names together. Who has logged in with a name before, from
/// the same network, is let in by that name whatever others behind the same address do. Cheap to clone; clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct LoginThrottle {
    by_name: Limit<Key>,
    by_client: Limit<ClientNetwork>,
    known: Known<Key>,
}

/// A hash over the client's network and the name: names can be long, and should not appear in a memory dump.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key([u8; 32]);

impl Key {
    fn of(client: ClientNetwork, name: &str) -> Self {
        // An address has no blank, so no two pairs have the same text.
        Self(Sha256::digest(format!("{client} {}", comparison_key(name))).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl LoginThrottle {
    /// A throttle that allows a client this many failures a minute with one name; 0 for no limit.
    #[must_use]
    pub(crate) fn new(failures_per_minute: u32) -> Self {
        Self {
            by_name: Limit::new(failures_per_minute),
            by_client: Limit::new(failures_per_minute.saturating_mul(NAMES_AT_ONCE)),
            known: Known::new(),
        }
    }

    /// Begins an attempt to log in. If others are pending that could reach a limit, it waits for their outcomes.
    ///
    /// # Errors
    /// [`TooMany`] if a limit has been reached.
    pub(crate) async fn begin(&self, client: ClientNetwork, name: &str, now: DateTime<Utc>) -> Result<Attempt, TooMany> {
        let key = Key::of(client, name);
        // Everybody waits for the name first and for the client second, so nobody waits for one another.
        let by_name = self.by_name.begin(key, now).await?;
        let is_known = self.known.contains(&key, now);
        let by_client = if is_known { None } else { Some(self.by_client.begin(client, now).await?) };
        Ok(Attempt { by_name, by_client, key, known: self.known.clone() })
    }
}

/// A pending login. If it is dropped without an outcome (the store was unavailable, or the client hung up), it does not count.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt {
    by_name: Pending<Key>,
    by_client: Option<Pending<ClientNetwork>>,
    key: Key,
    known: Known<Key>,
}

impl Attempt {
    /// Ends the attempt. A success clears the earlier failures with this name, but not those with other names, which the same client
    /// may have guessed at; an error that has nothing to do with the password does not count.
    pub(crate) fn settle<T>(self, outcome: &Result<T, Error>, now: DateTime<Utc>) {
        match outcome {
            Ok(_) => {
                self.known.remember(self.key, now);
                self.by_name.forget();
            }
            Err(Error::InvalidCredentials) => {
                self.by_name.count(now);
                if let Some(by_client) = self.by_client {
                    by_client.count(now);
                }
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
