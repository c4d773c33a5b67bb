//! Applies the migrations, in one transaction: so it works through a pooler too, and a migration that fails leaves nothing.

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::MIGRATOR;
use crate::options::{Pooler, PostgresOptions};

/// The extensions that the indexes need. They are trusted: whoever may create objects in the database may enable them.
const EXTENSIONS: [&str; 2] = ["btree_gist", "pg_trgm"];

/// The error of a migration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// An extension is missing, and the role may not enable it.
    #[error(
        "the extension {name} is missing, and the role may not enable it: have an administrator run \
         `create extension {name}` in this database"
    )]
    Extension {
        /// The extension.
        name: &'static str,
    },
    /// The schema is missing, and the role may not create it.
    #[error(
        "the schema {name} is missing, and the role may not create it: have an administrator run \
         `create schema {name} authorization …` in this database"
    )]
    Schema {
        /// The schema.
        name: String,
    },
    /// The database holds migrations that differ, or refuses one.
    #[error(transparent)]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database cannot be reached, or refuses a statement.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

#[expect(clippy::disallowed_methods, reason = "the connection is used for nothing else, and closed")]
pub(crate) async fn migrate(connect: &PgConnectOptions, options: &PostgresOptions) -> Result<(), MigrateError> {
    let connect = connect.clone().application_name("lease migrations");
    let connect = if options.pooler == Pooler::None { connect } else { connect.extra_float_digits(None) };
    // A connection of its own: migrating, or waiting for a process that migrates, may take longer than any other statement.
    let mut connection = PgConnection::connect_with(&connect).await?;
    let mut transaction = connection.begin().await?;
    prepare(&mut transaction, options).await?;
    MIGRATOR.run_direct(None, &mut *transaction, false).await?;
    if options.pooler != Pooler::None {
        // The next client of this connection must not find statements that it did not prepare.
        transaction.execute("deallocate all").await?;
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

/// Locks out other processes that migrate, and makes sure that there are the schema and the extensions.
async fn prepare(connection: &mut PgConnection, options: &PostgresOptions) -> Result<(), MigrateError> {
    connection.execute("set local statement_timeout = 0; set local lock_timeout = 0").await?;
    connection.execute("select pg_advisory_xact_lock(hashtextextended('lease.migrate', 0))").await?;
    let exists = "select exists (select from pg_namespace where nspname = $1)";
    if !sqlx::query_scalar::<_, bool>(exists).bind(&options.schema).fetch_one(&mut *connection).await? {
        let create = AssertSqlSafe(format!("create schema {}", options.search_path()));
        let refused = |error| refused(error, MigrateError::Schema { name: options.schema.clone() });
        connection.execute(create).await.map_err(refused)?;
    }
    connection.execute(AssertSqlSafe(format!("set local search_path = {}", options.search_path()))).await?;
    for name in EXTENSIONS {
        let create = AssertSqlSafe(format!("create extension if not exists {name}"));
        connection.execute(create).await.map_err(|error| refused(error, MigrateError::Extension { name }))?;
    }
    // The operators of the extensions may be in another schema.
    let extensions = "select string_agg(distinct quote_ident(nspname), ', ') from pg_extension e \
                      join pg_namespace n on n.oid = e.extnamespace where extname = any ($1)";
    let extensions: Option<String> =
        sqlx::query_scalar(extensions).bind(EXTENSIONS.map(str::to_owned).to_vec()).fetch_one(&mut *connection).await?;
    let path = format!("set local search_path = {}, {}", options.search_path(), extensions.unwrap_or_default());
    connection.execute(AssertSqlSafe(path)).await?;
    Ok(())
}

/// The error for a statement that the role may not run (SQLSTATE 42501).
fn refused(error: sqlx::Error, means: MigrateError) -> MigrateError {
    let code = error.as_database_error().and_then(DatabaseError::code);
    if code.as_deref() == Some("42501") { means } else { error.into() }
}
