//! Applies the migrations, in one transaction: so it works through a pooler too, and a migration that fails leaves nothing.

use sqlx::error::DatabaseError;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use crate::options::{PostgresOptions, literal};
use crate::{MIGRATOR, check};

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
    /// The role may not create tables in the schema, or not the schema itself.
    #[error(
        "the role may not create tables in the schema {name}: have an administrator make it the role's own in this database, with \
         `create schema … authorization …` or `alter schema … owner to …`"
    )]
    Schema {
        /// The schema.
        name: String,
    },
    /// The database stores text in another encoding than UTF-8.
    #[error("the database stores text as {encoding}; it has to be created with the encoding UTF8")]
    Encoding {
        /// The encoding.
        encoding: String,
    },
    /// A newer version has taken something away that this version needs.
    #[error("this version is too old for the schema: it does not know migration {oldest}")]
    TooOld {
        /// The oldest migration that a version must know.
        oldest: i64,
    },
    /// Migrations are missing, and were not to be applied.
    #[error("{count} migrations are missing in the schema {schema}")]
    Missing {
        /// How many.
        count: usize,
        /// The schema.
        schema: String,
    },
    /// The database holds migrations that differ, or refuses one.
    #[error(transparent)]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database cannot be reached, or refuses a statement.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Applies the missing migrations.
pub(crate) async fn migrate(connect: &PgConnectOptions, options: &PostgresOptions) -> Result<(), MigrateError> {
    in_transaction(connect, options, async |connection| {
        prepare(connection, options).await?;
        // The lock of the migrator is one of the session, which outlives a transaction that fails.
        let mut migrator = Migrator::with_migrations(MIGRATOR.iter().cloned().collect());
        // A newer version may have applied migrations that this one does not know.
        migrator.set_locking(false).set_ignore_missing(true);
        migrator.run_direct(None, connection, false).await?;
        Ok(())
    })
    .await
}

/// Checks that no migration is missing and that this version is not too old, and changes nothing.
pub(crate) async fn check(connect: &PgConnectOptions, options: &PostgresOptions) -> Result<(), MigrateError> {
    in_transaction(connect, options, async |connection| {
        connection.execute("set transaction read only").await?;
        connection.execute(AssertSqlSafe(format!("set local search_path = {}", options.search_path()))).await?;
        suits(connection).await?;
        let mut missing: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
        if holds(connection, "to_regclass('_sqlx_migrations') is not null").await? {
            let applied = sqlx::raw_sql("select version from _sqlx_migrations where success").fetch_all(connection).await?;
            let applied: Vec<i64> = applied.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
            missing.retain(|version| !applied.contains(version));
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(MigrateError::Missing { count: missing.len(), schema: options.schema.clone() })
    })
    .await
}

/// Does this in one transaction, on a connection of its own: migrating, or waiting for a process that migrates, may take longer
/// than any other statement.
#[expect(clippy::disallowed_methods, reason = "the connection is used for nothing else, and closed")]
async fn in_transaction(
    connect: &PgConnectOptions,
    options: &PostgresOptions,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<(), MigrateError>,
) -> Result<(), MigrateError> {
    let connect = options.plain_connect_options(connect.clone()).application_name("lease migrations");
    let mut connection = PgConnection::connect_with(&connect).await.map_err(check::connecting)?;
    let mut transaction = connection.begin().await?;
    forget_statements(&mut transaction, options).await?;
    work(&mut transaction).await?;
    forget_statements(&mut transaction, options).await?;
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

/// Checks that the encoding is the right one, and that this version is not too old for the schema.
async fn suits(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let encoding: String =
        sqlx::raw_sql("select current_setting('server_encoding')").fetch_one(&mut *connection).await?.try_get(0)?;
    if encoding != "UTF8" {
        return Err(MigrateError::Encoding { encoding });
    }
    if !holds(connection, "to_regclass('schema_compatibility') is not null").await? {
        return Ok(());
    }
    let oldest = sqlx::raw_sql("select oldest_migration from schema_compatibility").fetch_optional(connection).await?;
    let oldest: i64 = oldest.map_or(Ok(0), |row| row.try_get(0))?;
    if MIGRATOR.version_exists(oldest) || oldest == 0 { Ok(()) } else { Err(MigrateError::TooOld { oldest }) }
}

/// The migrator prepares statements. If the pooler mixes them up, there may be some of another client, and none may remain.
async fn forget_statements(connection: &mut PgConnection, options: &PostgresOptions) -> Result<(), sqlx::Error> {
    if !options.pooler.keeps_statements() {
        connection.execute("deallocate all").await?;
    }
    Ok(())
}

/// Locks out other processes that migrate, and makes sure that there are the schema and the extensions.
async fn prepare(connection: &mut PgConnection, options: &PostgresOptions) -> Result<(), MigrateError> {
    connection.execute("set local statement_timeout = 0; set local lock_timeout = 0").await?;
    connection.execute("select pg_advisory_xact_lock(hashtextextended('lease.migrate', 0))").await?;
    // While a migration waits for a table, such as behind a dump, all requests for it wait behind the migration.
    connection.execute("set local lock_timeout = '5s'").await?;
    let name = options.search_path();
    let not_allowed = |error| refused(error, MigrateError::Schema { name: options.schema.clone() });
    if !holds(connection, &format!("to_regnamespace({}) is not null", literal(&name))).await? {
        connection.execute(AssertSqlSafe(format!("create schema {name}"))).await.map_err(not_allowed)?;
    }
    let may_use = |privilege| format!("has_schema_privilege({}, '{privilege}')", literal(&options.schema));
    if !holds(connection, &format!("{} and {}", may_use("usage"), may_use("create"))).await? {
        return Err(MigrateError::Schema { name: options.schema.clone() });
    }
    // Where the role may, in the schema in which everybody else looks for extensions.
    let public = "coalesce(has_schema_privilege(to_regnamespace('public'), 'create'), false)";
    let home = if holds(connection, public).await? { "public" } else { &name };
    for name in EXTENSIONS {
        let create = AssertSqlSafe(format!("create extension if not exists {name} with schema {home}"));
        connection.execute(create).await.map_err(|error| refused(error, MigrateError::Extension { name }))?;
    }
    // The operators of the extensions may be in another schema.
    let path = format!(
        "select set_config('search_path', concat_ws(', ', {}, string_agg(distinct quote_ident(nspname), ', ')), true) \
         from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname in ('{}')",
        literal(&name),
        EXTENSIONS.join("', '"),
    );
    connection.execute(AssertSqlSafe(path)).await?;
    suits(connection).await
}

async fn holds(connection: &mut PgConnection, condition: &str) -> Result<bool, sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(format!("select {condition}"))).fetch_one(connection).await?.try_get(0)
}

/// The error for a statement that the role may not run (SQLSTATE 42501).
fn refused(error: sqlx::Error, means: MigrateError) -> MigrateError {
    let code = error.as_database_error().and_then(DatabaseError::code);
    if code.as_deref() == Some("42501") { means } else { error.into() }
}
