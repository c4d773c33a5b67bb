//! `serve`: from reading the settings to the last response.

use std::net::SocketAddr;
use std::time::Duration;

use lease_core::LeaseEngine;
use lease_core::engine::Maintenance;
use lease_http::{Metrics, RouterBuilder};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Settings;
use crate::connections::{Counts, Limits};
use crate::engine::engine;
use crate::failure::Failure;
use crate::gateway::gateway;
use crate::messages::Messengers;
use crate::{connections, log, store, superuser};

/// Serves until SIGTERM or Ctrl-C.
pub(crate) async fn serve(settings: &Settings) -> Result<(), Failure> {
    let log = log::start(settings)?;
    let metrics = Metrics::new();
    log.watch(&metrics).map_err(Failure::other)?;
    let gateway = gateway(settings)?;
    let messengers = Messengers::new(settings)?;
    if gateway.info().is_sandbox {
        tracing::warn!("no money moves: cards are charged by a sandbox for trials (--gateway)");
    }
    messengers.warn(settings);
    let engine = engine(settings, store::open(settings, &metrics).await?, gateway, Some(messengers))?;
    if engine.has_test_clock() {
        tracing::warn!("the test clock is on: superusers can move the time of this process forward");
    }
    let fees = settings.fees()?;
    if engine.ensure_standard_services(fees.lease, fees.sell).await.map_err(Failure::other)? {
        tracing::info!(lease = %fees.lease, sell = %fees.sell, "the standard services were created");
    }
    superuser::ensure_at_start(&engine).await?;

    let listener = connections::listen(settings.bind).map_err(|error| cannot_listen(settings.bind, &error))?;
    let address = listener.local_addr().map_err(Failure::other)?;
    let stop = on_signal()?;
    let tasks = TaskTracker::new();
    let options = settings.http_options();
    tasks.spawn(maintain(engine.clone(), options.maintenance.clone(), stop.clone()));
    let limits = limits(settings);
    let counts = Counts::new(&metrics).map_err(Failure::other)?;
    let builder = RouterBuilder::new(engine).options(options).metrics(metrics);
    let app = builder.writes(tasks.clone()).stop(stop.clone()).build();
    tracing::info!(%address, "listening on http://{address}");

    let drained = async {
        connections::serve(listener, app, &limits, &counts, stop.clone()).await;
        // Requests whose client hung up, or that took too long, may still be writing.
        tasks.close();
        tasks.wait().await;
    };
    bounded(drained, &stop, Duration::from_secs(settings.shutdown_timeout_seconds)).await
}

/// Does the background work until the server is stopped.
async fn maintain(engine: LeaseEngine, settings: Maintenance, stop: CancellationToken) {
    engine.run_maintenance(&settings, stop.cancelled()).await;
}

/// Runs the server until it is stopped, and then for at most this long.
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

/// A token that SIGTERM and Ctrl-C cancel.
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
        tracing::info!("stopping: pending requests are completed first");
        signalled.cancel();
    });
    Ok(stop)
}

/// The longest that peers may keep a server waiting that stops.
const MAX_PATIENCE: Duration = Duration::from_secs(5);

/// The limits of connections; as many of them as the process can afford.
fn limits(settings: &Settings) -> Limits {
    let wanted = settings.max_connections.try_into().unwrap_or(usize::MAX);
    let connections = connections::affordable(wanted, settings.database_max_connections);
    if connections < wanted {
        tracing::warn!(connections, wanted, "fewer connections are accepted, because the process may not open more files");
    }
    let shutdown_timeout = Duration::from_secs(settings.shutdown_timeout_seconds);
    Limits {
        connections,
        timeout: Duration::from_secs(settings.request_timeout_seconds),
        peers_are_clients: settings.client_address_header.is_none(),
        patience: MAX_PATIENCE.min(shutdown_timeout / 2),
    }
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::Other(format!("cannot listen on {address}: {error}").into())
}
