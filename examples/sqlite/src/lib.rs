//! A complete backend of the lease engine on SQLite: an example for backends of one's own.
//!
//! It passes the whole suite of [`lease_core::conformance`], and is written to be read: in the order of work of the guide
//! ([`lease_core::repository`]), with plain SQL and as little else as possible.
//!
//! ```
//! use lease_core::page::PageRequest;
//! use lease_core::repository::{ServiceFilter, ServiceRepository};
//! use lease_example_sqlite::SqliteRepository;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! # let folder = std::env::temp_dir().join(format!("lease-sqlite-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! let store = SqliteRepository::open(&folder.join("lease.db")).await?;
//! let services = store.list_services(&ServiceFilter::default(), PageRequest::default()).await?;
//! assert!(services.items.is_empty());
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it is built
//!
//! | module | what it does |
//! | --- | --- |
//! | `value`, `sql` | how the types of the model are written to columns and read from them; statements and their rows |
//! | `rows`, `table` | the columns of each table; to find, insert, update and delete a row of any |
//! | `list` | pages of lists |
//! | `account`, `vehicle`, … | a file for each trait of the contract: what it loads and lists, and the changes that it writes |
//! | `commit` | the one way to write: the envelope, the change, the events |
//! | `error` | which constraint stands for which guarantee |
//!
//! # What SQLite makes easy
//!
//! **One writer at a time.** A commit takes the lock of the file when it begins (`begin immediate`). So it may read what it checks,
//! let the core's own functions change what it read (`TradeChanges::apply_to_trade`), and write it back: nothing comes in between.
//! Events get their ids in the same transaction, in the order of the commits. Readers do not wait: each sees the state of the last
//! commit before it began (write-ahead log).
//!
//! **Guarantees are constraints.** Unique indexes and a trigger refuse what would break one, whatever the code above does.
//!
//! **Exact values.** Money is an integer of ten-thousandths, an instant an integer of microseconds. The tables are `strict`: no text
//! can slip into a column of integers.
//!
//! # What it does not do
//!
//! It is for one machine, with as many processes as one likes, which write one after the other. A search reads the texts one by one
//! until the page is full, since there is no index of texts. There are no migrations: a file with tables of another version is
//! refused.

mod account;
mod card;
mod commit;
mod directory;
mod error;
mod event;
mod idempotency;
mod list;
mod mail;
mod rows;
mod service;
mod sql;
mod table;
mod trade;
mod value;
mod vehicle;
mod webhook;

use std::path::Path;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use lease_core::repository::RepositoryError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, Transaction};

use crate::error::{failure, fault, is_busy};
use crate::sql::sql;

/// The tables of a new database.
const SCHEMA: &str = include_str!("schema.sql");
/// The version of the tables; `schema.sql` ends with it.
const SCHEMA_VERSION: i64 = 1;
/// How long a transaction waits for those of other processes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// The number of connections that read at the same time.
const READERS: u32 = 4;

/// A store in a file.
#[derive(Debug)]
pub struct SqliteRepository {
    /// The one connection that writes: writers of this process queue here, and those of other processes at the lock of the file.
    writer: SqlitePool,
    /// The connections that read. They see what was committed when they begin, and neither wait for the writer nor hold it up.
    readers: SqlitePool,
}

impl SqliteRepository {
    /// Opens a file, and creates it with its tables if it is not there.
    ///
    /// # Errors
    /// [`RepositoryError::Unavailable`] if the file cannot be opened; [`RepositoryError::Internal`] if its tables are of another
    /// version.
    pub async fn open(path: &Path) -> Result<Self, RepositoryError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = |connections| SqlitePoolOptions::new().max_connections(connections).test_before_acquire(false);
        // Of those who open a new file at the same moment, one turns it to the mode with a log. SQLite tells the others at once that it is
        // locked, whatever the time to wait.
        let connect = || pool(1).connect_with(options.clone());
        let writer = connect.retry(waits()).when(is_busy).await.map_err(failure)?;
        let readers = pool(READERS).connect_lazy_with(options.pragma("query_only", "on"));
        let store = Self { writer, readers };
        store.create_tables().await?;
        Ok(store)
    }

    /// Several processes may open a new file at once: the second finds the tables of the first.
    async fn create_tables(&self) -> Result<(), RepositoryError> {
        let mut db = self.writing().await?;
        match sql("pragma user_version", Vec::new()).value(&mut db).await? {
            Some(0) => {
                sqlx::raw_sql(SCHEMA).execute(&mut *db).await.map_err(failure)?;
                db.commit().await.map_err(failure)
            }
            Some(SCHEMA_VERSION) => Ok(()),
            _ => Err(fault("the file has tables of another version")),
        }
    }

    /// A transaction that reads: all that it reads is of one instant.
    #[expect(clippy::disallowed_methods, reason = "the driver of SQLite takes back what was begun for nobody")]
    async fn reading(&self) -> Result<Transaction<'static, Sqlite>, RepositoryError> {
        self.readers.begin().await.map_err(failure)
    }

    /// A transaction that writes. It has the lock of the file from its beginning, so that nothing changes between what it reads and
    /// what it writes. If it is dropped before it is committed, it has changed nothing.
    #[expect(clippy::disallowed_methods, reason = "the driver of SQLite takes back what was begun for nobody")]
    async fn writing(&self) -> Result<Transaction<'static, Sqlite>, RepositoryError> {
        self.writer.begin_with("begin immediate").await.map_err(failure)
    }
}

/// The waits between the tries to open a file that is locked: growing and at random, and no longer together than for a lock.
fn waits() -> ExponentialBuilder {
    let waits = ExponentialBuilder::default().with_jitter().with_min_delay(Duration::from_millis(5)).without_max_times();
    waits.with_max_delay(Duration::from_secs(1)).with_total_delay(Some(BUSY_TIMEOUT))
}
