use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

/// Makes Postgres notice that a server is gone, so that it does not hold its locks for hours.
const KEEPALIVE: (&str, &str) = ("tcp_keepalives_idle", "30");

/// The options of a store on Postgres.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// The maximum number of connections; 10 by default. [`ping`](lease_core::repository::Repository::ping) uses one more.
    pub max_connections: u32,
    /// The time to wait for a connection before the store counts as unavailable; 3 seconds by default.
    pub acquire_timeout: Duration,
    /// The time after which Postgres cancels a statement; 5 seconds by default, and at least one millisecond. A Postgres that has
    /// not responded a second later is given up.
    pub statement_timeout: Duration,
    /// The time that a statement waits for a lock, such as one that an administrator holds; 2 seconds by default. A statement that
    /// has to wait longer fails with `Unavailable`. It should be clearly shorter than [`acquire_timeout`](Self::acquire_timeout),
    /// so that statements which wait for a lock do not keep others from a connection for long, and clearly longer than Postgres's
    /// `deadlock_timeout`, 1 second by default: who wins a deadlock has waited for that time before the other one is rolled back.
    pub lock_timeout: Duration,
    /// The schema that holds the tables; `public` by default. [`migrate`](crate::PostgresRepository::migrate) creates it.
    pub schema: String,
    /// Whether a pooler stands between the store and Postgres; none by default.
    pub pooler: Pooler,
}

/// A pooler between the store and Postgres, such as `PgBouncer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pooler {
    /// The connections lead to Postgres itself, or to a pooler that gives each client a connection of its own.
    #[default]
    None,
    /// The pooler gives each transaction another connection. Nothing is kept in a session: every statement is a transaction of
    /// its own that begins with its settings, and none is kept prepared. This costs three more round trips a statement.
    Transaction,
    /// The same, with a pooler that keeps prepared statements (`PgBouncer` from 1.21 on, with `max_prepared_statements`).
    TransactionPrepared,
}

impl Pooler {
    /// Whether a client keeps its connection to Postgres, and with it the settings of that connection.
    pub(crate) const fn keeps_sessions(self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether statements can be prepared once and kept.
    pub(crate) const fn keeps_statements(self) -> bool {
        matches!(self, Self::None | Self::TransactionPrepared)
    }

    /// The statement that rolls back. If the pooler mixes up prepared statements, none may remain for the next client.
    pub(crate) const fn roll_back(self) -> &'static str {
        if self.keeps_statements() { "rollback" } else { "rollback; deallocate all" }
    }

    /// The statements that commit, and fail if an error has aborted the transaction: `commit` alone would roll back and succeed.
    pub(crate) const fn commit(self) -> &'static str {
        if self.keeps_statements() { "select; commit" } else { "deallocate all; commit" }
    }

    /// These options, with what a pooler would refuse left out, and with room for so many prepared statements.
    fn connect_options(self, to: PgConnectOptions, statements: usize) -> PgConnectOptions {
        let to = to.statement_cache_capacity(if self.keeps_statements() { statements } else { 0 });
        if self.keeps_sessions() { to } else { to.extra_float_digits(None) }
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(2),
            schema: "public".to_owned(),
            pooler: Pooler::None,
        }
    }
}

impl PostgresOptions {
    /// These options with another maximum number of connections.
    #[must_use]
    pub const fn with_max_connections(mut self, max_connections: u32) -> Self {
        self.max_connections = max_connections;
        self
    }

    /// These options with another schema.
    #[must_use]
    pub fn with_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// These options with a pooler.
    #[must_use]
    pub const fn with_pooler(mut self, pooler: Pooler) -> Self {
        self.pooler = pooler;
        self
    }

    /// The options of a connection of the store.
    pub(crate) fn connect_options(&self, to: PgConnectOptions) -> PgConnectOptions {
        // Lists have many combinations of filters, each of which is a statement of its own.
        let to = self.pooler.connect_options(to.application_name("lease"), 256);
        if self.pooler.keeps_sessions() { to.options(self.settings()).options([KEEPALIVE]) } else { to }
    }

    /// The options of a connection for anything else than the store's statements.
    pub(crate) fn plain_connect_options(&self, to: PgConnectOptions) -> PgConnectOptions {
        self.pooler.connect_options(to, 100)
    }

    /// The statement that begins a transaction. It sets what a connection through a pooler cannot keep.
    pub(crate) fn begin(&self) -> String {
        let begin = "begin isolation level read committed".to_owned();
        if self.pooler.keeps_sessions() {
            return begin;
        }
        let set = |(name, value): (&str, String)| format!("set_config('{name}', {}, true)", literal(&value));
        format!("{begin}; select {}", self.settings().map(set).join(", "))
    }

    pub(crate) fn settings(&self) -> [(&'static str, String); 9] {
        [
            ("search_path", self.search_path()),
            ("statement_timeout", self.statement_timeout.as_millis().to_string()),
            ("lock_timeout", self.lock_timeout.as_millis().to_string()),
            ("default_transaction_isolation", "read committed".to_owned()),
            // Every statement finds its rows by an index. Plans are cached, so a plan that was made while the tables were small,
            // or had no statistics yet, must still be good when they have grown.
            ("enable_seqscan", "off".to_owned()),
            ("enable_hashjoin", "off".to_owned()),
            ("enable_mergejoin", "off".to_owned()),
            // The costs of memory and solid-state disks. With the default, Postgres prefers reading many adjacent rows to a few
            // scattered ones.
            ("random_page_cost", "1.1".to_owned()),
            ("jit", "off".to_owned()),
        ]
    }

    /// The schema as an identifier.
    pub(crate) fn search_path(&self) -> String {
        format!("\"{}\"", self.schema.replace('"', "\"\""))
    }
}

/// The text as a literal of SQL.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
