use std::fmt;

use hyper::StatusCode;
use serde::Deserialize;

use crate::charge::PaymentIntent;

/// Why it is not known what Stripe did. No message contains a key, a client's secret or what Stripe wrote in its own words.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StripeError {
    /// No response came.
    #[error("Stripe gave no response")]
    NoResponse(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A response came that cannot be read.
    #[error("Stripe gave a response that cannot be read, with the status {0}")]
    Unreadable(u16),
    /// Stripe did not do what it was asked for.
    #[error("Stripe refused a request: {0}")]
    Refused(Box<Refusal>),
    /// Stripe's response is not about what was asked for.
    #[error("Stripe's response does not fit the request: {0}")]
    Unexpected(&'static str),
    /// Another provider was told, and may have moved the money.
    #[error("the payment is one of another gateway")]
    AnotherGateway,
}

/// How Stripe refused a request.
#[derive(Debug)]
pub struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) request_id: Option<Word>,
    pub(crate) details: Details,
}

/// What Stripe says about a refusal. Its sentence for people is left out: it may quote what was sent.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Details {
    #[serde(rename = "type")]
    kind: Option<Word>,
    pub(crate) code: Option<Word>,
    decline_code: Option<Word>,
    param: Option<Word>,
    pub(crate) payment_intent: Option<Box<PaymentIntent>>,
}

impl Refusal {
    /// Whether a card was refused.
    pub(crate) fn is_of_card(&self) -> bool {
        self.status == StatusCode::PAYMENT_REQUIRED
    }

    /// Whether something that was named does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        self.status == StatusCode::NOT_FOUND || self.has_code(&["resource_missing"])
    }

    /// Whether what this parameter names does not exist.
    pub(crate) fn misses(&self, parameter: &str) -> bool {
        self.is_missing() && self.is_about(parameter)
    }

    pub(crate) fn has_code(&self, codes: &[&str]) -> bool {
        self.details.code.as_ref().is_some_and(|code| codes.contains(&code.0.as_str()))
    }

    /// Whether a request was refused because of this parameter. Nothing was done then.
    pub(crate) fn is_about(&self, parameter: &str) -> bool {
        let is = |word: &Option<Word>, expected: &str| word.as_ref().is_some_and(|word| word.0 == expected);
        matches!(self.status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND)
            && is(&self.details.kind, "invalid_request_error")
            && is(&self.details.param, parameter)
    }

    /// The code that says most.
    pub(crate) fn failure_code(&self) -> Option<String> {
        let details = &self.details;
        details.decline_code.as_ref().or(details.code.as_ref()).map(|code| code.0.clone())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { kind, code, decline_code, param, .. } = &self.details;
        write!(f, "status {}", self.status.as_u16())?;
        let parts =
            [("type", kind), ("code", code), ("decline code", decline_code), ("parameter", param), ("request", &self.request_id)];
        for (name, word) in parts {
            if let Some(word) = word {
                write!(f, ", {name} {}", word.0)?;
            }
        }
        Ok(())
    }
}

/// A word of Stripe's: cut off after 100 letters, digits, and what joins them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(crate) struct Word(pub(crate) String);

impl From<String> for Word {
    fn from(text: String) -> Self {
        let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || "_-.[]".contains(*letter);
        Self(text.chars().take_while(is_plain).take(100).collect())
    }
}
