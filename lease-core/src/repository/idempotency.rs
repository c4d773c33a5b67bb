use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::RepositoryError;

/// Idempotency records (rule 6.7). A key is *claimed* before the command runs, marked as *done* in the command's own commit, and
/// *answered* when the response is saved. The holder renews its claim while it works, so a claim that is not renewed is that of
/// a process that died. A crash before the commit leaves a claim that expires; a crash after it leaves a record from which the
/// response is built again. In neither case is the command repeated.
#[async_trait]
pub trait IdempotencyRepository {
    /// Claims a key if it has no record, if its record has expired (`expires_at` ≤ `now`), or if its claim has expired
    /// (`held_until` ≤ `now`) without being done or answered. Otherwise returns the state of the existing record, unchanged. A
    /// claim that this holder has already made, and under which nothing was done, is claimed.
    async fn claim(&self, new: &NewClaim, now: DateTime<Utc>) -> Result<ClaimState, RepositoryError>;

    /// Holds a claim until another instant, and keeps its record until another one, whether it is done or not, and even if it has
    /// expired but nobody took it over. Under a claim that is no longer held, returns [`Taken`](RepositoryError::Taken) and leaves
    /// the record as it is.
    async fn renew_claim(
        &self,
        claim: &Claim,
        held_until: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), RepositoryError>;

    /// Saves the response under a claim that is still held, whether it is done or not. Under a claim that is no longer held,
    /// returns [`Taken`](RepositoryError::Taken) and leaves the record as it is.
    async fn save_response(&self, claim: &Claim, response: &SavedResponse) -> Result<(), RepositoryError>;

    /// Releases a claim that is not done, so that the key can be used again. Does nothing if the claim is no longer held.
    async fn release_claim(&self, claim: &Claim) -> Result<(), RepositoryError>;

    /// Deletes up to `limit` records that expired before `now`. Returns how many it deleted.
    async fn purge_claims(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;
}

/// The hash of actor and key by which a record is found; the key itself is never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash(pub [u8; 32]);

/// A claim on a key: the right to run one command under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key.
    pub key: KeyHash,
    /// A random id of the holder, so that a request whose claim expired and was taken over can no longer commit.
    pub holder: [u8; 16],
}

/// A claim to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewClaim {
    /// The claim.
    pub claim: Claim,
    /// The fingerprint of the request: a MAC over method, path and body, keyed with the idempotency key.
    pub fingerprint: [u8; 32],
    /// Until this instant, nobody else may take the claim over.
    pub held_until: DateTime<Utc>,
    /// From this instant on, the record no longer counts. The holder can put off both instants.
    pub expires_at: DateTime<Utc>,
}

/// The outcome of an attempt to claim a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimState {
    /// The key was claimed.
    Claimed,
    /// Another request holds the key.
    Held {
        /// The fingerprint of that request.
        fingerprint: [u8; 32],
    },
    /// The command was carried out, but its response was not saved.
    Done {
        /// The fingerprint of the request.
        fingerprint: [u8; 32],
        /// The id of the row that the commit created: [`NewIds::primary`](crate::id::NewIds::primary).
        made: Option<i64>,
        /// Until this instant, the holder may still be about to respond.
        held_until: DateTime<Utc>,
    },
    /// The request was answered.
    Answered {
        /// The fingerprint of the request.
        fingerprint: [u8; 32],
        /// The response.
        response: SavedResponse,
    },
}

/// A response as it is stored: encrypted, so that it cannot be read from the store.
#[derive(Clone, PartialEq, Eq)]
pub struct SavedResponse(pub Vec<u8>);

impl std::fmt::Debug for SavedResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SavedResponse({} bytes)", self.0.len())
    }
}
