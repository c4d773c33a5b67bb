//! The counters that Prometheus scrapes. Each router has a registry of its own, so that several in one process do not add up.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use lease_core::account::PasswordHasher;
use prometheus::{Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

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
    hashing_free: IntGauge,
    hashing_waiting: IntGauge,
    hashing_refused: IntCounter,
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
    pub(crate) fn render(&self, hasher: &PasswordHasher) -> Result<String, prometheus::Error> {
        // Held to the end: two scrapes at once would add to one counter twice.
        let watched = self.shared.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.shared.hashing_free.set(count(hasher.available_permits()));
        self.shared.hashing_waiting.set(count(hasher.waiting()));
        self.shared.hashing_refused.reset();
        self.shared.hashing_refused.inc_by(hasher.refused());
        for (gauge, read) in watched.iter() {
            gauge.set(read());
        }
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.shared.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Counts a request as under way until the response is dropped.
    pub(crate) fn begin(&self) -> Counted {
        self.shared.in_flight.inc();
        Counted(self.shared.in_flight.clone())
    }

    /// Counts a stream as open.
    pub(crate) fn open_stream(&self) -> Counted {
        self.shared.event_streams.inc();
        Counted(self.shared.event_streams.clone())
    }

    /// Counts a response.
    pub(crate) fn response(&self, method: &str, route: &str, status: StatusCode, took: Duration) {
        self.shared.requests.with_label_values(&[method, route, status.as_str()]).inc();
        self.shared.durations.with_label_values(&[method, route]).observe(took.as_secs_f64());
    }

    /// Counts the outcome of a request to the API.
    pub(crate) fn outcome(&self, code: &str) {
        self.shared.outcomes.with_label_values(&[code]).inc();
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
        let hashing_free = IntGauge::new("lease_password_hashing_free", "Passwords that could be hashed now without waiting.")?;
        let hashing_waiting = IntGauge::new("lease_password_hashing_waiting", "Passwords waiting to be hashed.")?;
        let hashing_refused =
            IntCounter::new("lease_password_hashing_refused_total", "Passwords refused because too many were waiting.")?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(durations.clone()))?;
        registry.register(Box::new(in_flight.clone()))?;
        registry.register(Box::new(event_streams.clone()))?;
        registry.register(Box::new(outcomes.clone()))?;
        registry.register(Box::new(hashing_free.clone()))?;
        registry.register(Box::new(hashing_waiting.clone()))?;
        registry.register(Box::new(hashing_refused.clone()))?;
        Ok(Self {
            registry,
            requests,
            durations,
            in_flight,
            event_streams,
            outcomes,
            hashing_free,
            hashing_waiting,
            hashing_refused,
            watched: Mutex::default(),
        })
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics(…)")
    }
}

/// Something that counts as long as this lives.
#[derive(Debug)]
pub(crate) struct Counted(IntGauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The method as a label: a client may invent methods, and labels must be few.
pub(crate) fn method_label(method: &Method) -> &'static str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    const NAMES: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.iter().position(|known| known == method).and_then(|place| NAMES.get(place).copied()).unwrap_or("other")
}
