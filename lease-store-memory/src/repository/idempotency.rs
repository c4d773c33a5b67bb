use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::repository::{Claim, ClaimState, IdempotencyRepository, NewClaim, RepositoryError, SavedResponse};

use crate::MemoryRepository;

#[async_trait]
impl IdempotencyRepository for MemoryRepository {
    async fn claim(&self, new: &NewClaim, now: DateTime<Utc>) -> Result<ClaimState, RepositoryError> {
        self.write_claim(new, now)
    }

    async fn renew_claim(
        &self,
        claim: &Claim,
        held_until: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        self.extend_claim(claim, held_until, expires_at)
    }

    async fn save_response(&self, claim: &Claim, response: &SavedResponse) -> Result<(), RepositoryError> {
        self.write_response(claim, response)
    }

    async fn release_claim(&self, claim: &Claim) -> Result<(), RepositoryError> {
        self.give_up_claim(claim)
    }

    async fn purge_claims(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        self.forget_expired_claims(now, limit as usize)
    }
}
