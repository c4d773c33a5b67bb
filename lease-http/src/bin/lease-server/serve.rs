//! `serve`: from the settings to the last answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lease_core::LeaseEngine;
use lease_core::repository::Repository;
use lease_http::RouterBuilder;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::{Failure, background, connections, log, store, superuser};

/// Serves until SIGTERM or Ctrl-C.
pub(crate) async fn serve(settings: &Settings) -> Result<(), Failure> {
    log::start(settings)?;
    let superuser = superuser::from_environment()?;
    let options = settings.http_options();
    let engine = engine(settings, store::open(settings, &options.metrics).await?)?;
    let fees = settings.fees()?;
    if engine.ensure_standard_services(fees.lease, fees.sell).await.map_err(Failure::other)? {
        tracing::info!(lease = %fees.lease, sell = %fees.sell, "the standard services were made");
    }
    if let Some(superuser) = superuser {
        superuser::ensure_at_start(&engine, &superuser).await?;
    }

    let listener = TcpListener::bind(settings.bind).await.map_err(|error| in_use(settings.bind, &error))?;
    let address = listener.local_addr().map_err(Failure::other)?;
    let stop = on_signal()?;
    let tasks = options.writes.clone();
    background::start(&engine, &tasks, &stop);
    let head_timeout = options.request_timeout;
    let app = RouterBuilder::new(engine).options(options).build();
    tracing::info!(%address, "listening on http://{address}");

    let drained = async {
        connections::serve(listener, app, head_timeout, stop.clone()).await;
        // Requests whose client hung up, and those that took too long, may still write.
        tasks.close();
        tasks.wait().await;
    };
    bounded(drained, &stop, Duration::from_secs(settings.shutdown_timeout_seconds)).await
}

/// The engine that the settings describe.
pub(crate) fn engine(settings: &Settings, store: Arc<dyn Repository>) -> Result<LeaseEngine, Failure> {
    let builder = LeaseEngine::builder(store).policy(settings.policy()).password_params(settings.password_params());
    builder
        .build()
        .map_err(|error| Failure::Setting(format!("invalid value for '--argon2-memory-kib' or '--argon2-iterations': {error}")))
}

/// Runs the server; once it shall stop, for so long at the most.
async fn bounded(server: impl Future<Output = ()>, stop: &CancellationToken, limit: Duration) -> Result<(), Failure> {
    let too_late = async {
        stop.cancelled().await;
        timeout(limit, std::future::pending::<()>()).await
    };
    tokio::select! {
        () = server => {
            tracing::info!("stopped");
            Ok(())
        }
        _ = too_late => Err(Failure::Other(format!("requests were still under way after {} seconds", limit.as_secs()).into())),
    }
}

/// Is cancelled by SIGTERM and Ctrl-C.
fn on_signal() -> Result<CancellationToken, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::other)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::other)?;
    let signalled = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: requests under way are answered first");
        signalled.cancel();
    });
    Ok(stop)
}

fn in_use(address: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::Other(format!("cannot listen on {address}: {error}").into())
}
