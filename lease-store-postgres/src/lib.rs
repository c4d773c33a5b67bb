//! The store of the lease engine on Postgres: durable, shared by any number of server processes.
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
//! - **A load is one statement, and so is a commit**, with or without a claim. A statement is atomic by itself: there is no
//!   transaction that could stay open, nothing to clean up where a caller goes away in the middle, and one round trip each.
//! - **A commit is gated by its root.** Its first part moves the version of the row that was decided on, if it is still the
//!   expected one; everything else hangs on the row that this returns, so that nothing is written where it moved. What was
//!   decided on beside it (that a party is active, a card not deleted) is locked and looked at in the same statement.
//! - **Why that is safe in read committed.** A statement reads as of its start. Where it had to wait for the root, what
//!   hangs on the root could have changed meanwhile, but every commit that changes it moves the version as well, and then
//!   the gate is shut: a statement that passed it has read all there is.
//! - **Guarantees are constraints** (`constraint.rs` is the one place that knows their names), never a look before a write.
//! - **Who acts is looked at again** in the statement: the function `begin_commit` locks the user so far that they can be neither
//!   deactivated nor given another role until it is written, while logins and changes of names go on.
//! - **Locks are taken in one order** by every statement: the claim, the user who acts, vehicles, services, users, customers,
//!   cards, leads, trades, and what hangs on them. A change of a user locks all the users that it needs first, by their ids. What
//!   still deadlocks is tried again a few times.

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

/// The embedded migrations, forward only. [`PostgresRepository::migrate`] applies them.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The store on Postgres. Cheap to clone: clones share one pool.
#[derive(Clone, Debug)]
pub struct PostgresRepository {
    database: Database,
}

impl PostgresRepository {
    /// A store on a pool that was set up elsewhere, with connections in Postgres's `read committed`. Better take one that
    /// [`connect`](Self::connect) makes, and share its [`pool`](Self::pool): its connections notice that a network went silent,
    /// and their plans do not grow with the tables. No statement is waited for longer than 14 seconds.
    #[must_use]
    pub fn from_pool(pool: PgPool) -> Self {
        Self::waiting(pool, &PostgresOptions::default())
    }

    /// The pool, for what an application keeps in the same database.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.database.pool
    }

    /// Applies the migrations that are missing. Safe when several processes start at once: one migrates, the others wait.
    ///
    /// # Errors
    /// [`MigrateError`] where the database cannot be reached, holds migrations that differ, or refuses one.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        // A connection of its own: to migrate, or to wait for who does, may take longer than any other statement.
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
