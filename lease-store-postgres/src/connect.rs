//! The connections to Postgres and their settings.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{Connection as _, PgPool};

use crate::PostgresRepository;
use crate::statement::Database;

/// A connection that has been idle for longer than this is tested before it is used. One that was in use a moment ago is not,
/// which saves a round trip.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// A connection that does not respond for this long is closed.
const SILENCE: Duration = Duration::from_secs(1);

/// The options of the connections to Postgres.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// The maximum number of connections; 10 by default.
    pub max_connections: u32,
    /// The time to wait for a connection before the store counts as unavailable; 3 seconds by default.
    pub acquire_timeout: Duration,
    /// The time after which Postgres cancels a statement; 10 seconds by default, and at least one millisecond.
    pub statement_timeout: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { max_connections: 10, acquire_timeout: Duration::from_secs(3), statement_timeout: Duration::from_secs(10) }
    }
}

impl PostgresOptions {
    /// These options with another maximum number of connections.
    #[must_use]
    pub const fn with_max_connections(mut self, max_connections: u32) -> Self {
        self.max_connections = max_connections;
        self
    }

    /// The total time to wait for a statement, including a connection: longer than Postgres lets it run.
    pub(crate) const fn timeout(&self) -> Duration {
        self.acquire_timeout.saturating_add(self.statement_timeout).saturating_add(SILENCE)
    }
}

impl PostgresRepository {
    /// Creates a store on a new pool. Waits for a first connection, so that a wrong address shows at once.
    ///
    /// # Errors
    /// [`sqlx::Error`] if the URL is wrong or the database does not respond.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, sqlx::Error> {
        let connect = connect_options(url, &options)?;
        let pool = pool_options(&options).connect_with(connect).await?;
        Ok(Self::waiting(pool, &options))
    }

    /// Creates a store on a new pool that connects when it is first used, so that a server can start before its database.
    ///
    /// # Errors
    /// [`sqlx::Error`] if the URL is wrong.
    pub fn connect_lazy(url: &str, options: PostgresOptions) -> Result<Self, sqlx::Error> {
        let connect = connect_options(url, &options)?;
        let pool = pool_options(&options).connect_lazy_with(connect);
        Ok(Self::waiting(pool, &options))
    }

    /// Creates a store on this pool, with the time limits of these options.
    pub(crate) fn waiting(pool: PgPool, options: &PostgresOptions) -> Self {
        Self { database: Database { pool, timeout: options.timeout() } }
    }
}

fn connect_options(url: &str, options: &PostgresOptions) -> Result<PgConnectOptions, sqlx::Error> {
    let settings = [
        ("statement_timeout", options.statement_timeout.as_millis().to_string()),
        ("default_transaction_isolation", "read committed".to_owned()),
        // Makes Postgres notice that a server is gone, so that it does not hold its locks for hours.
        ("tcp_keepalives_idle", "30".to_owned()),
        // Every statement finds its rows by an index. Plans are cached, so a plan that was made while the tables were small, or
        // had no statistics yet, must still be good when they have grown.
        ("enable_seqscan", "off".to_owned()),
        ("enable_hashjoin", "off".to_owned()),
        ("enable_mergejoin", "off".to_owned()),
        // The costs of memory and solid-state disks. With the default, Postgres prefers reading many adjacent rows to a few
        // scattered ones.
        ("random_page_cost", "1.1".to_owned()),
        ("jit", "off".to_owned()),
    ];
    // Lists have many combinations of filters, each of which is a statement of its own.
    Ok(PgConnectOptions::from_str(url)?.application_name("lease").statement_cache_capacity(256).options(settings))
}

fn pool_options(options: &PostgresOptions) -> PgPoolOptions {
    let cut_off = options.statement_timeout.saturating_add(SILENCE);
    PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for > TRUSTED_FOR {
                    ping(connection, SILENCE).await?;
                }
                Ok(true)
            })
        })
        // The pool tests the connection in the same way afterwards, but would wait for ever. A statement that was cancelled may
        // still run for its time limit.
        .after_release(move |connection, _| Box::pin(async move { ping(connection, cut_off).await.map(|()| true) }))
}

/// Whether the connection responds within a time limit.
async fn ping(connection: &mut PgConnection, within: Duration) -> Result<(), sqlx::Error> {
    tokio::time::timeout(within, connection.ping()).await.map_err(std::io::Error::from)?
}
