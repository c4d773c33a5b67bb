//! Whether the client is still there, for work that nobody else needs.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use lease_core::ErrorKind;
use tokio_util::sync::CancellationToken;

use crate::problem::Problem;
use crate::state::AppState;

/// Whether anybody still waits for the response to a request that may write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presence {
    gone: CancellationToken,
}

impl Presence {
    /// Notes in the request when its client is gone.
    pub(super) fn until(gone: CancellationToken, mut request: Request) -> Request {
        request.extensions_mut().insert(Self { gone });
        request
    }

    /// Does work that costs much and is worth nothing to a client who has gone: it is then dropped.
    ///
    /// # Errors
    /// Those of the work; 503, which nobody gets, if the client has gone.
    pub(crate) async fn while_waiting<T>(&self, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        self.gone.run_until_cancelled(work).await.unwrap_or_else(|| Err(Problem::new(ErrorKind::Unavailable)))
    }

    /// The presence of whoever sent this request.
    pub(crate) fn of(parts: &Parts) -> Self {
        parts.extensions.get().cloned().unwrap_or_default()
    }
}

impl FromRequestParts<AppState> for Presence {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}
