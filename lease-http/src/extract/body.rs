use std::ops::Deref;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::{Extensions, HeaderMap, header};
use lease_core::Error;
use lease_core::input::{Draft, FieldErrors, Invalid};
use serde::de::{Deserialize, IgnoredAny};

use crate::auth::Caller;
use crate::memory::Taken;
use crate::problem::{HttpError, Problem};
use crate::state::AppState;

/// The maximum size of a body, in bytes (chapter 1).
pub(crate) const BODY_LIMIT: usize = 256 * 1024;

/// A draft that is read from a JSON body.
#[derive(Clone, Debug)]
pub(crate) enum Body<T> {
    /// The body is an object.
    Draft(T),
    /// The body is other JSON. The engine gets an unreadable draft, since it checks first whether the actor has the right to the
    /// command (rule 2.4).
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
    /// Passes on the engine's result for the draft.
    ///
    /// # Errors
    /// The errors of the engine. If the body is not an object, one message replaces the messages on its fields.
    pub(crate) fn judge<U>(&self, outcome: Result<U, Error>) -> Result<U, Problem> {
        match (self, outcome) {
            (Self::NotAnObject(_), Err(Error::Invalid(_))) => {
                Err(Error::from(FieldErrors::one(FieldErrors::NON_FIELD, Invalid::NotAnObject)).into())
            }
            (_, outcome) => Ok(outcome?),
        }
    }
}

/// The body of a request without one: no field is given.
impl<T: Default> Default for Body<T> {
    fn default() -> Self {
        Self::Draft(T::default())
    }
}

/// For a command whose fields are all optional, a request may have no body at all; null counts as none.
impl<T: Draft> OptionalFromRequest<AppState> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Option<Self>, Problem> {
        if matches!(received_body(request.extensions())?.trim_ascii(), b"" | b"null") {
            return Ok(None);
        }
        <Self as FromRequest<AppState>>::from_request(request, state).await.map(Some)
    }
}

/// The extractor of the caller comes before that of the body.
impl<T: Draft> FromRequest<AppState> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let is_staff = request.extensions().get().is_some_and(Caller::is_staff);
        let bytes = received_body(request.extensions())?;
        if !is_json.unwrap_or(bytes.is_empty()) {
            return Err(Problem::new(HttpError::UnsupportedMediaType));
        }
        // The parser does not look into the strings of fields that it skips.
        let text = std::str::from_utf8(&bytes).map_err(|_| Problem::parse_error("The body is not valid UTF-8."))?;
        parse::<IgnoredAny>(text)?;
        // A derived `Deserialize` would also take a list for a struct.
        if text.trim_ascii_start().starts_with('{') {
            let draft: T = parse(text)?;
            return Ok(Self::Draft(if is_staff { draft } else { draft.without_annotations() }));
        }
        Ok(Self::NotAnObject(T::unreadable()))
    }
}

/// The body of a request, as a layer has received it.
#[derive(Clone, Debug)]
pub(crate) enum Received {
    /// All of it.
    Whole {
        /// The body.
        bytes: Bytes,
        /// The memory that it takes, out of that for all bodies.
        _memory: Arc<Taken>,
    },
    /// It is longer than [`BODY_LIMIT`].
    TooLong,
}

/// The whole body of a request; a request without one has an empty one.
///
/// # Errors
/// 413 if it is too long.
pub(crate) fn received_body(extensions: &Extensions) -> Result<Bytes, Problem> {
    match extensions.get() {
        Some(Received::Whole { bytes, .. }) => Ok(bytes.clone()),
        Some(Received::TooLong) => Err(Problem::new(HttpError::PayloadTooLarge)),
        None => Ok(Bytes::new()),
    }
}

/// Whether the content type is JSON; `None` if the request has no content type.
fn is_json(headers: &HeaderMap) -> Option<bool> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")))
}

/// Parses the body. An error contains only the position, since the body may hold secrets.
fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| match text {
        "" => Problem::parse_error("A JSON body is required."),
        _ if error.is_data() => {
            Problem::parse_error("The body is not valid JSON: a field is given twice, or its text is not valid Unicode.")
        }
        _ => Problem::parse_error(format!("The body is not valid JSON, at line {}, column {}.", error.line(), error.column())),
    })
}
