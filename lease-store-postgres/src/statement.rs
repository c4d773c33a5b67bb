//! How a statement is run: with what is tried again, how often and how soon.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use lease_core::repository::RepositoryError;
use sqlx::PgPool;

use crate::error::Failure;

/// The shortest pause before a statement is run again; each further one is twice as long, and up to twice that at random.
const FIRST_PAUSE: Duration = Duration::from_millis(4);
/// How often a statement is run again at most.
const RETRIES: usize = 4;

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
        let mut pauses = ExponentialBuilder::new().with_min_delay(FIRST_PAUSE).with_max_times(RETRIES).with_jitter().build();
        loop {
            match (self.run(statement(&self.pool)).await, pauses.next()) {
                (Ok(value), _) => return Ok(value),
                (Err(Failure::Lost), Some(pause)) => sleep(pause).await,
                (Err(failure), _) => return Err(failure.into()),
            }
        }
    }

    /// Once, and not for ever: a network that went silent ends no connection.
    async fn run<T>(&self, statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Failure> {
        let response = tokio::time::timeout(self.timeout, statement).await;
        response.map_err(|silence| Failure::Final(RepositoryError::Unavailable(silence.into())))?.map_err(Failure::from)
    }
}

#[expect(clippy::disallowed_methods, reason = "those who ran into each other must not do so again")]
async fn sleep(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// The error of a store that is asked for what the contract rules out.
pub(crate) fn fault(what: &'static str) -> RepositoryError {
    RepositoryError::Internal(what.into())
}
