//! The counters that Prometheus scrapes (feature `metrics`). Each router has a registry of its own, so that several in one process do
//! not add up.

#[cfg(feature = "passwords")]
mod hashing;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use prometheus::{Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

#[cfg(feature = "passwords")]
use self::hashing::Hashing;
use crate::RouterBuilder;
use crate::state::AppState;

/// Upper bounds of the latency histogram, in seconds.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Counters of one router. Cheap to clone; clones share the counts.
#[derive(Clone)]
pub struct Metrics {
    shared: Arc<Shared>,
}

struct Shared {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    in_flight: IntGauge,
    event_streams: IntGauge,
    outcomes: IntCounterVec,
    #[cfg(feature = "passwords")]
    hashing: Hashing,
    watched: Mutex<Vec<(IntGauge, Reading)>>,
}

type Reading = Box<dyn Fn() -> i64 + Send + Sync>;

impl Metrics {
    /// Counters at zero.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "fails only for names that are invalid or taken; they are constants below, and a test registers them"
    )]
    pub fn new() -> Self {
        Self { shared: Arc::new(Shared::new().expect("the names of the metrics are valid and differ")) }
    }

    /// The registry, for metrics of the app.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// Adds a number that is read at every scrape, such as the size of a store's pool.
    ///
    /// # Errors
    /// [`prometheus::Error`] if the name is invalid or taken.
    pub fn watch(&self, name: &str, help: &str, read: impl Fn() -> i64 + Send + Sync + 'static) -> Result<(), prometheus::Error> {
        let gauge = IntGauge::new(name, help)?;
        self.shared.registry.register(Box::new(gauge.clone()))?;
        self.shared.watched.lock().unwrap_or_else(PoisonError::into_inner).push((gauge, Box::new(read)));
        Ok(())
    }

    /// Everything, in Prometheus' text format.
    pub(crate) fn render(&self, state: &AppState) -> Result<String, prometheus::Error> {
        // Held to the end: two scrapes at once would add to one counter twice.
        let watched = self.shared.watched.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.event_streams.set(as_gauge(state.streams.count()));
        #[cfg(feature = "passwords")]
        self.shared.hashing.read(state.engine.password_hasher());
        for (gauge, read) in watched.iter() {
            gauge.set(read());
        }
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.shared.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Counts a request as under way until the result is dropped.
    pub(crate) fn begin(&self, method: &'static str, route: &str) -> Counted {
        self.shared.in_flight.inc();
        Counted { shared: Arc::clone(&self.shared), method, route: route.to_owned() }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests = Opts::new("lease_http_requests_total", "Requests that got a response.");
        let requests = IntCounterVec::new(requests, &["method", "route", "status"])?;
        let seconds = HistogramOpts::new("lease_http_request_duration_seconds", "Time taken to respond.").buckets(BUCKETS.into());
        let durations = HistogramVec::new(seconds, &["method", "route"])?;
        let in_flight = IntGauge::new("lease_http_requests_in_flight", "Requests that have no response yet.")?;
        let event_streams = IntGauge::new("lease_http_event_streams", "Streams of events that are open.")?;
        let outcomes = Opts::new("lease_outcomes_total", "Outcomes of requests to the API: ok, or the code of the problem.");
        let outcomes = IntCounterVec::new(outcomes, &["code"])?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(durations.clone()))?;
        registry.register(Box::new(in_flight.clone()))?;
        registry.register(Box::new(event_streams.clone()))?;
        registry.register(Box::new(outcomes.clone()))?;
        Ok(Self {
            #[cfg(feature = "passwords")]
            hashing: Hashing::new(&registry)?,
            registry,
            requests,
            durations,
            in_flight,
            event_streams,
            outcomes,
            watched: Mutex::default(),
        })
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics(…)")
    }
}

/// A request that is counted as under way as long as this lives.
pub(crate) struct Counted {
    shared: Arc<Shared>,
    method: &'static str,
    route: String,
}

impl Counted {
    /// Counts the response, and the outcome if it is one of the API.
    pub(crate) fn answered(&self, status: StatusCode, code: &str, took: Duration) {
        let Self { shared, method, route } = self;
        shared.requests.with_label_values(&[*method, route, status.as_str()]).inc();
        shared.durations.with_label_values(&[*method, route]).observe(took.as_secs_f64());
        if route.contains("/api/") {
            shared.outcomes.with_label_values(&[code]).inc();
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.shared.in_flight.dec();
    }
}

impl RouterBuilder {
    /// The counters of requests.
    #[must_use]
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }
}

fn as_gauge(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
