//! Runs statements, and retries those that may be retried, with pauses between the attempts.

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use chrono::{DateTime, Utc};
use lease_core::id::{Id as _, Stored, Versioned};
use lease_core::repository::RepositoryError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, Postgres};
use sqlx::{AssertSqlSafe, Executor as _, QueryBuilder};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use crate::connect::{Connection, Connections};
use crate::disk::Disk;
use crate::error::Failure;
use crate::options::PostgresOptions;
use crate::row::{Fields, Table, push_columns};

/// The shortest pause before a statement is run again. Each further pause is twice as long, plus a random part of up to its
/// length.
const FIRST_PAUSE: Duration = Duration::from_millis(4);
/// The maximum number of times that a statement is run again.
const RETRIES: usize = 4;

/// How often a statement that only reads is run. Its first connection may have ended before, and the next one may end meanwhile.
const READ_ATTEMPTS: u32 = 4;

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

/// The connections, and how statements are run on them.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    connections: Connections,
    options: PostgresOptions,
    /// How a transaction begins.
    begin: String,
    disk: Arc<Disk>,
    /// The transaction to which the statements belong; without one, each is atomic by itself.
    transaction: Option<Arc<Mutex<Transaction>>>,
}

/// A transaction of several statements. If it is dropped, it is rolled back.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) connection: Connection,
    /// Whether Postgres rolled it back in favour of another one.
    pub(crate) is_lost: bool,
}

impl Database {
    /// A database whose connections show this name in Postgres.
    pub(crate) fn new(connect: &PgConnectOptions, options: PostgresOptions, name: &str) -> Self {
        let connections = Connections::new(connect, &options, name);
        Self { connections, begin: options.begin(), options, disk: Arc::default(), transaction: None }
    }

    /// The same database, for statements about one subject. They never use all connections, so that a lock which stops them leaves
    /// some to others.
    pub(crate) fn for_a_subject(&self) -> Self {
        Self { connections: self.connections.share(), ..self.clone() }
    }

    pub(crate) const fn disk(&self) -> &Arc<Disk> {
        &self.disk
    }

    pub(crate) const fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Runs a statement that only reads. If its connection breaks, it is run again on another one, a few times.
    pub(crate) async fn read<S: Into<Statement>>(&self, statement: impl Fn() -> S) -> Result<Vec<PgRow>, RepositoryError> {
        let mut attempts = READ_ATTEMPTS;
        loop {
            match self.run(statement().into()).await {
                Err(Failure::Lost | Failure::Disconnected(_)) if attempts > 1 => attempts -= 1,
                outcome => return Ok(outcome?),
            }
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

    /// Deletes up to `limit` rows of which the instant in `at` is before this one, if `condition` holds for them as well. Returns how
    /// many it deleted.
    pub(crate) async fn purge(
        &self,
        (table, key, at, condition): (&str, &str, &str, &str),
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<u64, RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("with gone as (delete from ");
            query.push(table).push(" where ").push(key).push(" in (select ").push(key).push(" from ").push(table);
            query.push(" where ").push(at).push(" < ").push_bind(before).push(" and ").push(condition);
            query.push(" order by ").push(at).push(" limit ").push_bind(i64::from(limit));
            query.push(" for update skip locked) returning 1) select count(*) from gone");
            query
        };
        let rows = self.write(statement).await?;
        let count: i64 = rows.first().map_or(Ok(0), |row| Fields::of(row).get())?;
        Ok(count.unsigned_abs())
    }

    /// Runs a statement that writes. If Postgres rolls it back in favour of another one, it is run again after a random pause,
    /// unless it belongs to a transaction. If its connection breaks, it is not, since it may have been carried out.
    pub(crate) async fn write<S: Into<Statement>>(&self, statement: impl Fn() -> S) -> Result<Vec<PgRow>, RepositoryError> {
        if self.transaction.is_some() {
            return Ok(self.run(statement().into()).await?);
        }
        let written = self.retry(|| self.run(statement().into())).await?;
        self.disk.took_a_write();
        Ok(written)
    }

    /// Runs the statement once.
    async fn run(&self, statement: Statement) -> Result<Vec<PgRow>, Failure> {
        if let Some(transaction) = &self.transaction {
            let mut transaction = transaction.lock().await;
            let outcome = self.in_time(self.run_on(&mut transaction.connection, statement)).await;
            transaction.is_lost = matches!(outcome, Err(Failure::Lost));
            return outcome;
        }
        let mut connection = self.connections.take().await?;
        let outcome = self.in_time(self.run_alone(&mut connection, statement)).await;
        match &outcome {
            Ok(_) => connection.settle(),
            Err(Failure::Disconnected(_)) => {
                connection.close();
                self.connections.forget();
            }
            Err(Failure::Silent(_)) => connection.close(),
            // Dropped, the connection ends a transaction that may still be open.
            Err(Failure::Lost | Failure::Final(_)) => {}
        }
        outcome
    }

    async fn run_on(&self, connection: &mut PgConnection, mut statement: Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        let is_kept = statement.is_kept && self.options.pooler.keeps_statements();
        statement.query.build().persistent(is_kept).fetch_all(connection).await
    }

    /// Runs the statement, which belongs to no other. Behind a pooler it is a transaction of its own, which begins with the
    /// settings.
    async fn run_alone(&self, connection: &mut Connection, statement: Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        if self.options.pooler.keeps_sessions() {
            return self.run_on(connection, statement).await;
        }
        connection.execute(AssertSqlSafe(self.begin.clone())).await?;
        let rows = self.run_on(connection, statement).await?;
        connection.execute("commit").await?;
        Ok(rows)
    }

    /// Begins a transaction. The statements of the database that this returns belong to it.
    pub(crate) async fn begin(&self) -> Result<(Self, Arc<Mutex<Transaction>>), Failure> {
        let mut connection = self.connections.take().await?;
        self.in_time(connection.execute(AssertSqlSafe(self.begin.clone()))).await?;
        let transaction = Arc::new(Mutex::new(Transaction { connection, is_lost: false }));
        Ok((Self { transaction: Some(Arc::clone(&transaction)), ..self.clone() }, transaction))
    }

    /// Commits the transaction.
    pub(crate) async fn end(&self, mut transaction: MutexGuard<'_, Transaction>) -> Result<(), Failure> {
        self.in_time(transaction.connection.execute(self.options.pooler.commit())).await?;
        transaction.connection.settle();
        self.disk.took_a_write();
        Ok(())
    }

    /// Makes an attempt, and again if Postgres rolled it back in favour of another statement.
    pub(crate) async fn retry<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        attempt: impl Fn() -> F,
    ) -> Result<T, RepositoryError> {
        let pauses = ExponentialBuilder::new().with_min_delay(FIRST_PAUSE).with_max_times(RETRIES).with_jitter();
        Ok(attempt.retry(pauses).when(|failure| matches!(failure, Failure::Lost)).await?)
    }

    /// Waits for Postgres, with a time limit: a network that goes silent does not end a connection.
    async fn in_time<T>(&self, statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Failure> {
        let response = timeout(self.connections.statement_limit, statement).await;
        response.map_err(Failure::Silent)?.map_err(|error| {
            self.disk.note(&error);
            error.into()
        })
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
