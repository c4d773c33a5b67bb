use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::RepositoryError;

/// Idempotency records (rule 6.7). A record is *claimed* before the act, marked with its *effect* in the act's own commit,
/// and *answered* afterwards. A crash before the effect leaves a claim that runs out; a crash after it leaves an effect
/// from which the response is made again. Neither repeats the act.
#[async_trait]
pub trait IdempotencyRepository {
    /// Claims a key, if nobody has it: or if its record expired (`expires_at` ≤ `now`), or if its claim ran out
    /// (`held_until` ≤ `now`) without effect or answer. Otherwise returns what is there, unchanged.
    async fn claim(&self, new: &NewClaim, now: DateTime<Utc>) -> Result<ClaimState, RepositoryError>;

    /// Saves the response under a claim that is still held, whether it had an effect or not; under one that is not,
    /// [`Taken`](RepositoryError::Taken) and the record stays.
    async fn save_response(&self, claim: &Claim, response: &SavedResponse) -> Result<(), RepositoryError>;

    /// Gives a claim up that had no effect, so that the key can be used again. One that is no longer held stays.
    async fn release_claim(&self, claim: &Claim) -> Result<(), RepositoryError>;

    /// Forgets records that expired before `now`; at most `limit`. Returns how many.
    async fn purge_claims(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;
}

/// What a record is found by: a hash over actor and key; never the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash(pub [u8; 32]);

/// A claim on a key: the right to act once under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key.
    pub key: KeyHash,
    /// Who holds it: random, so that one whose claim ran out and was taken over can no longer commit.
    pub holder: [u8; 16],
}

/// A claim to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewClaim {
    /// The claim.
    pub claim: Claim,
    /// What is asked: a MAC over method, path and body, keyed by the key.
    pub fingerprint: [u8; 32],
    /// Until when nobody else may take it over.
    pub held_until: DateTime<Utc>,
    /// From when on the record is forgotten.
    pub expires_at: DateTime<Utc>,
}

/// What became of an attempt to claim a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimState {
    /// It is ours.
    Claimed,
    /// Another request holds it.
    Held {
        /// What that one asked.
        fingerprint: [u8; 32],
    },
    /// The act was done; its response was not saved.
    Done {
        /// What was asked.
        fingerprint: [u8; 32],
        /// The row that the act's commit made: [`NewIds::primary`](crate::id::NewIds::primary).
        made: Option<i64>,
        /// Until when its holder may still be about to respond.
        held_until: DateTime<Utc>,
    },
    /// The act was done and answered.
    Answered {
        /// What was asked.
        fingerprint: [u8; 32],
        /// The response.
        response: SavedResponse,
    },
}

/// A response as it is kept: encrypted, so that a store holds nothing that could be read.
#[derive(Clone, PartialEq, Eq)]
pub struct SavedResponse(pub Vec<u8>);

impl std::fmt::Debug for SavedResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SavedResponse({} bytes)", self.0.len())
    }
}
