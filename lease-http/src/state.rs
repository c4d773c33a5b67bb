//! The state that handlers and layers share.

use std::ops::Deref;
use std::sync::Arc;

use lease_core::LeaseEngine;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::authenticator::Authenticator;
use crate::memory::Memory;
use crate::options::HttpOptions;
use crate::throttle::{ClientThrottle, Streams};

/// The state of the router. Cheap to clone: each request does so in each layer.
#[derive(Clone, Debug)]
pub(crate) struct AppState(Arc<Shared>);

/// What is in the state.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) engine: LeaseEngine,
    /// Finds out who sends a request.
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) options: HttpOptions,
    /// The counters of requests.
    #[cfg(feature = "metrics")]
    pub(crate) metrics: crate::metrics::Metrics,
    /// The tasks of requests that may write.
    pub(crate) writes: TaskTracker,
    /// The memory for the bodies of requests.
    pub(crate) uploads: Memory,
    /// The memory for responses that are being sent.
    pub(crate) downloads: Memory,
    /// The limits on who registers and logs in.
    #[cfg(feature = "passwords")]
    pub(crate) accounts: crate::throttle::AccountLimits,
    /// Counts mails that are asked for.
    pub(crate) mails: ClientThrottle,
    /// Counts open streams.
    pub(crate) streams: Streams,
    /// Ends all streams.
    pub(crate) stop: CancellationToken,
}

impl From<Shared> for AppState {
    fn from(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
