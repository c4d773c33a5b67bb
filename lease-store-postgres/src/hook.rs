//! A commit together with what an application writes for it: both in one transaction.

use std::fmt::Debug;

use async_trait::async_trait;
use lease_core::id::NewIds;
use lease_core::repository::{Commit, RepositoryError};
use sqlx::postgres::PgConnection;

use crate::commit;
use crate::database::{Database, fault};
use crate::error::Failure;

/// Writes an application's own rows in the transaction of each commit. See
/// [`PostgresRepository::with_commit_hook`](crate::PostgresRepository::with_commit_hook).
#[async_trait]
pub trait CommitHook: Debug + Send + Sync {
    /// Writes to the connection, which is inside the transaction of `commit`, after its change was written. `ids` are the ids of
    /// the rows that it created.
    ///
    /// The transaction may still be rolled back, and the commit made again. So whatever this does beside writing to the connection
    /// must be harmless if the commit never happens, or if it is done twice. It must not end the transaction.
    ///
    /// # Errors
    /// Any error rolls the transaction back.
    async fn on_commit(&self, connection: &mut PgConnection, commit: &Commit, ids: &NewIds) -> Result<(), sqlx::Error>;
}

/// Makes the commit and runs the hook, in one transaction.
pub(crate) async fn commit(database: &Database, hook: &dyn CommitHook, commit: &Commit) -> Result<NewIds, RepositoryError> {
    database.retry(|| Box::pin(attempt(database, hook, commit))).await
}

/// If this is interrupted or fails, dropping the transaction rolls it back.
async fn attempt(database: &Database, hook: &dyn CommitHook, commit: &Commit) -> Result<NewIds, Failure> {
    let (database, transaction) = database.begin().await?;
    let written = Box::pin(commit::commit(&database, commit)).await;
    let mut transaction = transaction.lock().await;
    if transaction.is_lost {
        return Err(Failure::Lost);
    }
    let ids = written.map_err(Failure::Final)?;
    hook.on_commit(&mut transaction.connection, commit, &ids).await.map_err(failed)?;
    database.end(transaction).await?;
    Ok(ids)
}

/// The failure of a hook. Its constraints are not those of the store.
fn failed(error: sqlx::Error) -> Failure {
    match Failure::from(error) {
        Failure::Final(RepositoryError::Conflict | RepositoryError::Taken(_)) => {
            Failure::Final(fault("the commit hook broke a constraint"))
        }
        other => other,
    }
}
