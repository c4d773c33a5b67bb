//! The settings of the REST layer.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use lease_core::engine::Maintenance;

/// The settings of the REST layer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpOptions {
    /// The time after which a request gets the response 503; 30 seconds by default. A write goes on, and holds its idempotency
    /// key, until it ends.
    pub request_timeout: Duration,
    /// The other origins whose pages may call the API; none by default.
    pub cors_origins: CorsOrigins,
    /// The headers that their pages may send beside those that the API reads; those of tracing by default.
    pub cors_headers: Vec<HeaderName>,
    /// The header in which a trusted proxy gives the client's address, such as `x-forwarded-for`; `forwarded` is read as RFC 7239
    /// says. None by default: the client's address is then that of the connection (axum's `ConnectInfo`). Where there is none
    /// either, nothing is limited by address.
    pub client_address_header: Option<HeaderName>,
    /// The number of failed logins per minute for one client address and name; 10 by default, 0 for no limit. With all names
    /// together, a client address that nobody has logged in from with the same name before may fail five times as often.
    pub login_failures_per_minute: u32,
    /// The number of attempts to register per minute for one client address; 10 by default, 0 for no limit. Mails that are asked for are
    /// limited likewise, by a count of their own.
    pub registrations_per_minute: u32,
    /// The name of the platform, on the pages behind the links in mails; `Lease` by default.
    pub platform_name: String,
    /// Whether the staff console is served, at `/console`; it is by default.
    #[cfg(feature = "console")]
    pub console: bool,
    /// How often a stream of events looks whether its token is still good; a minute by default, and a millisecond at least.
    pub session_check_interval: Duration,
    /// The settings of the background work, which is caught up with when the engine's test clock is moved.
    pub maintenance: Maintenance,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            cors_origins: CorsOrigins::None,
            cors_headers: ["traceparent", "tracestate", "baggage"].map(HeaderName::from_static).into(),
            client_address_header: None,
            login_failures_per_minute: 10,
            registrations_per_minute: 10,
            platform_name: "Lease".to_owned(),
            #[cfg(feature = "console")]
            console: true,
            session_check_interval: Duration::from_secs(60),
            maintenance: Maintenance::default(),
        }
    }
}

impl HttpOptions {
    /// These options with another [`request_timeout`](Self::request_timeout).
    #[must_use]
    pub const fn with_request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// These options with other [`cors_origins`](Self::cors_origins).
    #[must_use]
    pub fn with_cors_origins(mut self, origins: CorsOrigins) -> Self {
        self.cors_origins = origins;
        self
    }

    /// These options with other [`cors_headers`](Self::cors_headers).
    #[must_use]
    pub fn with_cors_headers(mut self, headers: Vec<HeaderName>) -> Self {
        self.cors_headers = headers;
        self
    }

    /// These options with another [`client_address_header`](Self::client_address_header).
    #[must_use]
    pub fn with_client_address_header(mut self, header: Option<HeaderName>) -> Self {
        self.client_address_header = header;
        self
    }

    /// These options with another number of [`login_failures_per_minute`](Self::login_failures_per_minute).
    #[must_use]
    pub const fn with_login_failures_per_minute(mut self, failures: u32) -> Self {
        self.login_failures_per_minute = failures;
        self
    }

    /// These options with another number of [`registrations_per_minute`](Self::registrations_per_minute).
    #[must_use]
    pub const fn with_registrations_per_minute(mut self, registrations: u32) -> Self {
        self.registrations_per_minute = registrations;
        self
    }

    /// These options with another [`platform_name`](Self::platform_name).
    #[must_use]
    pub fn with_platform_name(mut self, name: String) -> Self {
        self.platform_name = name;
        self
    }

    /// These options with the staff [`console`](Self::console), or without it.
    #[cfg(feature = "console")]
    #[must_use]
    pub const fn with_console(mut self, is_served: bool) -> Self {
        self.console = is_served;
        self
    }

    /// These options with another [`session_check_interval`](Self::session_check_interval).
    #[must_use]
    pub const fn with_session_check_interval(mut self, interval: Duration) -> Self {
        self.session_check_interval = interval;
        self
    }

    /// These options with other settings of the [background work](Self::maintenance).
    #[must_use]
    pub fn with_maintenance(mut self, maintenance: Maintenance) -> Self {
        self.maintenance = maintenance;
        self
    }
}

/// The other origins whose pages may call the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CorsOrigins {
    /// No other origin.
    #[default]
    None,
    /// Every origin.
    Any,
    /// The listed origins.
    These(Vec<HeaderValue>),
}
