//! How the store connects.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{Connection as _, PgPool};

use crate::PostgresRepository;
use crate::statement::Database;

/// A connection that lay idle for longer is asked whether it is still there before it is used; one that was in use a
/// moment ago is not, which spares a round trip.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// A connection that says nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(1);

/// How the store connects.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// Connections at most; 10 by default.
    pub max_connections: u32,
    /// How long to wait for a connection before the store counts as unavailable; 3 seconds by default.
    pub acquire_timeout: Duration,
    /// After this long Postgres gives a statement up; 10 seconds by default, and not less than a millisecond.
    pub statement_timeout: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { max_connections: 10, acquire_timeout: Duration::from_secs(3), statement_timeout: Duration::from_secs(10) }
    }
}

impl PostgresOptions {
    /// These options with another number of connections.
    #[must_use]
    pub const fn with_max_connections(mut self, max_connections: u32) -> Self {
        self.max_connections = max_connections;
        self
    }

    /// How long to wait for a statement in all, for a connection included: longer than Postgres lets it run.
    pub(crate) const fn timeout(&self) -> Duration {
        self.acquire_timeout.saturating_add(self.statement_timeout).saturating_add(SILENCE)
    }
}

impl PostgresRepository {
    /// A store on a new pool. Waits for a first connection, so that a wrong address shows at once.
    ///
    /// # Errors
    /// [`sqlx::Error`] where the URL is wrong or the database does not respond.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, sqlx::Error> {
        let connect = connect_options(url, &options)?;
        let pool = pool_options(&options).connect_with(connect).await?;
        Ok(Self::waiting(pool, &options))
    }

    /// A store on a new pool that connects when it is first used, so that a server can start before its database.
    ///
    /// # Errors
    /// [`sqlx::Error`] where the URL is wrong.
    pub fn connect_lazy(url: &str, options: PostgresOptions) -> Result<Self, sqlx::Error> {
        let connect = connect_options(url, &options)?;
        let pool = pool_options(&options).connect_lazy_with(connect);
        Ok(Self::waiting(pool, &options))
    }

    /// A store on this pool that waits as long as these options say.
    pub(crate) fn waiting(pool: PgPool, options: &PostgresOptions) -> Self {
        Self { database: Database { pool, timeout: options.timeout() } }
    }
}

fn connect_options(url: &str, options: &PostgresOptions) -> Result<PgConnectOptions, sqlx::Error> {
    let settings = [
        ("statement_timeout", options.statement_timeout.as_millis().to_string()),
        ("default_transaction_isolation", "read committed".to_owned()),
        // Postgres notices that a server is gone, and does not hold its locks for hours.
        ("tcp_keepalives_idle", "30".to_owned()),
        // Every statement finds its rows by an index. Plans are kept: one made while the tables were small, or not yet
        // counted, must do when they have grown.
        ("enable_seqscan", "off".to_owned()),
        ("enable_hashjoin", "off".to_owned()),
        ("enable_mergejoin", "off".to_owned()),
        // As of memory and solid state disks: else Postgres reads many rows in a row rather than a few here and there.
        ("random_page_cost", "1.1".to_owned()),
        ("jit", "off".to_owned()),
    ];
    // Lists come in many shapes, each a statement of its own.
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
        // The pool asks the same right behind, but would wait for ever. What was cut off may run on for its time.
        .after_release(move |connection, _| Box::pin(async move { ping(connection, cut_off).await.map(|()| true) }))
}

/// Whether the connection is there, within a bound.
async fn ping(connection: &mut PgConnection, within: Duration) -> Result<(), sqlx::Error> {
    tokio::time::timeout(within, connection.ping()).await.map_err(std::io::Error::from)?
}
