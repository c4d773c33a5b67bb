//! `ETag`, `If-Match` and `If-None-Match` (rule 6.9), for each object that can be changed. The tag is a hash of the object as its reader
//! sees it, so that it moves whenever that does, and is the same in whichever response it comes.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use lease_core::engine::Precondition;
use lease_core::{Error, ErrorKind};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;
use utoipa::openapi::PathItem;

use crate::problem::Problem;
use crate::state::AppState;

/// Whether the path is that of an object that can be read and changed.
pub(crate) const fn is_changeable(path: &PathItem) -> bool {
    path.get.is_some() && (path.put.is_some() || path.patch.is_some() || path.delete.is_some())
}

/// Puts the layer around the handlers of an object.
pub(crate) fn around(object: MethodRouter<AppState>, state: &AppState) -> MethodRouter<AppState> {
    let handlers = object.clone().with_state(state.clone());
    object.route_layer(from_fn_with_state(handlers, respond))
}

async fn respond(State(handlers): State<MethodRouter>, mut request: Request, next: Next) -> Response {
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let known = Tags::of(request.headers(), &IF_NONE_MATCH).filter(|_| is_read);
    if let Some(expected) = Tags::of(request.headers(), &IF_MATCH).filter(|_| !is_read) {
        let precondition = precondition(&handlers, &request, expected);
        request.extensions_mut().insert(precondition);
    }
    let response = next.run(request).await;
    if response.status() == StatusCode::OK { tagged(response, known).await } else { response }
}

/// The response with its tag; 304 without a body if the client has it already.
async fn tagged(response: Response, known: Option<Tags>) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return Problem::new(ErrorKind::InternalError).into_response() };
    let tag = tag(&bytes);
    let is_known = known.is_some_and(|known| known.contain(&tag));
    parts.headers.insert(ETAG, tag);
    if !is_known {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(CONTENT_TYPE);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

/// Reads the object anew, as who sends the request, and compares it with what they have seen.
fn precondition(handlers: &MethodRouter, request: &Request, expected: Tags) -> Precondition {
    let mut read = Request::new(());
    *read.uri_mut() = request.uri().clone();
    *read.headers_mut() = request.headers().clone();
    *read.extensions_mut() = request.extensions().clone();
    let (handlers, expected) = (handlers.clone(), std::sync::Arc::new(expected));
    Precondition::new(move || {
        let (handlers, request, expected) = (handlers.clone(), read.clone().map(|()| Body::empty()), expected.clone());
        async move {
            let response = handlers.oneshot(request).await.unwrap_or_else(|never| match never {});
            let status = response.status();
            if status.is_server_error() {
                return Err(Error::Unavailable(format!("the object cannot be read: {status}").into()));
            }
            let bytes = to_bytes(response.into_body(), usize::MAX).await.map_err(|error| Error::Unavailable(error.into()))?;
            Ok(status == StatusCode::OK && expected.contain(&tag(&bytes)))
        }
    })
}

/// A strong tag of a body.
fn tag(body: &[u8]) -> HeaderValue {
    let hash = hex::encode(&Sha256::digest(body)[..16]);
    HeaderValue::try_from(format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The tags of a header.
#[derive(Debug)]
enum Tags {
    /// `*`: that of any object that is there.
    Any,
    Listed(Vec<String>),
}

impl Tags {
    /// The tags of this header, if it is given.
    fn of(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        // No tag of ours has a comma, so one that has may come apart.
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let listed: Vec<String> = values.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect();
        let is_any = listed.iter().any(|tag| tag == "*");
        headers.contains_key(name).then_some(if is_any { Self::Any } else { Self::Listed(listed) })
    }

    fn contain(&self, tag: &HeaderValue) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(|listed| listed.as_bytes() == tag.as_bytes()),
        }
    }
}
