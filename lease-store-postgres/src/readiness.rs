//! Whether the database takes writes: a small one shows it, on a connection that nothing else uses.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lease_core::repository::RepositoryError;
use sqlx::QueryBuilder;
use sqlx::postgres::{PgConnectOptions, Postgres};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::connect::Connections;
use crate::database::Database;
use crate::disk::Disk;
use crate::options::PostgresOptions;

/// However often it is asked, the database is not written to before so much time has passed.
const VALID_FOR: Duration = Duration::from_secs(1);

/// A database that takes longer is not ready.
const LIMIT: Duration = Duration::from_secs(2);

/// The outcome of a write, which all who ask share.
type Outcome = Result<(), Arc<dyn Error + Send + Sync>>;

/// Finds out whether the database takes writes.
#[derive(Clone, Debug)]
pub(crate) struct Readiness {
    database: Database,
    /// The connections for everything else.
    others: Connections,
    /// What the other writes found.
    disk: Arc<Disk>,
    last: Arc<Mutex<Option<(Instant, Outcome)>>>,
}

impl Readiness {
    pub(crate) fn new(connect: &PgConnectOptions, options: &PostgresOptions, others: &Database) -> Self {
        let database = Database::new(connect, options.clone().with_max_connections(1), "lease readiness");
        Self { database, others: others.connections().clone(), disk: Arc::clone(others.disk()), last: Arc::default() }
    }

    /// Writes a row, unless this was done a moment ago.
    pub(crate) async fn check(&self) -> Result<(), RepositoryError> {
        let mut last = Arc::clone(&self.last).lock_owned().await;
        let outcome = match &*last {
            Some((at, outcome)) if at.elapsed() < VALID_FOR => outcome.clone(),
            _ => {
                let this = self.clone();
                // A task of its own, which goes on if whoever asked goes away: others wait for it.
                let writing = tokio::spawn(async move {
                    let outcome = this.write().await;
                    if outcome.is_ok() && last.as_ref().is_some_and(|(_, before)| before.is_err()) {
                        // A session that began while the database only read may do so for ever.
                        this.others.forget();
                    }
                    *last = Some((Instant::now(), outcome.clone()));
                    outcome
                });
                writing.await.map_err(|error| RepositoryError::Unavailable(error.into()))?
            }
        };
        outcome.map_err(|error| RepositoryError::Unavailable(error.into()))
    }

    async fn write(&self) -> Outcome {
        match timeout(LIMIT, self.database.write(probe)).await {
            Ok(Ok(_)) if self.disk.is_full() => {
                Err(Box::<dyn Error + Send + Sync>::from("the disk of the database is full").into())
            }
            Ok(outcome) => outcome.map(drop).map_err(|error| Arc::new(error) as _),
            Err(elapsed) => Err(Arc::new(elapsed)),
        }
    }

    pub(crate) fn close(&self) {
        self.database.connections().close();
    }
}

/// Replaces the row of the last time. It waits for no other server that does so too.
fn probe() -> QueryBuilder<Postgres> {
    QueryBuilder::new(
        "with old as (delete from write_probes where id in (select id from write_probes order by id for update skip locked)) \
         insert into write_probes (written_at) values (clock_timestamp()) returning id",
    )
}
