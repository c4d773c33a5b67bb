//! Idempotency records.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::repository::{Claim, ClaimState, Guarantee, IdempotencyRepository, NewClaim, RepositoryError, SavedResponse};

use crate::SqliteRepository;
use crate::error::failure;
use crate::sql::{Db, Fields, Sql, sql};
use crate::table;
use crate::value::values;

/// The condition that a claim is held.
const IS_HELD: &str = "key = ? and holder = ?";
/// The condition that a claim is held, and nothing was done under it.
const IS_FRESH: &str = "key = ? and holder = ? and not is_done and response is null";

#[async_trait]
impl IdempotencyRepository for SqliteRepository {
    async fn claim(&self, new: &NewClaim, now: DateTime<Utc>) -> Result<ClaimState, RepositoryError> {
        let mut db = self.writing().await?;
        let state = state(&mut db, new, now).await?;
        if state == ClaimState::Claimed {
            let NewClaim { claim: Claim { key, holder }, fingerprint, held_until, expires_at } = new;
            let replace = "insert or replace into idempotency_records (key, holder, fingerprint, held_until, expires_at) \
                           values (?, ?, ?, ?, ?)";
            sql(replace, values![key.0, holder, fingerprint, held_until, expires_at]).run(&mut db).await?;
            db.commit().await.map_err(failure)?;
        }
        Ok(state)
    }

    async fn renew_claim(
        &self,
        claim: &Claim,
        held_until: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        let renew = sql("update idempotency_records set held_until = ?, expires_at = ?", values![held_until, expires_at]);
        self.update_held(renew, claim).await
    }

    async fn save_response(&self, claim: &Claim, SavedResponse(response): &SavedResponse) -> Result<(), RepositoryError> {
        self.update_held(sql("update idempotency_records set response = ?", values![response]), claim).await
    }

    async fn release_claim(&self, claim: &Claim) -> Result<(), RepositoryError> {
        let mut db = self.writing().await?;
        let release = format!("delete from idempotency_records where {IS_FRESH}");
        sql(release, values![claim.key.0, claim.holder]).run(&mut db).await?;
        db.commit().await.map_err(failure)
    }

    async fn purge_claims(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        let mut db = self.writing().await?;
        let records = ("idempotency_records", "key", "expires_at");
        let purged = table::purge(&mut db, records, "expires_at < ?", values![now], limit).await?;
        db.commit().await.map_err(failure)?;
        Ok(purged)
    }
}

impl SqliteRepository {
    /// Changes the record of a claim that is held.
    async fn update_held(&self, mut update: Sql, claim: &Claim) -> Result<(), RepositoryError> {
        let mut db = self.writing().await?;
        update.push(" where ", []).push(IS_HELD, values![claim.key.0, claim.holder]);
        require_held(update.run(&mut db).await? == 1)?;
        db.commit().await.map_err(failure)
    }
}

const fn require_held(is_held: bool) -> Result<(), RepositoryError> {
    if is_held { Ok(()) } else { Err(RepositoryError::Taken(Guarantee::Claim)) }
}

/// The outcome of a new claim on its key.
async fn state(db: &mut Db, new: &NewClaim, now: DateTime<Utc>) -> Result<ClaimState, RepositoryError> {
    let record = "select holder, fingerprint, held_until, is_done, made, response from idempotency_records \
                  where key = ? and expires_at > ?";
    let Some(row) = sql(record, values![new.claim.key.0, now]).row(db).await? else { return Ok(ClaimState::Claimed) };
    let mut fields = Fields::of(&row, "idempotency_records");
    let holder: [u8; 16] = fields.get()?;
    let (fingerprint, held_until) = (fields.get()?, fields.get()?);
    let (is_done, made, response): (bool, _, Option<Vec<u8>>) = (fields.get()?, fields.get()?, fields.get()?);
    Ok(match response {
        Some(response) => ClaimState::Answered { fingerprint, response: SavedResponse(response) },
        None if is_done => ClaimState::Done { fingerprint, made, held_until },
        None if held_until <= now || holder == new.claim.holder => ClaimState::Claimed,
        None => ClaimState::Held { fingerprint },
    })
}

/// Succeeds if there is no claim, or one that is held and under which nothing was done.
pub(crate) async fn check(db: &mut Db, claim: Option<Claim>) -> Result<(), RepositoryError> {
    let Some(claim) = claim else { return Ok(()) };
    let fresh = format!("select 1 from idempotency_records where {IS_FRESH}");
    require_held(sql(fresh, values![claim.key.0, claim.holder]).exists(db).await?)
}

/// Marks a claim as done, with the id of the row that was made.
pub(crate) async fn finish(db: &mut Db, claim: Option<Claim>, made: Option<i64>) -> Result<(), RepositoryError> {
    let Some(claim) = claim else { return Ok(()) };
    let finish = "update idempotency_records set is_done = 1, made = ? where key = ?";
    sql(finish, values![made, claim.key.0]).run(db).await.map(drop)
}
