use std::ops::Deref;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use lease_core::Error;
use lease_core::input::{FieldErrors, refused_draft};
use serde::de::{Deserialize, DeserializeOwned, IgnoredAny};

use crate::problem::{HttpError, Problem};
use crate::state::AppState;

/// The maximum size of a body, in bytes (chapter 1).
pub(crate) const BODY_LIMIT: usize = 256 * 1024;

/// A draft out of a JSON body.
#[derive(Clone, Debug)]
pub(crate) enum Body<T> {
    /// The body is an object.
    Draft(T),
    /// The body is other JSON. Whether the actor may do this at all is judged first (rule 2.4), so there is a
    /// [`refused_draft`] for the engine.
    NotAnObject(T),
}

/// The draft for the engine.
impl<T> Deref for Body<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Draft(draft) | Self::NotAnObject(draft) => draft,
        }
    }
}

impl<T> Body<T> {
    /// The engine's judgement of the draft.
    ///
    /// # Errors
    /// The engine's; one message in place of those on the fields of a body that has none.
    pub(crate) fn judge<U>(&self, outcome: Result<U, Error>) -> Result<U, Problem> {
        match (self, outcome) {
            (Self::NotAnObject(_), Err(Error::Invalid(_))) => {
                Err(Problem::invalid_field(FieldErrors::NON_FIELD, "A JSON object is required."))
            }
            (_, outcome) => Ok(outcome?),
        }
    }
}

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = read_body(request).await?;
        if !is_json.unwrap_or(bytes.is_empty()) {
            return Err(Problem::new(HttpError::UnsupportedMediaType));
        }
        // The parser does not look into the strings of fields that it passes over.
        let text = std::str::from_utf8(&bytes).map_err(|_| Problem::parse_error("The body is not valid UTF-8."))?;
        parse::<IgnoredAny>(text)?;
        // A derived `Deserialize` would also take a list for a struct.
        if text.trim_ascii_start().starts_with('{') {
            return Ok(Self::Draft(parse(text)?));
        }
        let draft = refused_draft().map_err(|_| Problem::parse_error("A JSON object is required."))?;
        Ok(Self::NotAnObject(draft))
    }
}

/// The whole body.
///
/// # Errors
/// 413 if it is longer than is allowed; 400 if it breaks off.
pub(crate) async fn read_body(request: Request) -> Result<Bytes, Problem> {
    Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(HttpError::PayloadTooLarge),
        _ => Problem::parse_error("The body could not be read."),
    })
}

/// Whether the body says that it is JSON; `None` if it does not say what it is.
fn is_json(headers: &HeaderMap) -> Option<bool> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")))
}

/// Parses. An error tells only its place, for the body may hold secrets.
fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| match text {
        "" => Problem::parse_error("A JSON body is required."),
        _ if error.is_data() => {
            Problem::parse_error("The body is not valid JSON: a field is given twice, or its text is not valid Unicode.")
        }
        _ => Problem::parse_error(format!("The body is not valid JSON, at line {}, column {}.", error.line(), error.column())),
    })
}
