//! Runs statements, and retries those that may be retried, with pauses between the attempts.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use chrono::{DateTime, Utc};
use lease_core::id::{Id as _, Stored, Versioned};
use lease_core::repository::RepositoryError;
use sqlx::postgres::{PgConnectOptions, PgRow, Postgres};
use sqlx::{AssertSqlSafe, Executor as _, QueryBuilder};
use tokio::time::timeout;

use crate::connect::{Connection, Connections};
use crate::error::Failure;
use crate::options::{Pooler, PostgresOptions};
use crate::row::{Fields, Table, push_columns};

/// The shortest pause before a statement is run again. Each further pause is twice as long, plus a random part of up to its
/// length.
const FIRST_PAUSE: Duration = Duration::from_millis(4);
/// The maximum number of times that a statement is run again.
const RETRIES: usize = 4;

/// The connections, and how statements are run on them.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) connections: Connections,
    /// How a transaction begins, if every statement is one of its own.
    pub(crate) begin: Option<String>,
    /// Whether statements are prepared once and kept.
    pub(crate) keeps_statements: bool,
}

impl Database {
    pub(crate) fn new(connect: PgConnectOptions, options: &PostgresOptions) -> Self {
        Self {
            connections: Connections::new(options.connect_options(connect), options),
            begin: options.begin(),
            keeps_statements: options.pooler != Pooler::Transaction,
        }
    }
}

/// A statement with its arguments.
pub(crate) struct Statement {
    query: QueryBuilder<Postgres>,
    is_kept: bool,
}

impl From<QueryBuilder<Postgres>> for Statement {
    fn from(query: QueryBuilder<Postgres>) -> Self {
        Self { query, is_kept: true }
    }
}

impl Statement {
    /// A statement whose plan depends on its arguments, so that it has to be made each time.
    pub(crate) const fn planned_anew(query: QueryBuilder<Postgres>) -> Self {
        Self { query, is_kept: false }
    }
}

impl Database {
    /// Runs a statement that only reads. If its connection breaks, it is run once more on another one.
    pub(crate) async fn read<S: Into<Statement>>(&self, statement: impl Fn() -> S) -> Result<Vec<PgRow>, RepositoryError> {
        match self.run(statement().into()).await {
            Ok(rows) => Ok(rows),
            Err(Failure::Lost | Failure::Disconnected(_)) => Ok(self.run(statement().into()).await?),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The same as [`read`](Self::read), for a statement that finds one row at most.
    pub(crate) async fn read_one<S: Into<Statement>>(&self, statement: impl Fn() -> S) -> Result<Option<PgRow>, RepositoryError> {
        Ok(self.read(statement).await?.into_iter().next())
    }

    /// Reads a row of a table.
    pub(crate) async fn find<T: Table>(&self, id: T::Id) -> Result<Option<Stored<T>>, RepositoryError> {
        let found = self.read_one(|| row_statement::<T>("", id)).await?;
        found.map(|row| Fields::of(&row).row()).transpose()
    }

    /// Reads a row of a table and its version.
    pub(crate) async fn find_versioned<T: Table>(&self, id: T::Id) -> Result<Option<Versioned<Stored<T>>>, RepositoryError> {
        let found = self.read_one(|| row_statement::<T>("t.version, ", id)).await?;
        found.map(|row| Fields::of(&row).versioned()).transpose()
    }

    /// Deletes up to `limit` rows that expired before `now`. Returns how many it deleted.
    pub(crate) async fn purge(&self, table: &str, key: &str, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("with gone as (delete from ");
            query.push(table).push(" where ").push(key).push(" in (select ").push(key).push(" from ").push(table);
            query.push(" where expires_at < ").push_bind(now).push(" order by expires_at limit ").push_bind(i64::from(limit));
            query.push(" for update skip locked) returning 1) select count(*) from gone");
            query
        };
        let rows = self.write(statement).await?;
        let count: i64 = rows.first().map_or(Ok(0), |row| Fields::of(row).get())?;
        Ok(count.unsigned_abs())
    }

    /// Runs a statement that writes. If Postgres rolls it back in favour of another one, it is run again after a random pause. If
    /// its connection breaks, it is not, since it may have been carried out.
    pub(crate) async fn write<S: Into<Statement>>(&self, statement: impl Fn() -> S) -> Result<Vec<PgRow>, RepositoryError> {
        let pauses = ExponentialBuilder::new().with_min_delay(FIRST_PAUSE).with_max_times(RETRIES).with_jitter();
        let attempt = || self.run(statement().into());
        Ok(attempt.retry(pauses).when(|failure| matches!(failure, Failure::Lost)).await?)
    }

    /// Runs the statement once, with a time limit: a network that goes silent does not end a connection.
    async fn run(&self, statement: Statement) -> Result<Vec<PgRow>, Failure> {
        let mut connection = self.connections.take().await?;
        let response = timeout(self.connections.statement_limit, self.run_on(&mut connection, statement)).await;
        match response.map(|outcome| outcome.map_err(Failure::from)) {
            Ok(Ok(rows)) => {
                connection.give_back();
                Ok(rows)
            }
            Ok(Err(failure)) => {
                if let Failure::Disconnected(_) = failure {
                    connection.close();
                    self.connections.forget();
                }
                Err(failure)
            }
            Err(silence) => {
                connection.close();
                Err(Failure::Final(RepositoryError::Unavailable(silence.into())))
            }
        }
    }

    async fn run_on(&self, connection: &mut Connection, mut statement: Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        let query = statement.query.build().persistent(statement.is_kept && self.keeps_statements);
        let Some(begin) = &self.begin else { return query.fetch_all(&mut **connection).await };
        connection.execute(AssertSqlSafe(begin.clone())).await?;
        let outcome = query.fetch_all(&mut **connection).await;
        connection.execute(if outcome.is_ok() { "commit" } else { "rollback" }).await?;
        outcome
    }
}

/// Reads these columns and those of a row of a table.
fn row_statement<T: Table>(columns: &str, id: T::Id) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("select ");
    push_columns::<T>(query.push(columns), "t");
    query.push(" from ").push(T::NAME).push(" t where t.id = ").push_bind(id.get());
    query
}

/// The error for a request that the contract does not allow.
pub(crate) fn fault(what: &'static str) -> RepositoryError {
    RepositoryError::Internal(what.into())
}
