//! The code of a problem and its status. The core defines the codes and messages of the engine's errors; those that only HTTP can
//! cause are defined here.

use std::fmt;

use axum::http::StatusCode;
use lease_core::{ErrorKind, Refusal};
use strum::IntoEnumIterator as _;

/// The code of a problem, which determines its message and its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The engine refused the request.
    Engine(ErrorKind),
    /// The request did not reach the engine.
    Http(HttpError),
}

/// A reason why a request does not reach the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum HttpError {
    /// The body is not JSON.
    #[error("The body is not valid JSON.")]
    ParseError,
    /// The path has no such method.
    #[error("The method is not allowed here.")]
    MethodNotAllowed,
    /// The body did not arrive in time.
    #[error("The body did not arrive in time.")]
    RequestTimeout,
    /// The body is too long.
    #[error("The body is longer than 256 KiB.")]
    PayloadTooLarge,
    /// The body has another media type.
    #[error("The body must be application/json.")]
    UnsupportedMediaType,
    /// The idempotency key was used with another request before.
    #[error("The idempotency key has already been used for another request.")]
    IdempotencyKeyReused,
    /// The request has no token that could be revoked, or that another one could be made by.
    #[error("The request was not authenticated by a token.")]
    NoTokenSession,
}

impl ErrorCode {
    /// All codes but those of an app's own rules.
    pub fn all() -> impl Iterator<Item = Self> {
        ErrorKind::all().map(Self::Engine).chain(HttpError::iter().map(Self::Http))
    }

    /// The code with this name.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        Self::all().find(|one| one.code() == code)
    }

    /// The stable name of the code (rule 6.6).
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Engine(kind) => kind.code(),
            Self::Http(error) => error.into(),
        }
    }

    /// The status of the code.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Engine(kind) => match kind {
                ErrorKind::ValidationError | ErrorKind::InvalidCredentials => StatusCode::BAD_REQUEST,
                ErrorKind::NotAuthenticated => StatusCode::UNAUTHORIZED,
                ErrorKind::CardDeclined | ErrorKind::RefundFailed => StatusCode::PAYMENT_REQUIRED,
                ErrorKind::PermissionDenied | ErrorKind::EmailNotVerified => StatusCode::FORBIDDEN,
                ErrorKind::NotFound => StatusCode::NOT_FOUND,
                ErrorKind::Refused(_) | ErrorKind::RefusedByGuard(_) => StatusCode::CONFLICT,
                ErrorKind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
                ErrorKind::Throttled => StatusCode::TOO_MANY_REQUESTS,
                ErrorKind::EventsGone => StatusCode::GONE,
                ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                // A kind that this layer does not know yet is an internal error as well.
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::Http(error) => match error {
                HttpError::ParseError => StatusCode::BAD_REQUEST,
                HttpError::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
                HttpError::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
                HttpError::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                HttpError::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                HttpError::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
                HttpError::NoTokenSession => StatusCode::CONFLICT,
            },
        }
    }
}

/// The message of the code; a problem may have a more specific one.
impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(kind) => kind.fmt(f),
            Self::Http(error) => error.fmt(f),
        }
    }
}

impl From<ErrorKind> for ErrorCode {
    fn from(kind: ErrorKind) -> Self {
        Self::Engine(kind)
    }
}

impl From<Refusal> for ErrorCode {
    fn from(refusal: Refusal) -> Self {
        Self::Engine(ErrorKind::Refused(refusal))
    }
}

impl From<HttpError> for ErrorCode {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}
