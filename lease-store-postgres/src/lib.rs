#![doc = include_str!("../README.md")]
//!
//! # In an app's database
//!
//! [`PostgresOptions::schema`] keeps everything of the store in a schema of its own, its list of migrations included, beside the
//! tables of an app. [`PostgresRepository::pool`] gives the app connections with the settings of Postgres. A [`CommitHook`] writes
//! the app's own rows in the transaction of each commit:
//!
//! ```
//! use lease_core::id::{Id as _, NewIds};
//! use lease_core::repository::Commit;
//! use lease_store_postgres::CommitHook;
//! use sqlx::PgConnection;
//!
//! /// Remembers to print a sheet for each new vehicle.
//! #[derive(Debug)]
//! struct Sheets;
//!
//! #[async_trait::async_trait]
//! impl CommitHook for Sheets {
//!     async fn on_commit(&self, connection: &mut PgConnection, _: &Commit, ids: &NewIds) -> Result<(), sqlx::Error> {
//!         let Some(vehicle) = ids.vehicle else { return Ok(()) };
//!         let sheet = sqlx::query("insert into public.sheets (vehicle_id) values ($1)").bind(vehicle.get());
//!         sheet.execute(connection).await.map(drop)
//!     }
//! }
//! ```
//!
//! The connection has the store's settings: only its schema is searched, so the app's tables are named with theirs, and rows are
//! found by an index where there is one.
//!
//! # Behind a pooler
//!
//! A pooler in transaction mode keeps neither settings nor prepared statements for its clients: [`PostgresOptions::pooler`] says
//! so, and each statement is then a transaction of its own. A new connection is checked, and a pooler that the options do not
//! describe is a [`PoolerError`]. Through such a pooler, an app's own statements on [`PostgresRepository::pool`] have the same limits.
//!
//! # How it is built
//!
//! - **A load is one statement, and so is a commit**, with or without a claim. A statement is atomic by itself: no transaction
//!   can remain open, nothing needs cleaning up if a caller goes away in the middle, and each takes one round trip. Only behind a
//!   pooler or with a hook it is a transaction; a connection that is given back in the middle of one rolls it back first.
//! - **A commit depends on its root.** Its first part increases the version of the row that the decision was about, if that
//!   version is still the expected one. Everything else depends on the row that this returns, so nothing is written if the
//!   version has changed. Whatever else the decision relied on (that a party is active, that a card is not deleted) is locked and
//!   checked in the same statement.
//! - **Why this is safe in read committed.** A statement reads the data as of its start. If it had to wait for the root, rows
//!   that belong to the root could have changed in the meantime. But every commit that changes them also increases the version,
//!   and then the statement writes nothing. So a statement that does write has read the latest data.
//! - **Guarantees are constraints**, never a look before a write. Only `constraint.rs` knows their names.
//! - **Statements are made for what is asked.** A load joins the rows that its answer needs, and no others. A commit has the parts
//!   that its change has; each part is a function beside the columns it writes. The texts are composed in the code, so there are
//!   only as many as there are kinds of requests, and each is prepared once for each connection.
//! - **The actor is checked again** in the statement, which locks the user, so that they can be neither deactivated nor given
//!   another role until it ends. Logins and changes of names can go on.
//! - **Every statement takes its locks in one order**: the claim, the user who acts, vehicles, services, users, customers, cards,
//!   leads, trades, and the rows that belong to them; webhook endpoints, their deliveries and their positions. A change of a user
//!   first of all locks the users that it needs, by their ids. A statement that still deadlocks is tried again a few times.
//! - **A lock stops one thing.** A statement waits for a lock for two seconds at most, and statements on accounts, those on trades and
//!   vehicles, and those on everything else may each use three quarters of the connections at once. So however many requests wait
//!   for one locked table, others find a connection. This does not hold if two of the three meet a lock at the same time.
//! - **Readiness is shown by a write**, on a connection of its own, at most once a second: [`Repository::ping`] responds while all
//!   others are taken, and tells that writes fail.
//! - **Nothing waits for ever.** A statement waits for a connection and for Postgres as long as [`PostgresOptions`] says, and then
//!   the store is unavailable. A connection is used by one statement at a time, until Postgres has responded, even if the caller has
//!   gone. Once one is found broken, or leads to a database that takes no writes, none of those made before is used again.

mod account;
mod card;
mod check;
mod commit;
mod connect;
mod connect_error;
mod constraint;
mod contact;
mod database;
mod disk;
mod error;
mod event;
mod hook;
mod idempotency;
mod import;
mod lead;
mod list;
mod mail;
mod migrate;
mod names;
mod options;
mod readiness;
mod row;
mod service;
mod trade;
mod vehicle;
mod webhook;
mod writing;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use lease_core::id::NewIds;
use lease_core::repository::{Change, Commit, Repository, RepositoryError};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, QueryBuilder};

pub use crate::check::PoolerError;
pub use crate::connect::{Connection, ConnectionCount};
pub use crate::connect_error::ConnectError;
use crate::database::{Database, fault};
pub use crate::hook::CommitHook;
pub use crate::import::ImportError;
pub use crate::migrate::MigrateError;
pub use crate::options::{Pooler, PostgresOptions};
use crate::readiness::Readiness;
use crate::row::Fields;

/// The embedded migrations, which only go forward. [`PostgresRepository::migrate`] applies them.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The store on Postgres. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct PostgresRepository {
    database: Database,
    /// For statements on users, tokens and idempotency records.
    accounts: Database,
    /// For statements on vehicles, trades and what belongs to them.
    trading: Database,
    /// For statements on cards, contacts, leads, services, events, webhooks and mails.
    directory: Database,
    readiness: Readiness,
    connect: PgConnectOptions,
    options: PostgresOptions,
    pool: PgPool,
    hook: Option<Arc<dyn CommitHook>>,
}

/// The options of the connections hold the password.
impl fmt::Debug for PostgresRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresRepository").field("options", &self.options).finish_non_exhaustive()
    }
}

impl PostgresRepository {
    /// Creates a store, and waits for a first connection, so that a wrong address shows at once.
    ///
    /// # Errors
    /// [`ConnectError`] if the URL is wrong, or the database cannot be reached or refuses the connection.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, ConnectError> {
        let store = Self::connect_lazy(url, options)?;
        store.database.connections().first().await?;
        Ok(store)
    }

    /// Creates a store that connects when it is first used, so that a server can start before its database.
    ///
    /// # Errors
    /// [`sqlx::Error`] if the URL is wrong.
    pub fn connect_lazy(url: &str, options: PostgresOptions) -> Result<Self, sqlx::Error> {
        Ok(Self::with_connect_options(url.parse()?, options))
    }

    /// Creates a store that connects as these options say, when it is first used.
    #[must_use]
    pub fn with_connect_options(connect: PgConnectOptions, options: PostgresOptions) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_lazy_with(options.plain_connect_options(connect.clone()));
        let database = Database::new(&connect, options.clone(), "lease");
        let [accounts, trading, directory] = [(); 3].map(|()| database.for_a_subject());
        let readiness = Readiness::new(&connect, &options, &database);
        Self { database, accounts, trading, directory, readiness, connect, options, pool, hook: None }
    }

    /// Runs this hook in the transaction of each commit, so that an application's own rows are written together with the commit or
    /// not at all. A commit then takes three more round trips: to begin, for the hook, and to commit.
    #[must_use]
    pub fn with_commit_hook(mut self, hook: Arc<dyn CommitHook>) -> Self {
        self.hook = Some(hook);
        self
    }

    /// A pool for other data that an application keeps in the same database. It connects when it is first used, its settings are
    /// those of Postgres, and its connections are not the store's.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// One of the store's own connections, with the settings that its statements are planned under.
    ///
    /// # Errors
    /// [`RepositoryError::Unavailable`].
    pub async fn connection(&self) -> Result<Connection, RepositoryError> {
        Ok(self.database.connections().take().await?)
    }

    /// How many connections the store has.
    #[must_use]
    pub fn connection_count(&self) -> ConnectionCount {
        self.database.connections().count()
    }

    /// Closes the idle connections. Those in use are closed when they are given back.
    pub async fn close(&self) {
        self.database.connections().close();
        self.readiness.close();
        self.pool.close().await;
    }

    /// Creates the schema if it is missing, and applies the missing migrations. Safe when several processes start at once: one
    /// migrates, the others wait.
    ///
    /// # Errors
    /// [`MigrateError`] if the database cannot be reached, holds migrations that differ, or refuses one.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        migrate::migrate(&self.connect, &self.options).await
    }

    /// Checks that no migration is missing and that this version is not too old for the schema, and changes nothing. Migrations of
    /// newer versions are no error.
    ///
    /// # Errors
    /// [`MigrateError`].
    pub async fn check_schema(&self) -> Result<(), MigrateError> {
        migrate::check(&self.connect, &self.options).await
    }

    /// The time of Postgres.
    ///
    /// # Errors
    /// [`RepositoryError::Unavailable`].
    pub async fn clock(&self) -> Result<DateTime<Utc>, RepositoryError> {
        let row = self.database.read_one(|| QueryBuilder::new("select clock_timestamp()")).await?;
        row.map_or_else(|| Err(fault("Postgres has no time")), |row| Fields::of(&row).get())
    }
}

impl PostgresRepository {
    const fn database_of(&self, change: &Change) -> &Database {
        match change {
            Change::NewAccount(_)
            | Change::Account(_)
            | Change::Login(_)
            | Change::RevokeToken(_)
            | Change::CreateToken(_)
            | Change::Customer(_) => &self.accounts,
            Change::Vehicle(_) | Change::OpenTrade(_) | Change::Trade(_) => &self.trading,
            Change::Wallet(_)
            | Change::RefusedCard(_)
            | Change::Contact(_)
            | Change::Lead(_)
            | Change::Service(_)
            | Change::FirstServices(_)
            | Change::WebhookEndpoint(_)
            | Change::WebhookDelivery(_)
            | Change::Mail(_) => &self.directory,
        }
    }
}

#[async_trait::async_trait]
impl Repository for PostgresRepository {
    async fn commit(&self, commit: &Commit) -> Result<NewIds, RepositoryError> {
        let database = self.database_of(&commit.change);
        match &self.hook {
            Some(hook) => hook::commit(database, &**hook, commit).await,
            None => commit::commit(database, commit).await,
        }
    }

    async fn ping(&self) -> Result<(), RepositoryError> {
        self.readiness.check().await
    }
}
