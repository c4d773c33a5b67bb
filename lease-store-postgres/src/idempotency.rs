//! Idempotency records. Commits check and mark their record in their own statement, through the functions `begin_commit` and
//! `end_commit` of the schema.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::repository::{Claim, ClaimState, Guarantee, IdempotencyRepository, NewClaim, RepositoryError, SavedResponse};

use crate::PostgresRepository;
use crate::row::At;

#[async_trait]
impl IdempotencyRepository for PostgresRepository {
    /// A record that is not free is written again as it is, which locks it and returns it in the same statement.
    async fn claim(&self, new: &NewClaim, now: DateTime<Utc>) -> Result<ClaimState, RepositoryError> {
        let found = self
            .database
            .write(|pool| {
                sqlx::query!(
                    r#"
                insert into idempotency_records as record (key, holder, fingerprint, held_until, expires_at)
                values ($1, $2, $3, $4, $5)
                on conflict (key) do update
                set (holder, fingerprint, held_until, expires_at, has_effect, made, response) = (
                    select (next).holder, (next).fingerprint, (next).held_until, (next).expires_at,
                        (next).has_effect, (next).made, (next).response
                    from (
                        select case
                            when record.expires_at <= $6
                                or (
                                    (record.held_until <= $6 or record.holder = excluded.holder)
                                    and not record.has_effect
                                    and record.response is null
                                )
                            then excluded
                            else record
                        end as next
                    ) as choice
                )
                returning holder = $2 as "is_ours!", fingerprint, held_until, has_effect, made, response
                "#,
                    new.claim.key.0.as_slice(),
                    new.claim.holder.as_slice(),
                    new.fingerprint.as_slice(),
                    new.held_until,
                    new.expires_at,
                    now,
                )
                .fetch_one(pool)
            })
            .await?;
        let fingerprint = <[u8; 32]>::try_from(found.fingerprint)
            .map_err(|_| At::new("idempotency_records", 0).corrupt("fingerprint is not 32 bytes"))?;
        Ok(match (found.response, found.has_effect) {
            (Some(response), _) => ClaimState::Answered { fingerprint, response: SavedResponse(response) },
            (None, true) => ClaimState::Done { fingerprint, made: found.made, held_until: found.held_until },
            (None, false) if found.is_ours => ClaimState::Claimed,
            (None, false) => ClaimState::Held { fingerprint },
        })
    }

    async fn renew_claim(&self, claim: &Claim, held_until: DateTime<Utc>) -> Result<(), RepositoryError> {
        let renewed = self
            .database
            .write(|pool| {
                sqlx::query!(
                    r#"
                update idempotency_records
                set held_until = $3
                where key = $1
                    and holder = $2
                "#,
                    claim.key.0.as_slice(),
                    claim.holder.as_slice(),
                    held_until,
                )
                .execute(pool)
            })
            .await?;
        if renewed.rows_affected() == 1 { Ok(()) } else { Err(RepositoryError::Taken(Guarantee::Claim)) }
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
