//! `Location` (rule 6.6): where to find what a POST has created.

use axum::extract::{OriginalUri, Request};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::Response;

use crate::extract::CreatedId;
use crate::path::plain;

/// Names the place of the row that the response says was created.
pub(crate) async fn name(OriginalUri(uri): OriginalUri, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(CreatedId(id)) = response.extensions().get().copied() {
        set(&mut response, &uri, id);
    }
    response
}

/// Names the place of a row that a POST to this address has created.
pub(crate) fn set(response: &mut Response, posted_to: &Uri, id: i64) {
    if let Some(place) = place(&plain(posted_to.path()), id).and_then(|place| HeaderValue::try_from(place).ok()) {
        response.headers_mut().insert(LOCATION, place);
    }
}

/// The place of a row that a POST to this path has created: its collection is what the path ends with.
fn place(path: &str, id: i64) -> Option<String> {
    let path = path.trim_end_matches('/');
    let (prefix, _) = path.rsplit_once("/api/")?;
    let collection = match path.rsplit('/').next()? {
        "register" => "users",
        "test" => "webhook-deliveries",
        collection => collection,
    };
    Some(format!("{prefix}/api/{collection}/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where that is follows from the path alone (rule 6.6).
    #[test]
    fn a_row_is_found_in_its_own_collection() {
        let cases = [
            ("/api/trades", "/api/trades/7"),
            ("/api/trades/", "/api/trades/7"),
            ("/api/trades/3/proposals", "/api/proposals/7"),
            ("/api/register", "/api/users/7"),
            ("/api/webhook-endpoints/3/test", "/api/webhook-deliveries/7"),
            ("/nested/api/invoices/3/payments/", "/nested/api/payments/7"),
        ];
        for (path, expected) in cases {
            assert_eq!(place(path, 7).as_deref(), Some(expected), "{path}");
        }
    }
}
