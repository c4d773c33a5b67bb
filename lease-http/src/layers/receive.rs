//! Receives the body of a request, before anything is done for it: in time, and in a bounded memory, so that clients who send
//! slowly, or never, can keep neither.

use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use lease_core::ErrorKind;
use lease_core::client::ClientNetwork;
use tokio::time::timeout;

use crate::client_address::ClientAddress;
use crate::extract::{BODY_LIMIT, Received};
use crate::memory::Memory;
use crate::problem::{HttpError, Problem};
use crate::state::AppState;

/// Receives the body; 408 if it does not arrive within the request timeout. A body that is too long goes on as such, since
/// whoever may not send it at all is told so first (rule 2.4).
pub(super) async fn receive(State(state): State<AppState>, client: ClientAddress, mut request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let limit = state.options.request_timeout;
    let body = std::mem::take(request.body_mut());
    match timeout(limit, read(&state.uploads, client.network(), body)).await {
        Ok(Ok(received)) => {
            request.extensions_mut().insert(received);
            next.run(request).await
        }
        Ok(Err(problem)) => problem.into_response(),
        Err(_) => {
            let mut response = Problem::new(HttpError::RequestTimeout).into_response();
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            response
        }
    }
}

async fn read(memory: &Memory, client: Option<ClientNetwork>, mut body: Body) -> Result<Received, Problem> {
    if body.size_hint().lower() > BODY_LIMIT as u64 {
        return Ok(Received::TooLong);
    }
    let mut taken = memory.nothing_for(client);
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::parse_error("The body could not be read."))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > BODY_LIMIT {
            return Ok(Received::TooLong);
        }
        if !taken.take(data.len()) {
            return Err(Problem::new(ErrorKind::Unavailable));
        }
        // The length that a client announces is not worth any memory before it has come.
        bytes.extend_from_slice(&data);
    }
    Ok(Received::Whole { bytes: bytes.into(), _memory: Arc::new(taken) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: usize) -> Body {
        Body::from(vec![b' '; bytes])
    }

    #[tokio::test]
    async fn bodies_share_their_memory_and_give_it_back() {
        let memory = Memory::new(10);
        let first = [read(&memory, None, of(5)).await.unwrap(), read(&memory, None, of(4)).await.unwrap()];
        let refused = read(&memory, None, of(2)).await.unwrap_err();
        assert_eq!(refused.code(), ErrorKind::Unavailable.into());
        drop(first);
        read(&memory, None, of(5)).await.unwrap();
    }

    #[tokio::test]
    async fn a_body_may_be_as_long_as_the_limit_and_no_longer() {
        let memory = Memory::new(2 * BODY_LIMIT);
        assert!(matches!(read(&memory, None, of(BODY_LIMIT)).await, Ok(Received::Whole { .. })));
        assert!(matches!(read(&memory, None, of(BODY_LIMIT + 1)).await, Ok(Received::TooLong)));
    }
}
