//! Receives the body of a request, before anything is done for it: in time, and in a memory that is bounded for all requests
//! together, so that peers who send slowly, or never, can keep neither.

use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use lease_core::ErrorKind;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::extract::{BODY_LIMIT, Received};
use crate::problem::{HttpError, Problem};
use crate::state::AppState;

/// The memory for all bodies together, in bytes.
const MEMORY: usize = 32 * 1024 * 1024;

/// Receives the body; 408 if it does not arrive within the request timeout. A body that is too long goes on as such, since
/// whoever may not send it at all is told so first (rule 2.4).
pub(super) async fn receive(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let limit = state.options.request_timeout;
    let body = std::mem::take(request.body_mut());
    match timeout(limit, state.uploads.receive(body)).await {
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

/// The memory for bodies that are being received or used. Cheap to clone; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Uploads(Arc<Semaphore>);

impl Default for Uploads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MEMORY)))
    }
}

impl Uploads {
    async fn receive(&self, mut body: Body) -> Result<Received, Problem> {
        if body.size_hint().lower() > BODY_LIMIT as u64 {
            return Ok(Received::TooLong);
        }
        let (mut bytes, mut memory) = (Vec::new(), None);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Problem::parse_error("The body could not be read."))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > BODY_LIMIT {
                return Ok(Received::TooLong);
            }
            // It is as long as the limit at most.
            let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let more = Arc::clone(&self.0).try_acquire_many_owned(length).map_err(|_| Problem::new(ErrorKind::Unavailable))?;
            match &mut memory {
                None => memory = Some(more),
                Some(memory) => memory.merge(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Received::Whole { bytes: bytes.into(), _memory: memory.map(Arc::new) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: usize) -> Body {
        Body::from(vec![b' '; bytes])
    }

    #[tokio::test]
    async fn bodies_share_their_memory_and_give_it_back() {
        let uploads = Uploads(Arc::new(Semaphore::new(10)));
        let first = uploads.receive(of(6)).await.unwrap();
        let refused = uploads.receive(of(5)).await.unwrap_err();
        assert_eq!(refused.code(), ErrorKind::Unavailable.into());
        drop(first);
        uploads.receive(of(5)).await.unwrap();
    }

    #[tokio::test]
    async fn a_body_may_be_as_long_as_the_limit_and_no_longer() {
        let uploads = Uploads::default();
        assert!(matches!(uploads.receive(of(BODY_LIMIT)).await, Ok(Received::Whole { .. })));
        assert!(matches!(uploads.receive(of(BODY_LIMIT + 1)).await, Ok(Received::TooLong)));
    }
}
