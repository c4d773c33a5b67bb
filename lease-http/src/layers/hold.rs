//! Bounds the memory for responses, which a client may take slowly.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lease_core::ErrorKind;

use crate::client_address::ClientAddress;
use crate::memory::Taken;
use crate::precompressed;
use crate::problem::Problem;
use crate::state::AppState;

/// Smaller responses are not counted: the connection itself takes more.
const SMALL: usize = 4 * 1024;

/// Marks a response that has no end, and is sent piece by piece.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endless;

/// Counts the body of a response until the last byte of it was taken; 503 if there is no memory for it.
pub(super) async fn hold(State(state): State<AppState>, client: ClientAddress, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let extensions = response.extensions();
    if precompressed::is_precompressed(extensions) || extensions.get::<Endless>().is_some() {
        return response;
    }
    let (parts, body) = response.into_parts();
    // The handlers have made it as a whole.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return Problem::new(ErrorKind::InternalError).into_response() };
    let bytes = match bytes.len() {
        0..SMALL => bytes,
        length => match state.downloads.take(client.network(), length) {
            Some(taken) => Bytes::from_owner(Held { bytes, _taken: taken }),
            None => return Problem::new(ErrorKind::Unavailable).into_response(),
        },
    };
    Response::from_parts(parts, Body::from(bytes))
}

/// The bytes of a response, and their memory.
struct Held {
    bytes: Bytes,
    _taken: Taken,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
