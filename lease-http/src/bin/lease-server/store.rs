//! The choice of the store. No other module knows the backends.

use std::sync::Arc;

use lease_core::repository::Repository;
use lease_http::Metrics;
use lease_store_memory::MemoryRepository;
use lease_store_postgres::{ConnectError, MigrateError, PoolerError, PostgresRepository};
use secrecy::{ExposeSecret as _, SecretString};

use crate::clock;
use crate::config::Settings;
use crate::failure::{Failure, one_line};

/// The store that the settings choose, ready for use. The metrics report on its connections.
pub(crate) async fn open(settings: &Settings, metrics: &Metrics) -> Result<Arc<dyn Repository>, Failure> {
    if url(settings).is_none() {
        tracing::warn!("no DATABASE_URL: all data is kept in memory and is lost when this process ends");
        return Ok(Arc::new(MemoryRepository::default()));
    }
    let store = postgres(settings, "serve").await?;
    watch(&store, metrics)?;
    let migrations = if settings.no_migrate { "no migration is missing" } else { "migrations are applied" };
    tracing::info!(max_connections = settings.database_max_connections, "all data is stored in Postgres; {migrations}");
    clock::compare(&store).await?;
    Ok(Arc::new(store))
}

/// The Postgres store, after its migrations. With --no-migrate, none may be missing.
pub(crate) async fn postgres(settings: &Settings, command: &str) -> Result<PostgresRepository, Failure> {
    if settings.no_migrate { unchanged(settings, command).await } else { migrated(settings, command).await }
}

/// The Postgres store, whatever --no-migrate says, after its migrations.
pub(crate) async fn migrated(settings: &Settings, command: &str) -> Result<PostgresRepository, Failure> {
    let store = connect(settings, command).await?;
    store.migrate().await.map_err(|error| unsuitable(&error))?;
    Ok(store)
}

/// The Postgres store as it is. No migration may be missing.
pub(crate) async fn unchanged(settings: &Settings, command: &str) -> Result<PostgresRepository, Failure> {
    let store = connect(settings, command).await?;
    store.check_schema().await.map_err(|error| unsuitable(&error))?;
    Ok(store)
}

async fn connect(settings: &Settings, command: &str) -> Result<PostgresRepository, Failure> {
    let url =
        url(settings).ok_or_else(|| Failure::Setting(format!("{command} needs a database: --database-url or DATABASE_URL")))?;
    let wrong = |why: &str| Failure::Setting(format!("invalid value for '--database-url' or DATABASE_URL: {why}"));
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(wrong("a URL is required that begins with postgres://"));
    }
    // This does not connect: an error here means that the URL is wrong.
    PostgresRepository::connect_lazy(url, settings.postgres()).map_err(|error| wrong(&one_line(&error)))?;
    PostgresRepository::connect(url, settings.postgres()).await.map_err(|error| unreachable(&error))
}

/// What a wrong setting brings about has another exit code than what may pass by itself.
fn unreachable(error: &ConnectError) -> Failure {
    let hint = if needs_pooler(error) { "; set --database-pooler=transaction" } else { "" };
    match error {
        ConnectError::Refused(_) => {
            Failure::Setting(format!("the database refuses the connection: {error}{hint}").replace('\n', " "))
        }
        _ => Failure::Other(format!("the database cannot be reached: {error}").into()),
    }
}

fn needs_pooler(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(<dyn std::error::Error>::is::<PoolerError>)
}

fn unsuitable(error: &MigrateError) -> Failure {
    match error {
        MigrateError::Encoding { .. } | MigrateError::Extension { .. } | MigrateError::Schema { .. } => {
            Failure::Setting(format!("the database cannot be used: {error}"))
        }
        MigrateError::Missing { .. } => {
            Failure::Other(format!("{error}: run `lease-server migrate`, with a role that may create tables").into())
        }
        MigrateError::TooOld { .. } => Failure::Other(error.to_string().into()),
        _ => Failure::Other(format!("the migrations could not be applied: {}", one_line(error)).into()),
    }
}

/// The URL of the database; an empty variable counts as not set.
fn url(settings: &Settings) -> Option<&str> {
    settings.database_url.as_ref().map(SecretString::expose_secret).filter(|url| !url.trim().is_empty())
}

fn watch(store: &PostgresRepository, metrics: &Metrics) -> Result<(), Failure> {
    let watched = store.clone();
    let open = move || i64::try_from(watched.connection_count().open).unwrap_or(i64::MAX);
    metrics.watch("lease_database_connections", "Connections to the database.", open).map_err(Failure::other)?;
    let watched = store.clone();
    let idle = move || i64::try_from(watched.connection_count().idle).unwrap_or(i64::MAX);
    metrics.watch("lease_database_connections_idle", "Idle connections to the database.", idle).map_err(Failure::other)
}
