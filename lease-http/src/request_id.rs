//! The id of a request. It is in the response, in each log line, and in the records of its commands.

use axum::http::{HeaderMap, HeaderName};
use lease_core::repository::RequestId;

/// The header that holds the id, in requests and responses.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id in these headers, if it is fit for the log.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<RequestId> {
    RequestId::new(headers.get(&REQUEST_ID)?.to_str().ok()?)
}
