#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]
//!
//! # How it is built
//!
//! [`router`] is the whole layer with default settings, [`RouterBuilder`] with other settings. A request passes the layers, the
//! extractors of its handler and the engine, in this order; this crate has no business rules. Every error is a [`Problem`], and
//! [`document`] is the `OpenAPI` document, which is collected from the declarations of the handlers. [`views`] are the responses as
//! types, for an app's own handlers and for clients.

mod account_pages;
mod auth;
mod authenticator;
mod client_address;
#[cfg(feature = "console")]
mod console;
mod endpoints;
mod etag;
mod extract;
mod idempotency;
mod layers;
mod location;
mod memory;
#[cfg(feature = "metrics")]
mod metrics;
mod openapi;
mod ops;
mod options;
mod panic;
mod path;
mod precompressed;
mod problem;
mod query;
mod request_id;
mod routes;
mod schema;
mod state;
mod throttle;
pub mod views;

use std::io::Write as _;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use lease_core::{ErrorKind, LeaseEngine};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use auth::Caller;
pub use authenticator::{Authenticator, Identity, Tokens};
use endpoints::Endpoints;
use extract::Engine;
use memory::Memory;
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
pub use options::{CorsOrigins, HttpOptions};
use precompressed::Precompressed;
pub use problem::{ErrorCode, HttpError, Problem};
use state::{AppState, Shared};
use throttle::{ClientThrottle, Streams};

/// The memory for the bodies of requests, in bytes.
const UPLOADS: usize = 32 * 1024 * 1024;
/// The memory for the bodies of responses, in bytes.
const DOWNLOADS: usize = 64 * 1024 * 1024;

/// The REST layer for this engine, with default settings. It has a fallback of its own, so nest it in an app that also has one.
///
/// Beside it, run the engine's [background work](LeaseEngine::run_maintenance): the router only answers requests, and does not settle
/// a payment that stayed pending.
///
/// ```no_run
/// # async fn serve(engine: lease_core::LeaseEngine, listener: tokio::net::TcpListener) -> std::io::Result<()> {
/// let app = lease_http::router(engine.clone());
/// tokio::spawn(async move { engine.run_maintenance(&Default::default(), std::future::pending()).await });
/// // Without the addresses of clients, nothing is limited by address.
/// let app = app.into_make_service_with_connect_info::<std::net::SocketAddr>();
/// axum::serve(listener, app).await
/// # }
/// ```
pub fn router(engine: LeaseEngine) -> Router {
    RouterBuilder::new(engine).build()
}

/// The `OpenAPI` document.
#[must_use]
pub fn document() -> &'static str {
    &DOCUMENT.plain
}

/// The `OpenAPI` document of an engine that has a [test clock](lease_core::clock::TestClock), which has two more paths.
#[must_use]
pub fn document_with_test_clock() -> &'static str {
    &DOCUMENT_WITH_TEST_CLOCK.plain
}

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document::of(false, false));
static DOCUMENT_WITH_TEST_CLOCK: LazyLock<Document> = LazyLock::new(|| Document::of(true, false));
static DOCUMENT_WITH_GUARD: LazyLock<Document> = LazyLock::new(|| Document::of(false, true));
static DOCUMENT_WITH_BOTH: LazyLock<Document> = LazyLock::new(|| Document::of(true, true));

/// The document, as it is and compressed.
struct Document {
    plain: String,
    gzip: Vec<u8>,
}

impl Document {
    fn of(has_test_clock: bool, has_guard: bool) -> Self {
        let described = all(routes::endpoints(has_test_clock)).into_openapi();
        let plain = openapi::complete(&described, has_guard).map(|document| document.to_string()).unwrap_or_default();
        let mut compressed = GzEncoder::new(Vec::new(), Compression::best());
        // Writing to memory cannot fail.
        let _ = compressed.write_all(plain.as_bytes());
        Self { plain, gzip: compressed.finish().unwrap_or_default() }
    }

    fn served_by(engine: &LeaseEngine) -> &'static Self {
        match (engine.has_test_clock(), engine.has_guard()) {
            (false, false) => &DOCUMENT,
            (true, false) => &DOCUMENT_WITH_TEST_CLOCK,
            (false, true) => &DOCUMENT_WITH_GUARD,
            (true, true) => &DOCUMENT_WITH_BOTH,
        }
    }
}

/// Sets up the REST layer.
#[derive(Clone, Debug)]
pub struct RouterBuilder {
    engine: LeaseEngine,
    authenticator: Arc<dyn Authenticator>,
    options: HttpOptions,
    #[cfg(feature = "metrics")]
    metrics: Metrics,
    writes: TaskTracker,
    stop: CancellationToken,
}

impl RouterBuilder {
    /// Starts to set up the REST layer for this engine.
    #[must_use]
    pub fn new(engine: LeaseEngine) -> Self {
        Self {
            engine,
            authenticator: Arc::new(Tokens),
            options: HttpOptions::default(),
            #[cfg(feature = "metrics")]
            metrics: Metrics::new(),
            writes: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Who finds out who sends a request: an app's own authentication. The default is [`Tokens`].
    #[must_use]
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticator = Arc::new(authenticator);
        self
    }

    /// The settings.
    #[must_use]
    pub fn options(mut self, options: HttpOptions) -> Self {
        self.options = options;
        self
    }

    /// The tasks of requests that may write, each of which continues to its end even if its client hangs up. Wait for them before
    /// the process ends.
    #[must_use]
    pub fn writes(mut self, writes: TaskTracker) -> Self {
        self.writes = writes;
        self
    }

    /// Ends the streams of events once it is cancelled. Cancel it when the process stops: by themselves they go on.
    #[must_use]
    pub fn stop(mut self, stop: CancellationToken) -> Self {
        self.stop = stop;
        self
    }

    /// The router.
    pub fn build(self) -> Router {
        // Now, rather than on a thread that serves requests.
        Document::served_by(&self.engine);
        let state = AppState::from(Shared {
            #[cfg(feature = "passwords")]
            accounts: throttle::AccountLimits::new(&self.options),
            mails: ClientThrottle::new(self.options.registrations_per_minute),
            streams: Streams::default(),
            stop: self.stop,
            engine: self.engine,
            authenticator: self.authenticator,
            options: self.options,
            #[cfg(feature = "metrics")]
            metrics: self.metrics,
            writes: self.writes,
            uploads: Memory::new(UPLOADS),
            downloads: Memory::new(DOWNLOADS),
        });
        let (routes, _) = all(routes::endpoints(state.engine.has_test_clock()).replaying(&state)).split_for_parts();
        let routes = routes
            .fallback(async || Problem::new(ErrorKind::NotFound))
            .method_not_allowed_fallback(async |_: Caller| Problem::new(HttpError::MethodNotAllowed))
            .with_state(state.clone());
        #[cfg(feature = "console")]
        let routes = if state.options.console { routes.clone().merge(console::router(state.clone(), routes)) } else { routes };
        as_meant(layers::around(routes, &state))
    }
}

/// The endpoints of the API and those for operators, each with its description, and the pages behind the links in mails.
fn all(endpoints: Endpoints) -> OpenApiRouter<AppState> {
    endpoints.into_router().routes(routes!(openapi_document)).merge(ops::router()).merge(account_pages::router())
}

/// Get this document
#[utoipa::path(get, path = "/api/openapi.json", tag = "operation", security((), ("token" = [])),
    responses((status = 200, description = "The OpenAPI document.", body = serde_json::Value)))]
async fn openapi_document(_: Caller, engine: Engine, headers: HeaderMap) -> Response {
    let Document { plain, gzip } = Document::served_by(&engine);
    let file = Precompressed { content_type: "application/json", plain: plain.as_bytes(), gzip };
    file.response(&headers)
}

/// Also accepts every path with a trailing slash, and with characters encoded that need not be: a path that matches no route is tried
/// again without them.
fn as_meant(routes: Router) -> Router {
    let again = routes.clone();
    routes.fallback(move |mut request: Request| {
        if let Some(uri) = meant(request.uri()) {
            *request.uri_mut() = uri;
        }
        again.clone().oneshot(request)
    })
}

/// The URI with its path [decoded](path::plain), and without the trailing slash.
fn meant(uri: &Uri) -> Option<Uri> {
    let plain = path::plain(uri.path());
    let path = plain.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(&plain);
    let path_and_query: PathAndQuery = match uri.query() {
        Some(query) => format!("{path}?{query}").parse().ok()?,
        None => path.parse().ok()?,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_post_declares_its_replay() {
        let described = all(routes::endpoints(true)).into_openapi();
        let posts = described.paths.paths.iter().filter_map(|(path, item)| Some((path, item.post.as_ref()?)));
        for (path, operation) in posts {
            let extensions = operation.extensions.as_ref();
            assert!(extensions.is_some_and(|found| found.contains_key(endpoints::X_IDEMPOTENCY_KEY)), "{path}");
        }
    }
}
