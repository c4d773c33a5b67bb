use super::LeaseEngine;
use crate::error::{Error, Refusal, with_causes};
use crate::repository::{Claim, ClaimState, Guarantee, KeyHash, NewClaim, RepositoryError, SavedResponse};
use chrono::{DateTime, Duration, Utc};
use std::convert::Infallible;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// The time for which a claim is held unless it is renewed. Rule 6.7 frees and answers the key of a process that died within 5 seconds;
/// the rest of them is for the client's next attempt, for the command, and for clocks that differ.
const HELD: Duration = Duration::seconds(3);
/// The time between two renewals of a claim. One may fail, and the next one is still in time.
const RENEWED_EVERY: std::time::Duration = std::time::Duration::from_secs(1);
/// The time for which a record is kept (rule 6.7), from the last renewal of its claim on.
pub(super) const KEPT: Duration = Duration::hours(24);

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

    /// Runs the work of a request, and renews its claim about every second for as long as the work takes. If the claim was lost all
    /// the same, the work goes on, but can no longer commit.
    pub async fn hold_claim<W: Future>(&self, claim: &Claim, work: W) -> W::Output {
        tokio::select! {
            biased;
            output = work => output,
            never = self.renew(claim) => match never {},
        }
    }

    async fn renew(&self, claim: &Claim) -> Infallible {
        let mut ticks = interval_at(Instant::now() + RENEWED_EVERY, RENEWED_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            match self.keep_claim(claim, self.now(), self.now()).await {
                Ok(()) => {}
                Err(RepositoryError::Taken(_)) => return std::future::pending().await,
                Err(error) => tracing::warn!(error = %with_causes(&error), "an idempotency claim could not be renewed"),
            }
        }
    }

    /// Keeps the record of a claim until its command has long been answered by a clock that is about to be moved to `to`.
    ///
    /// # Errors
    /// [`Refusal::IdempotencyKeyInUse`] if the claim was lost to another request; [`Error::Unavailable`].
    pub(super) async fn keep_claim_until_after(&self, claim: &Claim, to: DateTime<Utc>) -> Result<(), Error> {
        under_claim(self.keep_claim(claim, self.now(), to).await)
    }

    /// Holds a claim for a while from one instant on, and keeps its record for a day from another one on.
    async fn keep_claim(&self, claim: &Claim, held_from: DateTime<Utc>, kept_from: DateTime<Utc>) -> Result<(), RepositoryError> {
        self.store().renew_claim(claim, held_from + HELD, kept_from + KEPT).await
    }

    /// Saves the response to the command that was carried out under a claim.
    ///
    /// # Errors
    /// [`Refusal::IdempotencyKeyInUse`] if the claim was lost to another request, so that nothing was done under it;
    /// [`Error::Unavailable`].
    pub async fn save_response(&self, claim: &Claim, response: &SavedResponse) -> Result<(), Error> {
        under_claim(self.store().save_response(claim, response).await)
    }

    /// Checks that a claim is still held: what another request does under the key may be the reason why this one was refused.
    ///
    /// # Errors
    /// [`Refusal::IdempotencyKeyInUse`] if the claim was lost to another request; [`Error::Unavailable`].
    pub async fn check_claim(&self, claim: &Claim) -> Result<(), Error> {
        under_claim(self.keep_claim(claim, self.now(), self.now()).await)
    }

    /// Releases a claim under which nothing was done.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn release_claim(&self, claim: &Claim) -> Result<(), Error> {
        Ok(self.store().release_claim(claim).await?)
    }
}

/// The outcome of what needs a claim.
fn under_claim(outcome: Result<(), RepositoryError>) -> Result<(), Error> {
    match outcome {
        Err(RepositoryError::Taken(Guarantee::Claim)) => Err(Refusal::IdempotencyKeyInUse.into()),
        outcome => Ok(outcome?),
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
