//! Every request gets a response in time, and no write is interrupted.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lease_core::ErrorKind;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::layers::Observation;
use crate::problem::Problem;
use crate::state::AppState;

/// Responds 503 after the request timeout. A request that may write runs on a task of its own, which continues to its end even if
/// the client hangs up or the time is over, so that no write is left half done. Its outcome is then logged and counted all the same.
pub(super) async fn keep(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let limit = state.options.request_timeout;
    let answer = if [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
        tokio::time::timeout(limit, next.run(request)).await
    } else {
        let gone = CancellationToken::new();
        #[cfg(feature = "passwords")]
        let request = super::Presence::until(gone.clone(), request);
        let observation = request.extensions().get::<Observation>().cloned();
        let write = {
            let gone = gone.clone();
            async move {
                let response = next.run(request).await;
                if let Some(observation) = observation.filter(|_| gone.is_cancelled()) {
                    observation.tell(&response);
                }
                response
            }
        };
        let _until_gone = gone.drop_guard();
        let write = state.writes.spawn(write.in_current_span());
        tokio::time::timeout(limit, async {
            write.await.unwrap_or_else(|_| Problem::new(ErrorKind::InternalError).into_response())
        })
        .await
    };
    answer.unwrap_or_else(|_| {
        tracing::warn!(?limit, "a request took too long");
        Problem::new(ErrorKind::Unavailable).into_response()
    })
}
