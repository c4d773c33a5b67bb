use super::LeaseEngine;
use crate::error::Error;
use crate::repository::{Claim, ClaimState, KeyHash, NewClaim, SavedResponse};
use chrono::{DateTime, Duration, Utc};

/// The time for which a claim is held while its command runs: longer than any request may take.
const HELD: Duration = Duration::minutes(2);
/// The time for which a record is kept (rule 6.7).
const KEPT: Duration = Duration::hours(24);

/// Idempotency records (rule 6.7), for a layer that answers requests. That layer decides what is hashed and how responses are
/// encrypted.
impl LeaseEngine {
    /// Claims a key for one command; the claim that is returned belongs in the command's
    /// [`RequestContext`](super::RequestContext). A command that was carried out but not yet answered counts as held while its
    /// holder may still be about to respond.
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

    /// Saves the response to the command that was carried out under a claim.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn save_response(&self, claim: &Claim, response: &SavedResponse) -> Result<(), Error> {
        Ok(self.store().save_response(claim, response).await?)
    }

    /// Releases a claim under which nothing was done.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn release_claim(&self, claim: &Claim) -> Result<(), Error> {
        Ok(self.store().release_claim(claim).await?)
    }
}

/// After a payment is committed, the gateway charges the card, and only then is the request answered. Until then, no other
/// request may answer for it.
fn held_until_answered(state: ClaimState, now: DateTime<Utc>) -> ClaimState {
    match state {
        ClaimState::Done { fingerprint, held_until, .. } if now < held_until => ClaimState::Held { fingerprint },
        state => state,
    }
}
