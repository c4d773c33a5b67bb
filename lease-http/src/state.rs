//! What every handler and layer shares.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use lease_core::LeaseEngine;
use tokio_util::task::TaskTracker;

use crate::metrics::Metrics;
use crate::throttle::LoginThrottle;

/// What an operator may set of the REST layer.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// How long a request may take before it is answered 503; 30 seconds by default. Keep it below two minutes, which is how long
    /// an idempotency key is held for a request under way.
    pub request_timeout: Duration,
    /// The other origins whose pages may call; none by default.
    pub cors_origins: CorsOrigins,
    /// The header in which a trusted proxy tells the client's address, such as `x-forwarded-for`; none by default: the peer is
    /// the client.
    pub client_address_header: Option<HeaderName>,
    /// How many logins a minute may fail for one client address and name; 10 by default, 0 is off.
    pub login_failures_per_minute: u32,
    /// Where requests are counted.
    pub metrics: Metrics,
    /// Where requests that may write run. To be waited for before the process ends.
    pub writes: TaskTracker,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            cors_origins: CorsOrigins::None,
            client_address_header: None,
            login_failures_per_minute: 10,
            metrics: Metrics::new(),
            writes: TaskTracker::new(),
        }
    }
}

/// The other origins whose pages may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CorsOrigins {
    /// None.
    #[default]
    None,
    /// All.
    Any,
    /// These.
    These(Vec<HeaderValue>),
}

/// The state of the router. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The engine.
    pub engine: LeaseEngine,
    /// The settings.
    pub options: Arc<HttpOptions>,
    /// Counts failed logins.
    pub throttle: LoginThrottle,
}

impl AppState {
    /// The state of a router with these settings.
    #[must_use]
    pub fn new(engine: LeaseEngine, options: HttpOptions) -> Self {
        let throttle = LoginThrottle::new(options.login_failures_per_minute);
        Self { engine, options: Arc::new(options), throttle }
    }
}
