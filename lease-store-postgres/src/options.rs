use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

/// The options of a store on Postgres.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// The maximum number of connections; 10 by default.
    pub max_connections: u32,
    /// The time to wait for a connection, idle or new, before the store counts as unavailable; 3 seconds by default.
    pub acquire_timeout: Duration,
    /// The time after which Postgres cancels a statement, such as one that waits for a lock; 5 seconds by default, and at least
    /// one millisecond. A Postgres that has not responded a second later is given up.
    pub statement_timeout: Duration,
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

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(5),
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
        let to = to.application_name("lease").statement_cache_capacity(256);
        match self.pooler {
            // A pooler refuses settings, or loses them.
            Pooler::Transaction | Pooler::TransactionPrepared => to.extra_float_digits(None),
            Pooler::None => to.options(self.settings()),
        }
    }

    /// How a transaction begins, if the settings are not those of the connection.
    pub(crate) fn begin(&self) -> Option<String> {
        (self.pooler != Pooler::None).then(|| {
            // `set` takes text as the name of one schema, with quotes and all; an identifier it takes as it is.
            let value = |name: &str, value: &str| match name {
                "search_path" => value.to_owned(),
                _ => format!("'{}'", value.replace('\'', "''")),
            };
            let set = |(name, text): (&str, String)| format!("; set local {name} = {}", value(name, &text));
            let settings = self.settings().into_iter().filter(|(name, _)| *name != "tcp_keepalives_idle");
            "begin isolation level read committed".to_owned() + &settings.map(set).collect::<String>()
        })
    }

    fn settings(&self) -> [(&'static str, String); 9] {
        [
            ("search_path", self.search_path()),
            ("statement_timeout", self.statement_timeout.as_millis().to_string()),
            ("default_transaction_isolation", "read committed".to_owned()),
            // Makes Postgres notice that a server is gone, so that it does not hold its locks for hours.
            ("tcp_keepalives_idle", "30".to_owned()),
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
