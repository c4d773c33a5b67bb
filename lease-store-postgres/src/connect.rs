//! The connections to Postgres and their settings.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult, Timeouts};
use deadpool::{Runtime, managed::Pool};
use lease_core::repository::RepositoryError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _};

use crate::check;
use crate::error::Failure;
use crate::options::PostgresOptions;

/// A connection that has been idle for longer than this is tested before it is used. One that was in use a moment ago is not,
/// which saves a round trip.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// A connection that does not respond for this long is closed.
pub(crate) const SILENCE: Duration = Duration::from_secs(1);

/// The store's own connections. Unlike the pool of `sqlx`, which asks a connection for a sign of life after each use, this one
/// costs no round trip.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pool: Pool<Connector>,
    /// The time that an interrupted statement may still run for.
    cut_off: Duration,
    /// The statement that ends a transaction which was interrupted.
    roll_back: &'static str,
}

impl Connections {
    pub(crate) fn new(connect: &PgConnectOptions, options: &PostgresOptions) -> Self {
        let timeouts =
            Timeouts { wait: Some(options.acquire_timeout), create: Some(options.acquire_timeout), recycle: Some(SILENCE) };
        let connector = Connector { connect: options.connect_options(connect.clone()), options: options.clone() };
        let pool = Pool::builder(connector)
            .max_size(usize::try_from(options.max_connections).unwrap_or(usize::MAX).max(1))
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build();
        // Building fails only without a runtime for the timeouts.
        let pool = pool.unwrap_or_else(|_| unreachable!("the pool has a runtime"));
        Self { pool, cut_off: options.statement_timeout.saturating_add(SILENCE), roll_back: options.pooler.roll_back() }
    }

    /// Takes a connection out of the pool, or makes a new one.
    pub(crate) async fn take(&self) -> Result<Connection, Failure> {
        match self.pool.get().await {
            Ok(object) => {
                Ok(Connection { object: Some(object), is_quiet: false, cut_off: self.cut_off, roll_back: self.roll_back })
            }
            Err(PoolError::Backend(error)) => Err(Failure::from(error)),
            Err(error) => Err(Failure::Final(RepositoryError::Unavailable(error.into()))),
        }
    }

    /// Waits for a first connection.
    pub(crate) async fn first(&self) -> Result<(), sqlx::Error> {
        match self.pool.get().await {
            Ok(_) => Ok(()),
            Err(PoolError::Backend(error)) => Err(error),
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// Closes the idle connections: one of them was found broken, and so the others may be.
    pub(crate) fn forget_idle(&self) {
        self.pool.retain(|_, _| false);
    }

    pub(crate) fn count(&self) -> ConnectionCount {
        let status = self.pool.status();
        ConnectionCount { open: status.size, idle: status.available }
    }

    /// Closes the pool and its idle connections.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

/// How many connections a store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionCount {
    /// All of them.
    pub open: usize,
    /// Those that no statement uses.
    pub idle: usize,
}

/// A connection of the store, with the store's settings. It goes back to the store when it is dropped.
#[derive(Debug)]
pub struct Connection {
    object: Option<Object<Connector>>,
    /// Whether its last statement has come to an end, outside a transaction.
    is_quiet: bool,
    cut_off: Duration,
    roll_back: &'static str,
}

impl Connection {
    /// Notes that no statement runs on the connection any more, and that no transaction is open.
    pub(crate) const fn settle(&mut self) {
        self.is_quiet = true;
    }

    /// Closes the connection instead of giving it back.
    pub(crate) fn close(mut self) {
        self.object.take().map(Object::take);
    }
}

/// A statement that was interrupted may still run: its connection counts as taken until it has responded. So those who hang up
/// never make the store use more connections than it may.
impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut object) = self.object.take() else { return };
        if self.is_quiet {
            return;
        }
        let (cut_off, roll_back) = (self.cut_off, self.roll_back);
        let settle = async move {
            // Outside a transaction, this does nothing.
            let settled = tokio::time::timeout(cut_off, object.execute(roll_back)).await;
            if !matches!(settled, Ok(Ok(_))) {
                drop(Object::take(object));
            }
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(settle);
        }
    }
}

impl Deref for Connection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.object.as_deref().unwrap_or_else(|| unreachable!("only dropping takes it"))
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.object.as_deref_mut().unwrap_or_else(|| unreachable!("only dropping takes it"))
    }
}

/// Makes the connections of the pool.
#[derive(Debug)]
pub(crate) struct Connector {
    connect: PgConnectOptions,
    options: PostgresOptions,
}

impl managed::Manager for Connector {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.connect).await.map_err(check::connecting)?;
        check::connection(&mut connection, &self.options).await?;
        Ok(connection)
    }

    async fn recycle(&self, connection: &mut PgConnection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if metrics.last_used() > TRUSTED_FOR {
            ping(connection, SILENCE).await.map_err(RecycleError::Backend)?;
        }
        Ok(())
    }
}

/// Whether the connection responds within a time limit.
async fn ping(connection: &mut PgConnection, within: Duration) -> Result<(), sqlx::Error> {
    tokio::time::timeout(within, connection.ping()).await.map_err(std::io::Error::from)?
}
