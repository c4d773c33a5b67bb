//! Runs statements, and retries those that may be retried, with pauses between the attempts.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use lease_core::repository::RepositoryError;
use sqlx::PgPool;

use crate::error::Failure;

/// The shortest pause before a statement is run again. Each further pause is twice as long, plus a random part of up to its
/// length.
const FIRST_PAUSE: Duration = Duration::from_millis(4);
/// The maximum number of times that a statement is run again.
const RETRIES: usize = 4;

/// The pool, and the time to wait for a statement on it.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) pool: PgPool,
    pub(crate) timeout: Duration,
}

impl Database {
    /// Runs a statement that only reads. If its connection breaks, it is run once more on another one.
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

    /// Runs a statement that writes. If Postgres rolls it back in favour of another one, it is run again after a random pause. If
    /// its connection breaks, it is not, since it may have been carried out.
    pub(crate) async fn write<'a, T, F>(&'a self, statement: impl Fn(&'a PgPool) -> F) -> Result<T, RepositoryError>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        let pauses = ExponentialBuilder::new().with_min_delay(FIRST_PAUSE).with_max_times(RETRIES).with_jitter();
        let attempt = || self.run(statement(&self.pool));
        Ok(attempt.retry(pauses).when(|failure| matches!(failure, Failure::Lost)).await?)
    }

    /// Runs the statement once, with a time limit: a network that goes silent does not end a connection.
    async fn run<T>(&self, statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Failure> {
        let response = tokio::time::timeout(self.timeout, statement).await;
        response.map_err(|silence| Failure::Final(RepositoryError::Unavailable(silence.into())))?.map_err(Failure::from)
    }
}

/// The error for a request that the contract does not allow.
pub(crate) fn fault(what: &'static str) -> RepositoryError {
    RepositoryError::Internal(what.into())
}
