//! Checks that a new connection is one that the options describe: a pooler in between may lose what the statements rely on.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use crate::options::{Pooler, PostgresOptions, literal};

/// The pooler in front of Postgres is not the one that [`PostgresOptions::pooler`] names. This is the source of a
/// [`sqlx::Error::Configuration`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolerError {
    /// The pooler refuses connections with settings.
    #[error("a pooler in front of Postgres refuses the settings of a connection")]
    RefusesSettings(#[source] sqlx::Error),
    /// The pooler accepts the settings and does not pass them on.
    #[error("a pooler in front of Postgres does not pass on the settings of a connection")]
    DropsSettings,
    /// The pooler passes on prepared statements under the names that its clients gave them, so that they get mixed up.
    #[error("there is no pooler in front of Postgres that keeps the prepared statements of its clients apart")]
    MixesStatements,
}

impl From<PoolerError> for sqlx::Error {
    fn from(error: PoolerError) -> Self {
        Self::Configuration(error.into())
    }
}

/// The error of an attempt to connect.
pub(crate) fn connecting(error: sqlx::Error) -> sqlx::Error {
    // The wording of PgBouncer.
    let is_refused = |error: &(dyn DatabaseError + 'static)| error.message().starts_with("unsupported startup parameter");
    if error.as_database_error().is_some_and(is_refused) { PoolerError::RefusesSettings(error).into() } else { error }
}

/// Checks a new connection.
pub(crate) async fn connection(connection: &mut PgConnection, options: &PostgresOptions) -> Result<(), sqlx::Error> {
    match options.pooler {
        Pooler::None => has_settings(connection, options).await,
        Pooler::Transaction => Ok(()),
        Pooler::TransactionPrepared => keeps_statements_apart(connection).await,
    }
}

async fn has_settings(connection: &mut PgConnection, options: &PostgresOptions) -> Result<(), sqlx::Error> {
    let asked = options.settings().map(|(name, value)| format!("('{name}', {})", literal(&value))).join(", ");
    let lost = format!(
        "select exists (select from pg_settings join (values {asked}) asked (name, value) using (name) where setting <> value)"
    );
    // As text in one message: a pooler may send the two messages of a prepared statement to two connections.
    let row = sqlx::raw_sql(AssertSqlSafe(lost)).fetch_one(connection).await?;
    if row.try_get(0)? { Err(PoolerError::DropsSettings.into()) } else { Ok(()) }
}

/// A pooler that keeps prepared statements gives them names of its own.
async fn keeps_statements_apart(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute("begin").await?;
    let is_mixed = sqlx::query_scalar("select exists (select from pg_prepared_statements where name like 'sqlx%')");
    let is_mixed = match is_mixed.fetch_one(&mut *connection).await {
        // Another client has prepared a statement under this name.
        Err(error) if error.as_database_error().and_then(DatabaseError::code).as_deref() == Some("42P05") => true,
        other => other?,
    };
    if is_mixed {
        connection.execute("rollback; deallocate all").await?;
        return Err(PoolerError::MixesStatements.into());
    }
    connection.execute("rollback").await?;
    Ok(())
}
