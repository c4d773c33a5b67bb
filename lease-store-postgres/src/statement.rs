//! How a statement is run: with what is tried again, how often and how soon.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use lease_core::repository::{Claim, RepositoryError};
use sqlx::PgPool;

use crate::error::Failure;

/// How often a statement is run at most.
const ATTEMPTS: u32 = 5;
/// How long the first retry waits at most; each further one up to twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(4);

/// The pool, and how long to wait for what runs on it.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) pool: PgPool,
    pub(crate) timeout: Duration,
}

impl Database {
    /// Runs a statement that only reads. One whose connection broke is run once more, on another.
    pub(crate) async fn read<'a, T, F>(&'a self, statement: impl Fn(&'a PgPool) -> F) -> Result<T, RepositoryError>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        match self.run(statement(&self.pool)).await {
            Ok(value) => Ok(value),
            Err(Failure::Lost | Failure::Disconnected(_)) => Ok(self.run(statement(&self.pool)).await?),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Runs a statement that writes. One that Postgres undid in favour of another is run again after a random pause; one
    /// whose connection broke is not, since it may have been carried out.
    pub(crate) async fn write<'a, T, F>(&'a self, statement: impl Fn(&'a PgPool) -> F) -> Result<T, RepositoryError>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        for attempt in 1..ATTEMPTS {
            match self.run(statement(&self.pool)).await {
                Ok(value) => return Ok(value),
                Err(Failure::Lost) => pause(attempt).await,
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(self.run(statement(&self.pool)).await?)
    }

    /// Once, and not for ever: a network that went silent ends no connection.
    async fn run<T>(&self, statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Failure> {
        let response = tokio::time::timeout(self.timeout, statement).await;
        response.map_err(|silence| Failure::Final(RepositoryError::Unavailable(silence.into())))?.map_err(Failure::from)
    }
}

#[expect(clippy::disallowed_methods, reason = "those who ran into each other must not do so again")]
async fn pause(attempt: u32) {
    let longest = FIRST_PAUSE.saturating_mul(1 << attempt);
    // A fresh hasher is keyed at random.
    let share = RandomState::new().hash_one(attempt) % 1_000;
    tokio::time::sleep(longest.mul_f64(f64::from(u32::try_from(share).unwrap_or(0)) / 1_000.0)).await;
}

/// The two arguments that every statement that writes begins with: key and holder of the claim it is under.
pub(crate) fn claim_arguments(claim: Option<&Claim>) -> (Option<&[u8]>, Option<&[u8]>) {
    (claim.map(|claim| claim.key.0.as_slice()), claim.map(|claim| claim.holder.as_slice()))
}

/// The error of a store that is asked for what the contract rules out.
pub(crate) fn fault(what: &'static str) -> RepositoryError {
    RepositoryError::Internal(what.into())
}
