//! Idempotency records. Commits check and mark their record in their own statement.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::repository::{Claim, ClaimState, Guarantee, IdempotencyRepository, NewClaim, RepositoryError, SavedResponse};
use sqlx::QueryBuilder;
use sqlx::postgres::Postgres;

use crate::PostgresRepository;
use crate::row::Fields;

/// The maximum number of attempts when the record appears or disappears between two statements.
const LOOKS: u32 = 5;

#[async_trait]
impl IdempotencyRepository for PostgresRepository {
    async fn claim(&self, new: &NewClaim, now: DateTime<Utc>) -> Result<ClaimState, RepositoryError> {
        for _ in 0..LOOKS {
            if self.take_claim(new, now).await? {
                return Ok(ClaimState::Claimed);
            }
            if let Some(state) = self.find_claim(new).await? {
                return Ok(state);
            }
        }
        Err(RepositoryError::Conflict)
    }

    async fn save_response(&self, claim: &Claim, response: &SavedResponse) -> Result<(), RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("update idempotency_records set response = ");
            query.push_bind(response.0.clone());
            push_held(&mut query, claim);
            query.push(" returning 1");
            query
        };
        let saved = self.database.write(statement).await?;
        if saved.is_empty() { Err(RepositoryError::Taken(Guarantee::Claim)) } else { Ok(()) }
    }

    async fn release_claim(&self, claim: &Claim) -> Result<(), RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("delete from idempotency_records");
            push_held(&mut query, claim);
            query.push(" and not has_effect and response is null");
            query
        };
        self.database.write(statement).await.map(drop)
    }

    async fn purge_claims(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        self.database.purge("idempotency_records", "key", now, limit).await
    }
}

/// Adds the condition that the claim is held.
fn push_held(query: &mut QueryBuilder<Postgres>, claim: &Claim) {
    query.push(" where key = ").push_bind(claim.key.0.to_vec()).push(" and holder = ").push_bind(claim.holder.to_vec());
}

impl PostgresRepository {
    /// Creates the record, or takes over one that has expired or whose holder has run out of time.
    async fn take_claim(&self, new: &NewClaim, now: DateTime<Utc>) -> Result<bool, RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new(
                "insert into idempotency_records as record (key, holder, fingerprint, held_until, expires_at) values (",
            );
            query
                .separated(", ")
                .push_bind(new.claim.key.0.to_vec())
                .push_bind(new.claim.holder.to_vec())
                .push_bind(new.fingerprint.to_vec())
                .push_bind(new.held_until)
                .push_bind(new.expires_at);
            query.push(
                ") on conflict (key) do update set (holder, fingerprint, held_until, expires_at, has_effect, made, response) \
                 = row(excluded.holder, excluded.fingerprint, excluded.held_until, excluded.expires_at, false, null, null) \
                 where record.expires_at <= ",
            );
            query.push_bind(now).push(" or (record.held_until <= ").push_bind(now);
            query.push(" and not record.has_effect and record.response is null) returning 1");
            query
        };
        Ok(!self.database.write(statement).await?.is_empty())
    }

    /// Reads the existing record.
    async fn find_claim(&self, new: &NewClaim) -> Result<Option<ClaimState>, RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new(
                "select fingerprint, held_until, has_effect, made, response from idempotency_records where key = ",
            );
            query.push_bind(new.claim.key.0.to_vec());
            query
        };
        let Some(row) = self.database.read_one(statement).await? else { return Ok(None) };
        let mut fields = Fields::of(&row);
        let fingerprint: &[u8] = fields.get()?;
        let fingerprint = fields.parsed(fingerprint.try_into())?;
        let (held_until, has_effect, made) = (fields.get()?, fields.get()?, fields.get()?);
        let response: Option<Vec<u8>> = fields.get()?;
        Ok(Some(match (response, has_effect) {
            (Some(response), _) => ClaimState::Answered { fingerprint, response: SavedResponse(response) },
            (None, true) => ClaimState::Done { fingerprint, made, held_until },
            (None, false) => ClaimState::Held { fingerprint },
        }))
    }
}
