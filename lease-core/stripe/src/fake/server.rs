use std::future::pending;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Extracted;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::form::Parameters;
use super::problem::Problem;
use super::state::{Remembered, State};
use super::{Event, FakeStripe, Fault, PUBLISHABLE_KEY, Received, SECRET_KEY, Shared};

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route("/_webhooks", get(webhooks)).fallback(answer).with_state(shared)
}

/// The webhooks that Stripe would have sent, signed now.
async fn webhooks(Extracted(shared): Extracted<Arc<Shared>>) -> String {
    let state = shared.state();
    let signed =
        |event: &Event| json!({"body": event.body, "signature": FakeStripe::signature(event.body.as_bytes(), state.now())});
    state.events.iter().map(signed).collect::<Value>().to_string()
}

async fn answer(
    Extracted(shared): Extracted<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = String::from_utf8_lossy(&body).into_owned();
    let received = Received {
        method: method.to_string(),
        path: uri.path().to_owned(),
        parameters: [uri.query().unwrap_or_default(), &body].concat(),
        key: header("idempotency-key"),
        version: header("stripe-version"),
    };
    let authorization = header(header::AUTHORIZATION.as_str());
    let (response, fault) = shared.state().respond(received, authorization.as_deref());
    shared.done.send_modify(|done| *done += 1);
    match fault {
        Some(Fault::Silence) => pending().await,
        Some(Fault::Garbage) => "this is no JSON: sk_test_of_the_fake".into_response(),
        Some(Fault::Flood) => " ".repeat(16 << 20).into_response(),
        _ => response.into_response(),
    }
}

/// What is responded, and whether that is a repetition.
struct Reply {
    status: u16,
    body: Value,
    is_replay: bool,
}

impl Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind =
            [(header::CONTENT_TYPE, "application/json"), (header::HeaderName::from_static("request-id"), "req_of_the_fake")];
        let mut response = (status, kind, self.body.to_string()).into_response();
        if self.is_replay {
            response.headers_mut().insert("idempotent-replayed", header::HeaderValue::from_static("true"));
        }
        response
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        Self { status: problem.status, body: problem.body(), is_replay: false }
    }
}

impl State {
    fn respond(&mut self, received: Received, authorization: Option<&str>) -> (Reply, Option<Fault>) {
        self.received.push(received.clone());
        let parameters = Parameters::parse(&received.parameters);
        if !is_authorized(&received, authorization, &parameters) {
            return (Problem::unauthorized().into(), None);
        }
        let hits = |(method, path, _): &(&str, &str, Fault)| received.method == *method && received.path.ends_with(path);
        let fault = self.faults.iter().position(hits).map(|place| self.faults.remove(place).2);
        if let Some(Fault::RefusedWith(status)) = fault {
            return (Problem::failure(status).into(), None);
        }
        let request = format!("{}?{}", received.path, received.parameters);
        match received.key.as_ref().and_then(|key| self.keys.get(key)) {
            Some(known) if known.request != request => return (Problem::other_parameters().into(), fault),
            Some(known) => {
                return (Reply { status: known.status, body: known.body.clone(), is_replay: true }, fault);
            }
            None => {}
        }
        let done = self.act(&received, &parameters);
        let reply = match (fault, done) {
            (Some(Fault::DoneButFailedWith(status)), _) => Problem::failure(status).into(),
            (_, Ok(body)) => Reply { status: 200, body, is_replay: false },
            (_, Err(problem)) => problem.into(),
        };
        // Parameters that are refused are not remembered.
        if let Some(key) = received.key.filter(|_| !matches!(reply.status, 400 | 404)) {
            self.keys.insert(key, Remembered { request, status: reply.status, body: reply.body.clone() });
        }
        (reply, fault)
    }

    /// Does what a request asks for, and returns the object.
    fn act(&mut self, received: &Received, parameters: &Parameters) -> Result<Value, Problem> {
        let path: Vec<&str> = received.path.split('/').skip(1).collect();
        let id = match (received.method.as_str(), path.as_slice()) {
            ("GET", ["v1", "payment_intents"]) => return self.list("payment_intent", &["customer"], parameters),
            ("GET", ["v1", "refunds"]) => return self.list("refund", &["payment_intent"], parameters),
            ("GET", ["v1", "customers" | "payment_methods" | "setup_intents" | "payment_intents" | "refunds", id]) => {
                (*id).to_owned()
            }
            ("POST", ["v1", "customers"]) => self.make_customer(parameters)?,
            ("POST", ["v1", "setup_intents"]) => self.make_setup(parameters)?,
            ("POST", ["v1", "setup_intents", id, "confirm"]) => {
                self.confirm_setup(id, parameters.require("payment_method")?)?;
                (*id).to_owned()
            }
            ("POST", ["v1", "payment_methods"]) => self.make_card_of(parameters)?,
            ("POST", ["v1", "payment_methods", id, "attach"]) => {
                parameters.only(&["customer"])?;
                self.attach(id, parameters.require("customer")?)?;
                (*id).to_owned()
            }
            ("POST", ["v1", "payment_intents"]) => self.make_intent(parameters)?,
            ("POST", ["v1", "payment_intents", id, "confirm"]) => {
                self.confirm(id, parameters.get("payment_method"), parameters.flag("use_stripe_sdk"))?;
                (*id).to_owned()
            }
            ("POST", ["v1", "payment_intents", id, "cancel"]) => {
                self.cancel(id, parameters)?;
                (*id).to_owned()
            }
            ("POST", ["v1", "payment_intents", id, "_authenticate"]) => {
                self.authenticate(id, parameters.flag("success"))?;
                (*id).to_owned()
            }
            ("POST", ["v1", "refunds"]) => self.make_refund(parameters)?,
            _ => return Err(Problem::missing("path")),
        };
        self.object(&id).cloned()
    }
}

/// Whether a request comes with the secret key or, where a browser may make it, with the publishable one.
fn is_authorized(received: &Received, authorization: Option<&str>, parameters: &Parameters) -> bool {
    let given = authorization.and_then(|value| value.strip_prefix("Bearer ")).or(parameters.get("key"));
    let is_of_browser = received.path == "/v1/payment_methods"
        || received.path.ends_with("/confirm")
        || received.path.ends_with("/_authenticate");
    match given {
        Some(SECRET_KEY) => true,
        Some(PUBLISHABLE_KEY) => is_of_browser && received.method == "POST",
        _ => false,
    }
}
