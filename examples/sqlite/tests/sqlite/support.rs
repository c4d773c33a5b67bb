//! Files for tests.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::DateTime;
use lease_core::decision::RowChange;
use lease_core::model::{BillTo, InvoiceOn, Service, ServiceKind};
use lease_core::money::{Currency, Money};
use lease_core::permission::Actor;
use lease_core::repository::{Commit, Envelope};
use lease_example_sqlite::SqliteRepository;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

/// A folder that no other test has, with the file of a store in it. It is removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        // In memory where that is possible: the tests are about SQLite, and not about the disk.
        let memory = Some(PathBuf::from("/dev/shm")).filter(|memory| memory.is_dir());
        let folders = memory.unwrap_or_else(std::env::temp_dir);
        let path = folders.join(format!("lease-sqlite-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("lease.db")
    }

    pub(crate) async fn open(&self) -> SqliteRepository {
        SqliteRepository::open(&self.file()).await.unwrap()
    }

    /// A connection to the file, beside those of the store.
    pub(crate) async fn connect(&self) -> SqliteConnection {
        SqliteConnection::connect(self.file().to_str().unwrap()).await.unwrap()
    }

    /// The number of rows of a table.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        let count = AssertSqlSafe(format!("select count(*) from {table}"));
        sqlx::query_scalar(count).fetch_one(&mut self.connect().await).await.unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A test that fails here would hide why it failed before.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The commit of a new service.
pub(crate) fn new_service() -> Commit {
    let service = Service {
        name: "Lease".to_owned(),
        kind: ServiceKind::Lease,
        invoice_on: InvoiceOn::FirstProposal,
        bill_to: BillTo::Owner,
        fee: Money::parse("199.99", Currency::USD).unwrap(),
        payment_due_days: 14,
        description: String::new(),
        is_active: true,
        is_used: false,
    };
    Commit::new(Envelope::new(Actor::System, DateTime::UNIX_EPOCH), RowChange::Create(service))
}
