use chrono::{DateTime, Utc};
use lease_core::repository::{Claim, ClaimState, NewClaim, RepositoryError, SavedResponse};

use crate::MemoryRepository;

impl MemoryRepository {
    pub(crate) fn write_claim(&self, new: &NewClaim, now: DateTime<Utc>) -> Result<ClaimState, RepositoryError> {
        self.state.write(
            |state| Ok(state.claims.state(new, now)),
            |state, became| {
                if matches!(became, ClaimState::Claimed) {
                    state.claims.insert(new);
                }
            },
        )
    }

    pub(crate) fn extend_claim(
        &self,
        claim: &Claim,
        held_until: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        self.state.write(|state| state.claims.check_held(claim), |state, ()| state.claims.extend(claim, held_until, expires_at))
    }

    pub(crate) fn write_response(&self, claim: &Claim, response: &SavedResponse) -> Result<(), RepositoryError> {
        self.state.write(|state| state.claims.check_held(claim), |state, ()| state.claims.response(claim, response))
    }

    pub(crate) fn give_up_claim(&self, claim: &Claim) -> Result<(), RepositoryError> {
        self.state
            .write(
                |state| Ok(state.claims.is_fresh(claim)),
                |state, is_fresh| {
                    if *is_fresh {
                        state.claims.remove(&claim.key);
                    }
                },
            )
            .map(drop)
    }

    pub(crate) fn forget_expired_claims(&self, now: DateTime<Utc>, limit: usize) -> Result<u64, RepositoryError> {
        let expired = self.state.write(
            |state| Ok::<_, RepositoryError>(state.claims.expired(now, limit)),
            |state, expired| expired.iter().for_each(|key| state.claims.remove(key)),
        )?;
        Ok(expired.len() as u64)
    }
}
