//! The keys that are derived from an idempotency key. All that a store sees depends on that key, which only the client knows: a
//! hash to find the record by, a MAC that distinguishes requests, and the key that encrypts the response.

use axum::http::{HeaderMap, Method};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use lease_core::id::UserId;
use lease_core::model::Role;
use lease_core::repository::{KeyHash, SavedResponse};
use sha2::{Digest, Sha256};

use super::headers::IDEMPOTENCY_KEY;
use super::saved::Saved;
use crate::problem::Problem;

/// The maximum number of characters of a key (rule 6.7).
pub(crate) const MAX_CHARS: usize = 255;
/// Separates these hashes from any other use of the same input.
const DOMAIN: &[u8] = b"lease idempotency v1";
/// The number of bytes in a nonce.
const NONCE: usize = 24;

/// Reads the key. A quoted structured string (as in the IETF draft) and the bare text within it are the same key.
///
/// # Errors
/// 400 if it is empty, too long, given twice, or not printable ASCII.
pub(super) fn read(headers: &HeaderMap) -> Result<String, Problem> {
    let wrong = |message: &str| Problem::invalid_field("Idempotency-Key", message);
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return Err(wrong("The header may be given only once.")) };
    let text = value.to_str().map_err(|_| wrong("The key must consist of printable ASCII characters."))?.trim();
    let key = unquoted(text).unwrap_or_else(|| text.to_owned());
    match key.len() {
        0 => Err(wrong("The key may not be empty.")),
        1..=MAX_CHARS => Ok(key),
        _ => Err(wrong(&format!("The key may have at most {MAX_CHARS} characters."))),
    }
}

/// The text between the quotes, with its escapes resolved.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut key = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        key.push(if character == '\\' { characters.next()? } else { character });
    }
    Some(key)
}

/// The requests among which a key is unique.
#[derive(Debug)]
pub(super) enum Scope<'a> {
    /// The requests of one user.
    User(UserId),
    /// Anonymous requests with the same content, so that nobody can block or read the key of another.
    Content(&'a [u8]),
}

/// The keys that are derived from a key within its scope.
pub(super) struct Keys {
    lookup: [u8; 32],
    telling: [u8; 64],
    sealing: [u8; 32],
}

impl Keys {
    pub(super) fn derive(key: &str, scope: &Scope<'_>) -> Self {
        let scope: [u8; 32] = match scope {
            Scope::User(user) => Sha256::new().chain_update(b"user").chain_update(user.get().to_be_bytes()).finalize().into(),
            Scope::Content(content) => Sha256::new().chain_update(b"body").chain_update(content).finalize().into(),
        };
        let root = root(key);
        Self {
            lookup: derived(&root, &[b"lookup", &scope]),
            telling: derived(&root, &[b"telling", &scope]),
            sealing: derived(&root, &[b"sealing", &scope]),
        }
    }

    /// The hash by which the record is found.
    pub(super) const fn lookup(&self) -> KeyHash {
        KeyHash(self.lookup)
    }

    /// The MAC that distinguishes this request, by a user of this role, from another one under the same key. Each part is preceded
    /// by its length.
    pub(super) fn fingerprint(&self, role: Option<Role>, method: &Method, path: &str, content: &[u8]) -> [u8; 32] {
        let role = role.map_or("", <&str>::from);
        let parts = [role.as_bytes(), method.as_str().as_bytes(), path.as_bytes(), content];
        let mac = Hmac::<Sha256>::new(&self.telling.into());
        let mac = parts.iter().fold(mac, |mac, part| mac.chain_update((part.len() as u64).to_be_bytes()).chain_update(part));
        mac.finalize().into_bytes().into()
    }

    /// Encrypts a response.
    ///
    /// # Errors
    /// [`NotSealed`] if no randomness is available, or the response cannot be serialised.
    pub(super) fn seal(&self, response: &Saved) -> Result<SavedResponse, NotSealed> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| NotSealed)?;
        let payload = Payload { msg: &response.to_bytes().map_err(|_| NotSealed)?, aad: &self.lookup };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| NotSealed)?;
        Ok(SavedResponse([nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts a response; `None` if it was not encrypted by [`seal`](Self::seal) under this key.
    pub(super) fn open(&self, response: &SavedResponse) -> Option<Saved> {
        let (nonce, sealed) = response.0.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: &self.lookup };
        Saved::from_bytes(&self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.sealing))
    }
}

pub(super) fn root(key: &str) -> Hkdf<Sha256> {
    Hkdf::new(Some(DOMAIN), key.as_bytes())
}

pub(super) fn derived<const BYTES: usize>(root: &Hkdf<Sha256>, purpose: &[&[u8]]) -> [u8; BYTES] {
    let mut key = [0; BYTES];
    // Fails only for keys of more than 8,160 bytes.
    let _ = root.expand_multi_info(purpose, &mut key);
    key
}

/// A response could not be encrypted.
#[derive(Debug, thiserror::Error)]
#[error("no randomness, or a response that cannot be serialised")]
pub(super) struct NotSealed;

#[cfg(test)]
mod tests;
