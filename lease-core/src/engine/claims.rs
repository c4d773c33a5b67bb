use super::LeaseEngine;
use crate::error::Error;
use crate::repository::{Claim, ClaimState, KeyHash, NewClaim, SavedResponse};
use chrono::{DateTime, Duration, Utc};

/// How long a claim holds while its act runs; longer than any request may take.
const HELD: Duration = Duration::minutes(2);
/// How long a record is kept (rule 6.7).
const KEPT: Duration = Duration::hours(24);

/// Idempotency records (rule 6.7), for a layer that answers requests. What is hashed and how answers are sealed is its
/// business.
impl LeaseEngine {
    /// Claims a key for one act; the claim that comes back belongs into the [`RequestContext`](super::RequestContext) of the command. An act that was done and not
    /// answered yet counts as held while its holder may still be about to respond.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn claim(&self, key: KeyHash, fingerprint: [u8; 32]) -> Result<(Claim, ClaimState), Error> {
        let now = self.now();
        let claim = Claim { key, holder: self.random()? };
        let new = NewClaim { claim, fingerprint, held_until: now + HELD, expires_at: now + KEPT };
        let state = self.store().claim(&new, now).await?;
        Ok((claim, held_until_answered(state, now)))
    }

    /// Saves the response to the act that was done under a claim.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn save_response(&self, claim: &Claim, response: &SavedResponse) -> Result<(), Error> {
        Ok(self.store().save_response(claim, response).await?)
    }

    /// Gives a claim up that had no effect.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn release_claim(&self, claim: &Claim) -> Result<(), Error> {
        Ok(self.store().release_claim(claim).await?)
    }
}

/// Behind the commit of a payment comes the gateway, and behind that its response: until then nobody else may respond for it.
fn held_until_answered(state: ClaimState, now: DateTime<Utc>) -> ClaimState {
    match state {
        ClaimState::Done { fingerprint, held_until, .. } if now < held_until => ClaimState::Held { fingerprint },
        state => state,
    }
}
