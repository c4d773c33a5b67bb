use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Builder;
use hyper::{Method, Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config::{ConfigError, StripeConfig};
use crate::error::{Details, Refusal, StripeError};
use crate::id::Id;

/// The version of Stripe's interface that this crate is written for. Stripe then behaves like that for ever, whatever the account
/// is set to.
pub(crate) const STRIPE_VERSION: &str = "2026-10-28.endive";

/// How long Stripe may take to accept a connection, and for a response.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a response, 8 MiB: a page of a hundred objects with their metadata has about one MiB.
const MAX_RESPONSE: usize = 8 << 20;
/// The most objects of a page, and the most pages of a list, that are searched.
const PAGE: &str = "100";
const MAX_PAGES: usize = 100;

/// The parameters of a request.
pub(crate) type Form = Vec<(&'static str, String)>;

/// Speaks to Stripe.
#[derive(Debug)]
pub(crate) struct Client {
    http: HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    /// `Debug` does not show it.
    authorization: HeaderValue,
}

/// What was made by a request.
pub(crate) struct Posted<T> {
    pub(crate) value: T,
    /// Whether this is what Stripe responded to an earlier request with this idempotency key. It may have changed since then.
    pub(crate) is_replay: bool,
}

/// A page of a list.
#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    has_more: bool,
}

/// An object that is listed.
pub(crate) trait Object: DeserializeOwned {
    fn id(&self) -> &Id;
}

impl Client {
    pub(crate) fn new(config: &StripeConfig) -> Result<Self, ConfigError> {
        let bearer = format!("Bearer {}", config.secret_key.expose_secret());
        let mut authorization = HeaderValue::try_from(bearer).map_err(|_| ConfigError::SecretKey)?;
        authorization.set_sensitive(true);
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(ConfigError::Certificates)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let http = HttpClient::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Ok(Self { http, base: config.api_base.clone(), authorization })
    }

    /// Reads an object.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str, query: &Form) -> Result<T, StripeError> {
        let query = if query.is_empty() { String::new() } else { format!("?{}", encode(query)) };
        let request = Request::builder().method(Method::GET).uri(format!("{}{path}{query}", self.base));
        self.send(request, String::new()).await.map(|posted| posted.value)
    }

    /// Makes or changes an object; only once for each key, for as long as Stripe remembers it.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &Form,
        key: Option<&str>,
    ) -> Result<Posted<T>, StripeError> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.base))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(request, encode(form)).await
    }

    /// The newest object of a list that fits. A list is complete as soon as an object is made, which Stripe's search is not.
    pub(crate) async fn find<T: Object>(
        &self,
        path: &str,
        filter: Form,
        fits: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, StripeError> {
        let mut after = None;
        for _ in 0..MAX_PAGES {
            let mut query = filter.clone();
            query.push(("limit", PAGE.to_owned()));
            query.extend(after.map(|id: Id| ("starting_after", id.to_string())));
            let Page { data, has_more } = self.get::<Page<T>>(path, &query).await?;
            after = data.last().map(|last| last.id().clone());
            if let Some(found) = data.into_iter().find(&fits) {
                return Ok(Some(found));
            }
            if !has_more || after.is_none() {
                return Ok(None);
            }
        }
        Err(StripeError::Unexpected("the list is too long to be searched"))
    }

    async fn send<T: DeserializeOwned>(&self, request: Builder, body: String) -> Result<Posted<T>, StripeError> {
        let request = request
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header(header::USER_AGENT, concat!("lease-stripe/", env!("CARGO_PKG_VERSION")))
            .header("stripe-version", STRIPE_VERSION)
            .body(Full::from(body))
            .map_err(|error| StripeError::NoResponse(error.into()))?;
        let (status, headers, body) = tokio::time::timeout(TIMEOUT, self.exchange(request))
            .await
            .map_err(|silence| StripeError::NoResponse(silence.into()))?
            .map_err(StripeError::NoResponse)?;
        // What is wrong with the JSON is not said, because it may quote a secret.
        if status.is_success() {
            let is_replay = headers.get("idempotent-replayed").is_some_and(|value| value == "true");
            let value = serde_json::from_slice(&body).map_err(|_| StripeError::Unreadable(status.as_u16()))?;
            return Ok(Posted { value, is_replay });
        }
        let ErrorBody { error: details } = serde_json::from_slice(&body).map_err(|_| StripeError::Unreadable(status.as_u16()))?;
        let request_id = headers.get("request-id").and_then(|id| id.to_str().ok()).map(|id| id.to_owned().into());
        Err(StripeError::Refused(Box::new(Refusal { status, request_id, details })))
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let (head, body) = self.http.request(request).await?.into_parts();
        let body = Limited::new(body, MAX_RESPONSE).collect().await?.to_bytes();
        Ok((head.status, head.headers, body))
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Details,
}

fn encode(form: &Form) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}
