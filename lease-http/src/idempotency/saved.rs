//! A response as it is stored, before it is encrypted.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode, response};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// The headers that belong to the stored response; all others are set anew for each request.
const KEPT: [HeaderName; 2] = [CONTENT_TYPE, LOCATION];

/// The status, headers and body of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Saved {
    head: Head,
    body: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Saved {
    pub(super) fn of(parts: &response::Parts, body: &[u8]) -> Self {
        let kept = |name: &HeaderName| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.to_owned()));
        let headers = KEPT.iter().filter_map(kept).collect();
        Self { head: Head { status: parts.status.as_u16(), headers }, body: body.to_vec() }
    }

    /// The status and headers as a line of JSON, followed by the body.
    pub(super) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(&self.head)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        Ok(bytes)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (head, body) = bytes.split_at_checked(end)?;
        Some(Self { head: serde_json::from_slice(head).ok()?, body: body.get(1..)?.to_vec() })
    }
}

impl IntoResponse for Saved {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.head.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.head.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
