//! Idempotency records. Commits check and mark their record in their own statement, through the functions `begin_commit` and
//! `end_commit` of the schema.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::repository::{Claim, ClaimState, Guarantee, IdempotencyRepository, NewClaim, RepositoryError, SavedResponse};

use crate::PostgresRepository;
use crate::row::At;

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
        let saved = self
            .database
            .write(|pool| {
                sqlx::query!(
                    r#"
                update idempotency_records
                set response = $3
                where key = $1
                    and holder = $2
                "#,
                    claim.key.0.as_slice(),
                    claim.holder.as_slice(),
                    response.0,
                )
                .execute(pool)
            })
            .await?;
        if saved.rows_affected() == 1 { Ok(()) } else { Err(RepositoryError::Taken(Guarantee::Claim)) }
    }

    async fn release_claim(&self, claim: &Claim) -> Result<(), RepositoryError> {
        self.database
            .write(|pool| {
                sqlx::query!(
                    r#"
                delete from idempotency_records
                where key = $1
                    and holder = $2
                    and not has_effect
                    and response is null
                "#,
                    claim.key.0.as_slice(),
                    claim.holder.as_slice(),
                )
                .execute(pool)
            })
            .await
            .map(drop)
    }

    async fn purge_claims(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        let purged = self
            .database
            .write(|pool| {
                sqlx::query!(
                    r#"
                delete from idempotency_records
                where key in (
                    select key
                    from idempotency_records
                    where expires_at < $1
                    order by expires_at
                    limit $2
                    for update skip locked
                )
                "#,
                    now,
                    i64::from(limit),
                )
                .execute(pool)
            })
            .await?;
        Ok(purged.rows_affected())
    }
}

impl PostgresRepository {
    /// Creates the record, or takes over one that has expired or whose holder has run out of time.
    async fn take_claim(&self, new: &NewClaim, now: DateTime<Utc>) -> Result<bool, RepositoryError> {
        let taken = self
            .database
            .write(|pool| {
                sqlx::query!(
                    r#"
                insert into idempotency_records as record (key, holder, fingerprint, held_until, expires_at)
                values ($1, $2, $3, $4, $5)
                on conflict (key) do update
                set holder = excluded.holder,
                    fingerprint = excluded.fingerprint,
                    held_until = excluded.held_until,
                    expires_at = excluded.expires_at,
                    has_effect = false,
                    made = null,
                    response = null
                where record.expires_at <= $6
                    or (record.held_until <= $6 and not record.has_effect and record.response is null)
                "#,
                    new.claim.key.0.as_slice(),
                    new.claim.holder.as_slice(),
                    new.fingerprint.as_slice(),
                    new.held_until,
                    new.expires_at,
                    now,
                )
                .execute(pool)
            })
            .await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Reads the existing record.
    async fn find_claim(&self, new: &NewClaim) -> Result<Option<ClaimState>, RepositoryError> {
        let found = self
            .database
            .read(|pool| {
                sqlx::query!(
                    r#"
                select fingerprint, held_until, has_effect, made, response
                from idempotency_records
                where key = $1
                "#,
                    new.claim.key.0.as_slice(),
                )
                .fetch_optional(pool)
            })
            .await?;
        let Some(found) = found else { return Ok(None) };
        let fingerprint = <[u8; 32]>::try_from(found.fingerprint)
            .map_err(|_| At::new("idempotency_records", 0).corrupt("fingerprint is not 32 bytes"))?;
        Ok(Some(match (found.response, found.has_effect) {
            (Some(response), _) => ClaimState::Answered { fingerprint, response: SavedResponse(response) },
            (None, true) => ClaimState::Done { fingerprint, made: found.made, held_until: found.held_until },
            (None, false) => ClaimState::Held { fingerprint },
        }))
    }
}
