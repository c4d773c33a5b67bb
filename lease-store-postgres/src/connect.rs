//! The connections to Postgres and their settings.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult};
use lease_core::repository::RepositoryError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::check;
use crate::error::Failure;
use crate::options::PostgresOptions;

/// A connection that was last taken longer ago than this is tested before it is used. One that was in use a moment ago is not,
/// which saves a round trip.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// A connection that is older than this is closed: its process in Postgres keeps the plans of all statements that it has run, and
/// after a change of the network it may lead to the wrong place.
const MAX_AGE: Duration = Duration::from_mins(30);

/// A connection that does not respond for this long is closed.
const SILENCE: Duration = Duration::from_secs(1);

/// The store's own connections. Unlike the pool of `sqlx`, which asks a connection for a sign of life after each use, this one
/// costs no round trip.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pool: Pool<Connector>,
    /// How many of them may be taken at once; without it, all.
    share: Option<Arc<Semaphore>>,
    acquire_timeout: Duration,
    /// The time to wait for a statement: longer than Postgres lets it run.
    pub(crate) statement_limit: Duration,
    /// The statement that ends a transaction which was interrupted.
    roll_back: &'static str,
}

impl Connections {
    /// The connections show this name in Postgres.
    pub(crate) fn new(connect: &PgConnectOptions, options: &PostgresOptions, name: &str) -> Self {
        let max_size = usize::try_from(options.max_connections).unwrap_or(usize::MAX).max(1);
        let connector = Connector {
            connect: options.connect_options(connect.clone()).application_name(name),
            options: options.clone(),
            forgotten: Mutex::new(Instant::now()),
        };
        let pool = Pool::builder(connector)
            .max_size(max_size)
            // The connection that was used last is the one whose plans and rows are in the caches of the processor.
            .queue_mode(QueueMode::Lifo)
            .build();
        // Building fails only if the pool has timeouts of its own.
        let pool = pool.unwrap_or_else(|_| unreachable!("the pool has no timeouts"));
        let statement_limit = options.statement_timeout.saturating_add(SILENCE);
        let roll_back = options.pooler.roll_back();
        Self { pool, share: None, acquire_timeout: options.acquire_timeout, statement_limit, roll_back }
    }

    /// The same connections, of which three quarters at most are taken at once through what this returns.
    pub(crate) fn share(&self) -> Self {
        let all = self.pool.status().max_size;
        let some = all.saturating_sub(all.div_ceil(4)).max(1);
        Self { share: Some(Arc::new(Semaphore::new(some))), ..self.clone() }
    }

    /// Takes a connection out of the pool, or makes a new one.
    pub(crate) async fn take(&self) -> Result<Connection, Failure> {
        let taken = self.get().await.map_err(|error| Failure::Final(RepositoryError::Unavailable(error.into())))?;
        let Self { statement_limit, roll_back, .. } = *self;
        Ok(Connection { taken: Some(taken), is_quiet: false, statement_limit, roll_back })
    }

    /// Waits for a first connection.
    pub(crate) async fn first(&self) -> Result<(), sqlx::Error> {
        self.get().await.map(drop)
    }

    /// One time limit for all that it takes: waiting for those who came before, testing idle connections, making a new one.
    async fn get(&self) -> Result<Taken, sqlx::Error> {
        let taken = timeout(self.acquire_timeout, async {
            let permit = match &self.share {
                Some(share) => Some(Arc::clone(share).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?),
                None => None,
            };
            match self.pool.get().await {
                Ok(object) => Ok(Taken { object, _permit: permit }),
                Err(PoolError::Backend(error)) => Err(error),
                Err(_) => Err(sqlx::Error::PoolClosed),
            }
        });
        taken.await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Uses none of the present connections again: one of them was found useless, and so the others may be.
    pub(crate) fn forget(&self) {
        self.pool.manager().forget();
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

/// A connection out of the pool, and its place in the share.
#[derive(Debug)]
struct Taken {
    object: Object<Connector>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// A connection of the store, with the store's settings. It goes back to the store when it is dropped.
#[derive(Debug)]
pub struct Connection {
    taken: Option<Taken>,
    /// Whether its last statement has come to a good end.
    is_quiet: bool,
    statement_limit: Duration,
    roll_back: &'static str,
}

impl Connection {
    /// Notes that no statement runs on the connection any more, and that no transaction is open.
    pub(crate) const fn settle(&mut self) {
        self.is_quiet = true;
    }

    /// Closes the connection instead of giving it back.
    pub(crate) fn close(&mut self) {
        drop(Busy(self.taken.take()));
    }
}

/// A statement that was interrupted may still run: its connection counts as taken until it has responded. So those who hang up
/// never make the store use more connections than it may.
impl Drop for Connection {
    fn drop(&mut self) {
        let Some(taken) = self.taken.take() else { return };
        if self.is_quiet {
            return;
        }
        let busy = Busy(Some(taken));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(busy.settle(self.statement_limit, self.roll_back));
        }
    }
}

/// A connection that may be in the middle of a statement or a transaction. It is closed, unless it settles before.
struct Busy(Option<Taken>);

impl Busy {
    /// Ends what is under way, and gives the connection back.
    async fn settle(mut self, limit: Duration, roll_back: &'static str) {
        let Some(Taken { object: connection, .. }) = &mut self.0 else { return };
        let settled = timeout(limit, async {
            // Outside a transaction, this does nothing. If what was interrupted fails, that error is returned first.
            match connection.execute(roll_back).await {
                Err(sqlx::Error::Database(_)) => connection.execute(roll_back).await,
                outcome => outcome,
            }
        });
        if let Ok(Ok(_)) = settled.await {
            drop(self.0.take());
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        drop(self.0.take().map(|taken| Object::take(taken.object)));
    }
}

impl Deref for Connection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.taken.as_ref().map_or_else(|| unreachable!("only dropping takes it"), |taken| &*taken.object)
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.taken.as_mut().map_or_else(|| unreachable!("only dropping takes it"), |taken| &mut *taken.object)
    }
}

/// Makes and tests the connections of the pool.
pub(crate) struct Connector {
    connect: PgConnectOptions,
    options: PostgresOptions,
    /// No connection that was made before this is used again.
    forgotten: Mutex<Instant>,
}

/// The options hold the password.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl Connector {
    fn forget(&self) {
        *self.forgotten.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn is_forgotten(&self, metrics: &Metrics) -> bool {
        metrics.created <= *self.forgotten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connector {
    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.connect).await.map_err(check::connecting)?;
        check::connection(&mut connection, &self.options).await?;
        Ok(connection)
    }
}

impl managed::Manager for Connector {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        // On the heap, because the state of connecting is large, and part of that of each statement.
        Box::pin(self.connect()).await
    }

    async fn recycle(&self, connection: &mut PgConnection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if self.is_forgotten(metrics) || metrics.age() > MAX_AGE {
            return Err(RecycleError::message("it is too old"));
        }
        if metrics.last_used() > TRUSTED_FOR
            && let Err(error) = ping(connection).await
        {
            self.forget();
            return Err(RecycleError::Backend(error));
        }
        Ok(())
    }
}

/// Whether the connection responds.
async fn ping(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    timeout(SILENCE, connection.ping()).await.map_err(std::io::Error::from)?
}
