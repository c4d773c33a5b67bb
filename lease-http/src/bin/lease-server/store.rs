//! The choice of the store. No other module knows the backends.

use std::sync::Arc;

use lease_core::repository::Repository;
use lease_http::Metrics;
use lease_store_memory::MemoryRepository;
use lease_store_postgres::{PoolerError, PostgresRepository};
use secrecy::{ExposeSecret as _, SecretString};

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
    tracing::info!(max_connections = settings.database_max_connections, "all data is stored in Postgres; migrations are applied");
    Ok(Arc::new(store))
}

/// The Postgres store, after its migrations.
pub(crate) async fn postgres(settings: &Settings, command: &str) -> Result<PostgresRepository, Failure> {
    let url =
        url(settings).ok_or_else(|| Failure::Setting(format!("{command} needs a database: --database-url or DATABASE_URL")))?;
    let wrong = |why: &str| Failure::Setting(format!("invalid value for '--database-url' or DATABASE_URL: {why}"));
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(wrong("a URL is required that begins with postgres://"));
    }
    // This does not connect: an error here means that the URL is wrong.
    PostgresRepository::connect_lazy(url, settings.postgres()).map_err(|error| wrong(&one_line(&error)))?;
    let unreachable = |error| Failure::Other(format!("the database cannot be reached: {}", explained(&error)).into());
    let store = PostgresRepository::connect(url, settings.postgres()).await.map_err(unreachable)?;
    store
        .migrate()
        .await
        .map_err(|error| Failure::Other(format!("the migrations could not be applied: {}", one_line(&error)).into()))?;
    Ok(store)
}

/// The error in one line, and the setting that it asks for.
fn explained(error: &(dyn std::error::Error + 'static)) -> String {
    let mut chain = std::iter::successors(Some(error), |error| error.source());
    let hint = if chain.any(<dyn std::error::Error>::is::<PoolerError>) { "; set --database-pooler=transaction" } else { "" };
    one_line(error) + hint
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
