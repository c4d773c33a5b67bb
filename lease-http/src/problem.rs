//! Every error as `application/problem+json` (RFC 9457, rule 6.6).

mod code;

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::Duration;
use lease_core::error::with_causes;
use lease_core::id::{PaymentId, RefundId};
use lease_core::input::FieldErrors;
use lease_core::{Error, ErrorKind, Refusal};

pub use code::{ErrorCode, HttpError};

use crate::views;

/// The number of seconds after which a client may try again what was not available.
const RETRY_AFTER: u64 = 1;

/// Messages by field or parameter.
pub(crate) type Messages = BTreeMap<String, Vec<String>>;

/// An error as a client sees it.
#[derive(Debug)]
pub struct Problem {
    code: ErrorCode,
    detail: Cow<'static, str>,
    errors: Option<Messages>,
    failure: Option<Box<Refused>>,
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem with this code and its message.
    #[must_use]
    pub fn new(code: impl Into<ErrorCode>) -> Self {
        let code = code.into();
        let retry_after = (code == ErrorKind::Unavailable.into()).then_some(RETRY_AFTER);
        Self { code, detail: code.to_string().into(), errors: None, failure: None, retry_after }
    }

    /// A body that is not JSON, with the reason.
    pub(crate) fn parse_error(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), ..Self::new(HttpError::ParseError) }
    }

    /// Wrong fields or parameters.
    pub(crate) fn invalid(errors: Messages) -> Self {
        Self { errors: Some(errors), ..Self::new(ErrorKind::ValidationError) }
    }

    /// A single message on this field or parameter.
    #[must_use]
    pub fn invalid_field(field: &str, message: &str) -> Self {
        Self::invalid(Messages::from([(field.to_owned(), vec![message.to_owned()])]))
    }

    /// Too many attempts, with the number of seconds until the next one is accepted.
    pub(crate) fn throttled(retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(ErrorKind::Throttled) }
    }

    /// What the gateway refused, with its reason and the failed payment or refund, which is stored.
    pub(crate) fn failed(kind: ErrorKind, failure: Refused) -> Self {
        Self { failure: Some(Box::new(failure)), ..Self::new(kind) }
    }

    /// The code of the problem.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The body of the response.
    #[must_use]
    pub fn view(&self) -> views::Problem {
        let status = self.code.status();
        let Refused { failure_code, payment_id, refund_id } = self.failure.as_deref().cloned().unwrap_or_default();
        views::Problem {
            r#type: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: self.detail.clone().into_owned(),
            code: self.code.code().to_owned(),
            errors: self.errors.clone(),
            failure_code,
            payment_id,
            refund_id,
        }
    }

    pub(crate) fn body(&self) -> serde_json::Value {
        serde_json::json!(self.view())
    }
}

/// What the gateway refused, and why.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refused {
    /// The gateway's code for the reason.
    pub(crate) failure_code: Option<String>,
    /// The failed payment.
    pub(crate) payment_id: Option<PaymentId>,
    /// The failed refund.
    pub(crate) refund_id: Option<RefundId>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let content_type = HeaderValue::from_static("application/problem+json");
        let mut response = (self.code.status(), [(header::CONTENT_TYPE, content_type)], self.body().to_string()).into_response();
        // For the layers: the counters and the log use the code.
        response.extensions_mut().insert(self.code);
        if self.code == ErrorKind::NotAuthenticated.into() {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Token"));
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The cause of an internal error is logged here, once; the client does not see it.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let problem = Self::new(error.kind());
        match error {
            Error::Invalid(errors) => Self::invalid(messages(&errors)),
            Error::RefusedByGuard(refusal) => Self { detail: refusal.message().to_owned().into(), ..problem },
            Error::CardDeclined { failure_code, payment } => {
                let (failure_code, payment_id) = (Some(failure_code), payment.map(|payment| payment.id));
                Self::failed(ErrorKind::CardDeclined, Refused { failure_code, payment_id, ..Refused::default() })
            }
            Error::RefundFailed(refund) => {
                let failure_code = Some(refund.state.failure_code().unwrap_or_default().to_owned());
                let refund_id = Some(refund.id);
                Self::failed(ErrorKind::RefundFailed, Refused { failure_code, refund_id, ..Refused::default() })
            }
            Error::Throttled { retry_after } => Self::throttled(seconds_up(retry_after)),
            Error::Unavailable(source) => {
                tracing::warn!(error = %with_causes(&*source), "a request could not be served");
                problem
            }
            Error::Internal(source) => {
                tracing::error!(error = %with_causes(&*source), "a request failed");
                problem
            }
            _ => problem,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal)
    }
}

/// At least one second, and not a part of one too few.
pub(crate) fn seconds_up(wait: Duration) -> u64 {
    let whole = wait.num_seconds() + i64::from(wait.subsec_nanos() > 0);
    u64::try_from(whole).unwrap_or(0).max(1)
}

fn messages(errors: &FieldErrors) -> Messages {
    errors.iter().map(|(field, reasons)| (field.to_owned(), reasons.iter().map(ToString::to_string).collect())).collect()
}

#[cfg(test)]
mod tests;
