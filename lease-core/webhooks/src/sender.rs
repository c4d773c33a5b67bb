use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use lease_core::text::cut_to;
use lease_core::webhook::{WebhookAnswer, WebhookClient, WebhookRequest, parse_url};
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, timeout_at};

use crate::connector::{Connector, connector};
use crate::failure::Failure;
use crate::resolver::{AllowedAddresses, Resolver, SystemResolver};
use crate::signature::signatures;

/// How long a try may take: to connect, to send, and to read the beginning of the answer.
const TIME_LIMIT: Duration = Duration::from_secs(15);
/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 1_024;
/// The head of an answer is too long once so many bytes have come, 64 KiB, and it still goes on.
const MAX_HEAD: usize = 64 << 10;
/// The connections to an endpoint that are kept for what comes next, and for how long.
const IDLE_CONNECTIONS: usize = 8;
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends webhooks over HTTP/1.1.
#[derive(Debug)]
pub struct WebhookSender {
    http: HttpClient<Connector, Full<Bytes>>,
    allow_private: bool,
    time_limit: Duration,
}

impl WebhookSender {
    /// A sender to public addresses, unless more is said.
    pub fn builder() -> WebhookSenderBuilder {
        WebhookSenderBuilder {
            allow_private: false,
            time_limit: TIME_LIMIT,
            resolver: Arc::new(SystemResolver),
            authorities: None,
        }
    }

    async fn send_once(&self, request: &WebhookRequest) -> Result<WebhookAnswer, Failure> {
        let (signed, end) = (self.sign(request)?, Instant::now() + self.time_limit);
        let answer = timeout_at(end, self.http.request(signed)).await.map_err(|_| Failure::Late(self.time_limit))?;
        let (head, body) = answer.map_err(|error| Failure::of(&error))?.into_parts();
        let retry_after = head.headers.get(header::RETRY_AFTER).and_then(|value| retry_after(value, request.at));
        // The status says what came of it, even if the body does not come.
        let body = timeout_at(end, beginning(body)).await.unwrap_or_default();
        Ok(WebhookAnswer::Answered { status: head.status.as_u16(), retry_after, body: as_text(&body) })
    }

    /// What goes over the network. The URL is judged anew: what may have been allowed when it was stored is not said to be allowed now.
    fn sign(&self, request: &WebhookRequest) -> Result<Request<Full<Bytes>>, Failure> {
        let url = parse_url(&request.url, self.allow_private).map_err(Failure::Url)?;
        Request::post(url.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("lease/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &request.id)
            .header("webhook-timestamp", request.at.timestamp())
            .header("webhook-signature", signatures(request)?)
            .body(Full::from(request.body.clone()))
            .map_err(|_| Failure::Request)
    }
}

#[async_trait]
impl WebhookClient for WebhookSender {
    async fn send(&self, request: &WebhookRequest) -> WebhookAnswer {
        self.send_once(request).await.unwrap_or_else(|failure| WebhookAnswer::None(failure.to_string()))
    }
}

/// How a [`WebhookSender`] sends.
#[derive(Debug)]
#[must_use]
pub struct WebhookSenderBuilder {
    allow_private: bool,
    time_limit: Duration,
    resolver: Arc<dyn Resolver>,
    authorities: Option<Vec<CertificateDer<'static>>>,
}

impl WebhookSenderBuilder {
    /// Whether addresses that are not public are allowed, and `http`.
    pub const fn allow_private(mut self, allow_private: bool) -> Self {
        self.allow_private = allow_private;
        self
    }

    /// How long a try may take; 15 seconds unless it is said.
    pub const fn time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// What finds the addresses of names; the operating system unless it is said.
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Trusts only what these authorities have certified (certificates in DER), rather than what the system trusts.
    pub fn authorities(mut self, certificates: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.authorities = Some(certificates.into_iter().map(CertificateDer::from).collect());
        self
    }

    /// The sender. Nothing is sent before it is used.
    ///
    /// # Errors
    /// [`SenderError`].
    pub fn build(self) -> Result<WebhookSender, SenderError> {
        let addresses = AllowedAddresses { resolver: self.resolver, allow_private: self.allow_private };
        let http = HttpClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http1_max_buf_size(MAX_HEAD)
            .build(connector(addresses, self.authorities)?);
        Ok(WebhookSender { http, allow_private: self.allow_private, time_limit: self.time_limit })
    }
}

/// Why there is no sender.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SenderError {
    /// The system's certificates cannot be read.
    #[error("the system's certificates cannot be read")]
    Certificates(#[source] io::Error),
    /// The certificate of an authority cannot be used.
    #[error("the certificate of an authority cannot be used")]
    Authority(#[source] rustls::Error),
}

/// For how long an endpoint wants to be left alone: so many seconds, or until an instant (RFC 9110, 10.2.3).
fn retry_after(value: &HeaderValue, at: DateTime<Utc>) -> Option<Duration> {
    let value = value.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(SystemTime::from(at)).unwrap_or_default())
}

/// The first bytes of an answer, as far as they come.
async fn beginning(mut body: Incoming) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < MAX_ANSWER {
        let Some(Ok(frame)) = body.frame().await else { break };
        read.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()));
    }
    read.truncate(MAX_ANSWER);
    read
}

/// Bytes as text of at most as many bytes, without a character that was cut in two, and without those that a store cannot hold.
fn as_text(bytes: &[u8]) -> String {
    let cut = bytes.utf8_chunks().last().map_or(&[][..], |last| last.invalid());
    let is_cut = str::from_utf8(cut).is_err_and(|error| error.error_len().is_none());
    let whole = if is_cut { bytes.strip_suffix(cut).unwrap_or(bytes) } else { bytes };
    cut_to(String::from_utf8_lossy(whole).replace('\0', "\u{FFFD}"), MAX_ANSWER)
}
