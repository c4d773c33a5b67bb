//! The files of the console: part of the binary, and named after what is in them, so that browsers may keep them for ever.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use lease_core::ErrorKind;
use sha2::{Digest as _, Sha256};

use crate::problem::Problem;

const STYLE: &str = include_str!("../../templates/console/style.css");
const ICON: &str = include_str!("../../templates/console/icon.svg");
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The address of the style, below the console.
pub(super) fn style_path() -> String {
    let hash = hex::encode(&Sha256::digest(STYLE)[..6]);
    format!("assets/style-{hash}.css")
}

/// Sends a file.
pub(super) async fn file(name: Result<Path<String>, axum::extract::rejection::PathRejection>) -> Response {
    let Ok(Path(name)) = name else { return Problem::new(ErrorKind::NotFound).into_response() };
    match name.as_str() {
        "icon.svg" => ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "public, max-age=86400")], ICON).into_response(),
        name if super::page::STYLE.ends_with(name) && name.starts_with("style-") => {
            ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, FOR_EVER)], STYLE).into_response()
        }
        _ => Problem::new(ErrorKind::NotFound).into_response(),
    }
}
