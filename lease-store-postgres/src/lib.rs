//! The Postgres store of the lease engine: durable, and shared by any number of server processes.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use lease_store_postgres::{PostgresOptions, PostgresRepository};
//!
//! let store = PostgresRepository::connect("postgres://localhost/lease", PostgresOptions::default()).await?;
//! store.migrate().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # How it is built
//!
//! - **A load is one statement, and so is a commit**, with or without a claim. A statement is atomic by itself: no transaction
//!   can remain open, nothing needs cleaning up if a caller goes away in the middle, and each takes one round trip.
//! - **A commit depends on its root.** Its first part increases the version of the row that the decision was about, if that
//!   version is still the expected one. Everything else depends on the row that this returns, so nothing is written if the
//!   version has changed. Whatever else the decision relied on (that a party is active, that a card is not deleted) is locked and
//!   checked in the same statement.
//! - **Why this is safe in read committed.** A statement reads the data as of its start. If it had to wait for the root, rows
//!   that belong to the root could have changed in the meantime. But every commit that changes them also increases the version,
//!   and then the statement writes nothing. So a statement that does write has read the latest data.
//! - **Guarantees are constraints**, never a look before a write. Only `constraint.rs` knows their names.
//! - **The actor is checked again** in the statement: the function `begin_commit` locks the user, so that they can be neither
//!   deactivated nor given another role until the statement ends. Logins and changes of names can go on.
//! - **Every statement takes its locks in one order**: the claim, the user who acts, vehicles, services, users, customers, cards,
//!   leads, trades, and the rows that belong to them. A change of a user first locks all the users that it needs, by their ids. A
//!   statement that still deadlocks is tried again a few times.

mod account;
mod card;
mod commit;
mod connect;
mod constraint;
mod contact;
mod error;
mod idempotency;
mod lead;
mod list;
mod row;
mod service;
mod statement;
mod trade;
mod vehicle;

use lease_core::id::NewIds;
use lease_core::repository::{Commit, Repository, RepositoryError};
use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgPoolOptions;

pub use connect::PostgresOptions;
use statement::Database;

/// The embedded migrations, which only go forward. [`PostgresRepository::migrate`] applies them.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The store on Postgres. Cheap to clone: clones share one pool.
#[derive(Clone, Debug)]
pub struct PostgresRepository {
    database: Database,
}

impl PostgresRepository {
    /// Creates a store on a pool that was set up elsewhere, whose connections use the isolation level `read committed`. Prefer
    /// [`connect`](Self::connect), and share its [`pool`](Self::pool): its connections notice when a network goes silent, and
    /// their plans stay good as the tables grow. The store waits for a statement for 14 seconds at most.
    #[must_use]
    pub fn from_pool(pool: PgPool) -> Self {
        Self::waiting(pool, &PostgresOptions::default())
    }

    /// The pool, for other data that an application keeps in the same database.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.database.pool
    }

    /// Applies the missing migrations. Safe when several processes start at once: one migrates, the others wait.
    ///
    /// # Errors
    /// [`MigrateError`] if the database cannot be reached, holds migrations that differ, or refuses one.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        // A connection of its own: migrating, or waiting for a process that migrates, may take longer than any other statement.
        let options = self.pool().connect_options().as_ref().clone().options([("statement_timeout", "0")]);
        let one = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
        let migrated = MIGRATOR.run(&one).await;
        one.close().await;
        migrated
    }
}

#[async_trait::async_trait]
impl Repository for PostgresRepository {
    async fn commit(&self, commit: &Commit) -> Result<NewIds, RepositoryError> {
        commit::commit(&self.database, commit).await
    }

    async fn ping(&self) -> Result<(), RepositoryError> {
        let only_reads = self.database.read(|pool| {
            sqlx::query_scalar!(r#"select current_setting('transaction_read_only')::boolean as "only_reads!""#).fetch_one(pool)
        });
        if only_reads.await? { Err(RepositoryError::Unavailable("Postgres takes no writes".into())) } else { Ok(()) }
    }
}
