//! Idempotency records. Commits check and mark their record in their own statement.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::repository::{Claim, ClaimState, Guarantee, IdempotencyRepository, NewClaim, RepositoryError, SavedResponse};
use sqlx::QueryBuilder;
use sqlx::postgres::Postgres;

use crate::PostgresRepository;
use crate::row::Fields;

#[async_trait]
impl IdempotencyRepository for PostgresRepository {
    /// A record that is not free is written again as it is, which locks it and returns it in the same statement.
    async fn claim(&self, new: &NewClaim, now: DateTime<Utc>) -> Result<ClaimState, RepositoryError> {
        let rows = self.accounts.write(|| claim_statement(new, now)).await?;
        let Some(row) = rows.first() else { return Err(RepositoryError::Conflict) };
        let mut fields = Fields::of(row);
        let is_ours = fields.get()?;
        let fingerprint: &[u8] = fields.get()?;
        let fingerprint = fields.parsed(fingerprint.try_into())?;
        let (held_until, has_effect, made) = (fields.get()?, fields.get()?, fields.get()?);
        let response: Option<Vec<u8>> = fields.get()?;
        Ok(match (response, has_effect) {
            (Some(response), _) => ClaimState::Answered { fingerprint, response: SavedResponse(response) },
            (None, true) => ClaimState::Done { fingerprint, made, held_until },
            (None, false) if is_ours => ClaimState::Claimed,
            (None, false) => ClaimState::Held { fingerprint },
        })
    }

    async fn renew_claim(
        &self,
        claim: &Claim,
        held_until: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        let set = |query: &mut QueryBuilder<Postgres>| {
            query.push("held_until = ").push_bind(held_until).push(", expires_at = ").push_bind(expires_at);
        };
        self.set_held(claim, set).await
    }

    async fn save_response(&self, claim: &Claim, response: &SavedResponse) -> Result<(), RepositoryError> {
        let set = |query: &mut QueryBuilder<Postgres>| {
            query.push("response = ").push_bind(response.0.as_slice());
        };
        self.set_held(claim, set).await
    }

    async fn release_claim(&self, claim: &Claim) -> Result<(), RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("delete from idempotency_records");
            push_held(&mut query, claim);
            query.push(" and not has_effect and response is null");
            query
        };
        self.accounts.write(statement).await.map(drop)
    }

    async fn purge_claims(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        self.accounts.purge(("idempotency_records", "key", "expires_at", "true"), now, limit).await
    }
}

impl PostgresRepository {
    /// Sets columns of the record, if the claim is still held.
    async fn set_held(&self, claim: &Claim, push_columns: impl Fn(&mut QueryBuilder<Postgres>)) -> Result<(), RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("update idempotency_records set ");
            push_columns(&mut query);
            push_held(&mut query, claim);
            query.push(" returning 1");
            query
        };
        let set = self.accounts.write(statement).await?;
        if set.is_empty() { Err(RepositoryError::Taken(Guarantee::Claim)) } else { Ok(()) }
    }
}

/// Adds the condition that the claim is held.
fn push_held(query: &mut QueryBuilder<Postgres>, claim: &Claim) {
    query.push(" where key = ").push_bind(claim.key.0.as_slice()).push(" and holder = ").push_bind(claim.holder.as_slice());
}

/// Creates the record, or takes over one that has expired, or whose holder has run out of time or claims it again.
fn claim_statement(new: &NewClaim, now: DateTime<Utc>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "insert into idempotency_records as record (key, holder, fingerprint, held_until, expires_at) values (",
    );
    query
        .separated(", ")
        .push_bind(new.claim.key.0.as_slice())
        .push_bind(new.claim.holder.as_slice())
        .push_bind(new.fingerprint.as_slice())
        .push_bind(new.held_until)
        .push_bind(new.expires_at);
    query
        .push(
            ") on conflict (key) do update set (holder, fingerprint, held_until, expires_at, has_effect, made, response) = (\
             select (next).holder, (next).fingerprint, (next).held_until, (next).expires_at, (next).has_effect, (next).made, \
             (next).response from (select case when record.expires_at <= ",
        )
        .push_bind(now)
        .push(" or ((record.holder = excluded.holder or record.held_until <= ")
        .push_bind(now)
        .push(") and not record.has_effect and record.response is null) then excluded else record end as next) as choice)")
        .push(" returning holder = ")
        .push_bind(new.claim.holder.as_slice())
        .push(", fingerprint, held_until, has_effect, made, response");
    query
}
