//! What handlers take out of a request: the engine, the id in the path, the body. Extractors run in the order of a handler's
//! arguments, which is the order of checks (spec 2, rule 4): the session, then the body; the engine judges the rest.

use std::ops::Deref;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use lease_core::id::Id;
use lease_core::input::FieldErrors;
use lease_core::repository::Claim;
use lease_core::{ErrorKind, LeaseEngine};
use serde::de::{Deserialize, DeserializeOwned, IgnoredAny};

use crate::problem::{HttpError, Problem};
use crate::state::AppState;
use object::Object;

mod object;
mod wrong;

/// Bytes of a body at the most (spec 1).
pub(crate) const BODY_LIMIT: usize = 256 * 1024;

/// The engine; under the idempotency claim that a layer has put into the request, where it has.
#[derive(Clone, Debug)]
pub(crate) struct Engine(LeaseEngine);

impl Deref for Engine {
    type Target = LeaseEngine;

    fn deref(&self) -> &LeaseEngine {
        &self.0
    }
}

impl FromRequestParts<AppState> for Engine {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self(match parts.extensions.get::<Claim>() {
            Some(claim) => state.engine.under(*claim),
            None => state.engine.clone(),
        }))
    }
}

/// The id of the row that an act created, put into the request where a lost response is made again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CreatedId(pub(crate) i64);

/// The id in the path; the [`CreatedId`] where there is one.
///
/// What is no positive 64-bit integer names nothing. It becomes the largest id, which no row ever has, so that the engine
/// answers it like every id that does not exist: 401 and 403 first, then 404.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathId<T>(pub(crate) T);

impl<T: Id> FromRequestParts<AppState> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        if let Some(created) = parts.extensions.get::<CreatedId>() {
            return T::new(created.0).map(Self).ok_or_else(|| Problem::new(ErrorKind::NotFound));
        }
        let given = RawPathParams::from_request_parts(parts, state).await.ok();
        let named = given.as_ref().and_then(|params| params.iter().find(|(name, _)| *name == "id"));
        let id = named.and_then(|(_, text)| T::parse(text)).or_else(|| T::new(i64::MAX));
        id.map(Self).ok_or_else(|| Problem::new(ErrorKind::NotFound))
    }
}

/// A draft out of a JSON body.
///
/// A body that is JSON but no object is only judged where fields are, after the role: its draft has every field wrong, and
/// [`Body::judge`] says why.
#[derive(Clone, Debug)]
pub(crate) struct Body<T> {
    draft: T,
    is_object: bool,
}

impl<T> Deref for Body<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.draft
    }
}

impl<T> Body<T> {
    /// What the engine made of the draft.
    ///
    /// # Errors
    /// The engine's; wrong fields are one message where the body was no object.
    pub(crate) fn judge<U>(&self, outcome: Result<U, lease_core::Error>) -> Result<U, Problem> {
        match outcome {
            Err(lease_core::Error::Invalid(_)) if !self.is_object => {
                Err(Problem::invalid_field(FieldErrors::NON_FIELD, "A JSON object is required."))
            }
            outcome => Ok(outcome?),
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
        // A derived `Deserialize` would also take a list for a struct.
        if bytes.trim_ascii_start().starts_with(b"{") {
            let object = parse::<Object<'_>>(&bytes)?;
            let draft = object.read().map_err(|_| {
                Problem::parse_error("The body is not valid JSON: a field is given twice, or its text is not valid Unicode.")
            })?;
            return Ok(Self { draft, is_object: true });
        }
        parse::<IgnoredAny>(&bytes)?;
        let draft = wrong::every_field().map_err(|_| Problem::parse_error("A JSON object is required."))?;
        Ok(Self { draft, is_object: false })
    }
}

/// The whole body.
///
/// # Errors
/// 413 where it is longer than is allowed; 400 where it breaks off.
pub(crate) async fn read_body(request: Request) -> Result<Bytes, Problem> {
    Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(HttpError::PayloadTooLarge),
        _ => Problem::parse_error("The body could not be read."),
    })
}

/// Whether the body says to be JSON; `None` where it does not say what it is.
fn is_json(headers: &HeaderMap) -> Option<bool> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")))
}

/// Parses; what is wrong is told by its place only, for the body may hold secrets.
fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    // The parser does not look into the strings of fields that it passes over.
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::parse_error("The body is not valid UTF-8."))?;
    serde_json::from_str(text).map_err(|error| match text {
        "" => Problem::parse_error("A JSON body is required."),
        _ => Problem::parse_error(format!("The body is not valid JSON, at line {}, column {}.", error.line(), error.column())),
    })
}
