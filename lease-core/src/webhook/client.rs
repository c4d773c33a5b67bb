use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::model::WebhookSecret;

/// Sends webhooks over the network.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait WebhookClient: fmt::Debug + Send + Sync + 'static {
    /// Signs this and sends it once, and says what came of it. It follows no redirect, connects to no address that is not public
    /// unless the operator allows it, reads no more than the first 1,024 bytes of the answer, and gives up after 15 seconds. A call that takes
    /// longer than 20 seconds is dropped, and counts as one without an answer.
    async fn send(&self, request: &WebhookRequest) -> WebhookAnswer;
}

/// What is sent to an endpoint: the three headers of Standard Webhooks 1.0, and the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRequest {
    /// The address.
    pub url: String,
    /// `webhook-id`: the same for each try.
    pub id: String,
    /// `webhook-timestamp`: the instant of this try.
    pub at: DateTime<Utc>,
    /// The body, in JSON.
    pub body: String,
    /// The secrets, each of which makes a signature.
    pub secrets: Vec<WebhookSecret>,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookAnswer {
    /// The endpoint answered.
    Answered {
        /// The status.
        status: u16,
        /// For how long it wants to be left alone, if it said so.
        retry_after: Option<Duration>,
        /// The beginning of the body, as far as it is text.
        body: String,
    },
    /// There was no answer; the text says why, in words that its operator understands and without secrets.
    None(String),
}
