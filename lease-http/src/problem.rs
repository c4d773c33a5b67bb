//! Every error as `application/problem+json` (RFC 9457, spec 6.6). Statuses stand here and nowhere else; the messages and
//! codes of domain errors are core's.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt::Write as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lease_core::input::FieldErrors;
use lease_core::{Error, Refusal};
use serde::Serialize;
use strum::VariantArray;

/// What went wrong, in one word: it decides status and code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The body is no JSON.
    ParseError,
    /// Fields or parameters are wrong.
    ValidationError,
    /// Name and password do not belong together.
    InvalidCredentials,
    /// Nobody known asks.
    NotAuthenticated,
    /// The gateway declined the card.
    CardDeclined,
    /// Seen, but not allowed.
    PermissionDenied,
    /// Not there, or not to be seen.
    NotFound,
    /// The path takes other methods.
    MethodNotAllowed,
    /// The state forbids it.
    Refused(Refusal),
    /// The body is longer than is read.
    PayloadTooLarge,
    /// The body is of another media type.
    UnsupportedMediaType,
    /// The idempotency key came with another request before.
    IdempotencyKeyReused,
    /// Too many attempts.
    Throttled,
    /// A fault inside.
    InternalError,
    /// The store or the gateway cannot be reached.
    Unavailable,
}

impl ErrorCode {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let plain = [
            Self::ParseError,
            Self::ValidationError,
            Self::InvalidCredentials,
            Self::NotAuthenticated,
            Self::CardDeclined,
            Self::PermissionDenied,
            Self::NotFound,
            Self::MethodNotAllowed,
            Self::PayloadTooLarge,
            Self::UnsupportedMediaType,
            Self::IdempotencyKeyReused,
            Self::Throttled,
            Self::InternalError,
            Self::Unavailable,
        ];
        plain.into_iter().chain(Refusal::VARIANTS.iter().copied().map(Self::Refused))
    }

    /// The one of this code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::all().find(|kind| kind.code() == code)
    }

    /// Its status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::ParseError | Self::ValidationError | Self::InvalidCredentials => StatusCode::BAD_REQUEST,
            Self::NotAuthenticated => StatusCode::UNAUTHORIZED,
            Self::CardDeclined => StatusCode::PAYMENT_REQUIRED,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Refused(_) => StatusCode::CONFLICT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Throttled => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Its stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ParseError => "parse_error",
            Self::ValidationError => "validation_error",
            Self::InvalidCredentials => "invalid_credentials",
            Self::NotAuthenticated => "not_authenticated",
            Self::CardDeclined => "card_declined",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Refused(refusal) => refusal.code(),
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::Throttled => "throttled",
            Self::InternalError => "internal_error",
            Self::Unavailable => "unavailable",
        }
    }

    /// What it says where there is nothing more to say.
    #[must_use]
    pub fn detail(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::ParseError => "The body is not valid JSON.",
            Self::ValidationError => "The input is not valid.",
            Self::InvalidCredentials => "Unable to log in with the provided credentials.",
            Self::NotAuthenticated => "Authentication credentials were not provided or are not valid.",
            Self::CardDeclined => "The card was declined.",
            Self::PermissionDenied => "You do not have permission to perform this action.",
            Self::NotFound => "Not found.",
            Self::MethodNotAllowed => "The method is not allowed here.",
            Self::Refused(refusal) => return Cow::Owned(refusal.to_string()),
            Self::PayloadTooLarge => "The body is longer than 256 KiB.",
            Self::UnsupportedMediaType => "The body must be application/json.",
            Self::IdempotencyKeyReused => "The idempotency key was used for another request before.",
            Self::Throttled => "Too many attempts; try again later.",
            Self::InternalError => "An internal error occurred.",
            Self::Unavailable => "The service is unavailable at the moment.",
        })
    }
}

/// Messages by field or parameter.
pub type Messages = BTreeMap<String, Vec<String>>;

/// An error as a client sees it.
#[derive(Debug)]
pub struct Problem {
    kind: ErrorCode,
    detail: Cow<'static, str>,
    errors: Option<Messages>,
    declined: Option<(String, i64)>,
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem of this kind, with nothing more to say.
    #[must_use]
    pub fn new(kind: ErrorCode) -> Self {
        Self { kind, detail: kind.detail(), errors: None, declined: None, retry_after: None }
    }

    /// A body that is no JSON, and where it ceases to be.
    #[must_use]
    pub fn parse_error(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), ..Self::new(ErrorCode::ParseError) }
    }

    /// Wrong fields or parameters.
    #[must_use]
    pub fn invalid(errors: Messages) -> Self {
        Self { errors: Some(errors), ..Self::new(ErrorCode::ValidationError) }
    }

    /// One message that belongs to no field, or to the one that is named.
    #[must_use]
    pub fn invalid_field(field: &str, message: &str) -> Self {
        Self::invalid(Messages::from([(field.to_owned(), vec![message.to_owned()])]))
    }

    /// Too many attempts; in how many seconds one more is taken.
    #[must_use]
    pub fn throttled(retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(ErrorCode::Throttled) }
    }

    /// A declined card: why, and the payment that was kept.
    #[must_use]
    pub fn declined(failure_code: &str, payment: i64) -> Self {
        Self { declined: Some((failure_code.to_owned(), payment)), ..Self::new(ErrorCode::CardDeclined) }
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorCode {
        self.kind
    }

    /// The body of the response.
    #[must_use]
    pub fn body(&self) -> serde_json::Value {
        let status = self.kind.status();
        serde_json::json!(ProblemBody {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: &self.detail,
            code: self.kind.code(),
            errors: self.errors.as_ref(),
            failure_code: self.declined.as_ref().map(|(code, _)| code.as_str()),
            payment_id: self.declined.as_ref().map(|(_, id)| *id),
        })
    }
}

#[derive(Serialize)]
struct ProblemBody<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a Messages>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<i64>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let content_type = HeaderValue::from_static("application/problem+json");
        let mut response = (self.kind.status(), [(header::CONTENT_TYPE, content_type)], self.body().to_string()).into_response();
        // For the layers: counters and the log name the code.
        response.extensions_mut().insert(self.kind);
        if self.kind == ErrorCode::NotAuthenticated {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Token"));
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// What is wrong inside is logged here, once; the client is not told.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotAuthenticated => Self::new(ErrorCode::NotAuthenticated),
            Error::InvalidCredentials => Self::new(ErrorCode::InvalidCredentials),
            Error::PermissionDenied => Self::new(ErrorCode::PermissionDenied),
            Error::NotFound => Self::new(ErrorCode::NotFound),
            Error::Invalid(errors) => Self::invalid(messages(&errors)),
            Error::Refused(refusal) => Self::new(ErrorCode::Refused(refusal)),
            Error::CardDeclined(payment) => {
                Self::declined(payment.state.failure_code().unwrap_or("card_declined"), payment.id.get())
            }
            Error::Unavailable(source) => {
                tracing::warn!(error = %chain(&*source), "a request could not be served");
                Self::new(ErrorCode::Unavailable)
            }
            Error::Internal(source) => {
                tracing::error!(error = %chain(&*source), "a request failed");
                Self::new(ErrorCode::InternalError)
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(ErrorCode::Refused(refusal))
    }
}

fn messages(errors: &FieldErrors) -> Messages {
    errors.fields().map(|field| (field.to_owned(), errors.of(field).to_vec())).collect()
}

/// An error and what is behind it, in one line.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        // Writing to a string does not fail.
        let _ = write!(text, ": {source}");
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests;
