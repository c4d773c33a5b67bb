//! The id of a request: in its response, in each of its log lines, and in what its commands record.

use axum::http::{HeaderMap, HeaderName};
use lease_core::repository::RequestId;

/// The header that holds it, in both directions.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id in these headers, if it may appear in the log.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<RequestId> {
    RequestId::new(headers.get(&REQUEST_ID)?.to_str().ok()?)
}
