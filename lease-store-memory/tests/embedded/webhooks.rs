//! Webhooks in an app's own process (rules 9.1, 9.2), with endpoints that are well, slow or away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use lease_core::clock::ManualClock;
use lease_core::id::{Stored, WebhookEndpointId};
use lease_core::model::{DeliveryState, DisabledReason, WebhookDelivery, WebhookEndpoint};
use lease_core::page::PageRequest;
use lease_core::permission::Actor;
use lease_core::policy::Policy;
use lease_core::repository::WebhookDeliveryFilter;
use lease_core::webhook::{WebhookAnswer, WebhookClient, WebhookEndpointDraft, WebhookRequest};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::maintenance::clock;
use crate::shop::{Shop, register};

const STAFF: Actor = Actor::System;
const SOON: Duration = Duration::from_secs(300);

/// The other systems, by the paths of their addresses.
#[derive(Debug)]
struct Internet {
    received: watch::Sender<Vec<WebhookRequest>>,
    statuses: Mutex<HashMap<String, u16>>,
}

impl Default for Internet {
    fn default() -> Self {
        Self { received: watch::Sender::new(Vec::new()), statuses: Mutex::default() }
    }
}

impl Internet {
    /// What was sent to this path.
    fn sent_to(&self, path: &str) -> Vec<WebhookRequest> {
        self.received.borrow().iter().filter(|request| request.url.ends_with(path)).cloned().collect()
    }

    fn answers(&self, path: &str, status: u16) {
        self.statuses.lock().unwrap().insert(path.to_owned(), status);
    }

    /// Waits until this path was sent as many.
    async fn wait_for(&self, path: &str, number: usize) {
        let mut received = self.received.subscribe();
        let is_there = |all: &Vec<WebhookRequest>| all.iter().filter(|request| request.url.ends_with(path)).count() >= number;
        timeout(SOON, received.wait_for(is_there)).await.unwrap().unwrap();
    }
}

#[async_trait]
impl WebhookClient for Internet {
    async fn send(&self, request: &WebhookRequest) -> WebhookAnswer {
        self.received.send_modify(|all| all.push(request.clone()));
        let path = request.url.rsplit('/').next().unwrap_or_default();
        let status = self.statuses.lock().unwrap().get(path).copied();
        match status {
            Some(0) => std::future::pending().await,
            Some(1) => panic!("a client that fails"),
            status => WebhookAnswer::Answered { status: status.unwrap_or(204), retry_after: None, body: "taken".to_owned() },
        }
    }
}

struct Platform {
    shop: Shop,
    internet: Arc<Internet>,
    clock: Arc<ManualClock>,
}

impl Platform {
    async fn open() -> Self {
        Self::open_under(Policy::default()).await
    }

    async fn open_under(policy: Policy) -> Self {
        let (internet, clock) = (Arc::new(Internet::default()), clock());
        let client = Arc::clone(&internet);
        let shop = Shop::open_with(Arc::clone(&clock) as _, |builder| builder.webhooks(client).policy(policy)).await;
        shop.catch_up().await;
        Self { shop, internet, clock }
    }

    async fn endpoint(&self, path: &str) -> Stored<WebhookEndpoint> {
        let draft = WebhookEndpointDraft { url: format!("https://example.com/{path}").into(), ..WebhookEndpointDraft::default() };
        self.shop.engine.create_webhook_endpoint(STAFF, &draft).await.unwrap()
    }

    /// What an endpoint is now.
    async fn look_at(&self, id: WebhookEndpointId) -> WebhookEndpoint {
        self.shop.engine.get_webhook_endpoint(&STAFF, id).await.unwrap().value
    }

    async fn deliveries(&self, id: WebhookEndpointId) -> Vec<Stored<WebhookDelivery>> {
        let page = PageRequest::new(100, None).unwrap();
        let filter = WebhookDeliveryFilter::default();
        self.shop.engine.list_webhook_deliveries(&STAFF, id, filter, page).await.unwrap().items
    }

    /// Lets something happen: two events.
    async fn happen(&self, name: &str) {
        register(&self.shop.engine, name).await;
    }

    async fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
        self.shop.catch_up().await;
    }
}

/// Rule 9.2: each event is sent once, in the words of the API, and a new endpoint is told of nothing that happened before.
#[tokio::test(start_paused = true)]
async fn an_endpoint_is_told_of_what_happens() {
    let platform = Platform::open().await;
    let endpoint = platform.endpoint("hook").await;
    platform.happen("ada").await;
    platform.shop.catch_up().await;
    platform.shop.catch_up().await;

    let sent = platform.internet.sent_to("hook");
    let bodies: Vec<Value> = sent.iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect();
    let mut types: Vec<_> = bodies.iter().map(|body| body["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["token.created", "user.registered", "webhook_endpoint.created"]);
    for (request, body) in sent.iter().zip(&bodies) {
        assert_eq!(request.id, format!("event_{}", body["data"]["id"]));
        assert_eq!(request.secrets, std::slice::from_ref(&endpoint.secret));
        assert_eq!(body["type"], body["data"]["type"]);
        assert_eq!(body["timestamp"], body["data"]["occurred_at"]);
    }
    let delivered = platform.deliveries(endpoint.id).await;
    assert!(delivered.iter().all(|delivery| delivery.state == DeliveryState::Succeeded));
    assert_eq!(delivered[0].attempts[0].response, "taken");
}

/// Rule 9.2: what failed is tried again until it is taken, always under the same id; each try is kept.
#[tokio::test(start_paused = true)]
async fn what_failed_is_tried_again() {
    let platform = Platform::open().await;
    platform.internet.answers("hook", 500);
    let endpoint = platform.endpoint("hook").await;
    platform.shop.catch_up().await;
    platform.pass(TimeDelta::seconds(4)).await;
    assert_eq!(platform.internet.sent_to("hook").len(), 1);
    platform.pass(TimeDelta::seconds(1)).await;
    platform.internet.answers("hook", 200);
    platform.pass(TimeDelta::minutes(5)).await;

    let sent = platform.internet.sent_to("hook");
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|request| (&request.id, &request.body) == (&sent[0].id, &sent[0].body)));
    let delivery = &platform.deliveries(endpoint.id).await[0];
    let statuses: Vec<_> = delivery.attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(500), Some(500), Some(200)]);
    assert_eq!(delivery.state, DeliveryState::Succeeded);
}

/// Rule 9.2: what was given up can be sent once more.
#[tokio::test(start_paused = true)]
async fn what_was_given_up_can_be_sent_once_more() {
    let platform = Platform::open().await;
    platform.internet.answers("hook", 500);
    let endpoint = platform.endpoint("hook").await;
    platform.shop.catch_up().await;
    for minutes in [1, 5, 30, 120, 300, 600, 840, 1_200, 1_440] {
        platform.pass(TimeDelta::minutes(minutes)).await;
    }
    let delivery = &platform.deliveries(endpoint.id).await[0];
    assert_eq!((delivery.state, delivery.tries), (DeliveryState::Failed, 10));
    platform.internet.answers("hook", 200);
    platform.shop.engine.redeliver_webhook(STAFF, delivery.id).await.unwrap();
    platform.shop.catch_up().await;
    let again = platform.shop.engine.get_webhook_delivery(&STAFF, delivery.id).await.unwrap();
    assert_eq!((again.state, again.tries), (DeliveryState::Succeeded, 1));
}

/// Rule 9.2: an endpoint that says that it is gone is switched off at once, and told of nothing more.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_gone_is_switched_off() {
    let platform = Platform::open().await;
    platform.internet.answers("hook", 410);
    let endpoint = platform.endpoint("hook").await;
    platform.shop.catch_up().await;
    assert_eq!(platform.look_at(endpoint.id).await.disabled_reason(), Some(DisabledReason::Gone));
    platform.happen("ada").await;
    platform.pass(TimeDelta::days(1)).await;
    assert_eq!(platform.internet.sent_to("hook").len(), 1);
}

/// Rule 9.2: an endpoint that took nothing for five days is switched off, with an event, and keeps what it could not take.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_takes_nothing_is_switched_off() {
    let platform = Platform::open().await;
    platform.internet.answers("hook", 500);
    let endpoint = platform.endpoint("hook").await;
    platform.shop.catch_up().await;
    for day in 0..5 {
        assert!(platform.look_at(endpoint.id).await.is_active(), "day {day}");
        platform.pass(TimeDelta::days(1)).await;
    }
    assert_eq!(platform.look_at(endpoint.id).await.disabled_reason(), Some(DisabledReason::Failing));
    let tries = platform.internet.sent_to("hook").len();
    platform.pass(TimeDelta::days(1)).await;
    assert_eq!(platform.internet.sent_to("hook").len(), tries);
}

/// Rule 9.1: an endpoint that was off is told of what happens from when it is on again.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_switched_on_is_told_of_what_happens_then() {
    let platform = Platform::open().await;
    let endpoint = platform.endpoint("hook").await;
    let switch = |is_active: bool| WebhookEndpointDraft { is_active: is_active.into(), ..WebhookEndpointDraft::default() };
    platform.shop.catch_up().await;
    platform.shop.engine.update_webhook_endpoint(STAFF, endpoint.id, &switch(false)).await.unwrap();
    platform.happen("ada").await;
    platform.shop.catch_up().await;
    platform.shop.engine.update_webhook_endpoint(STAFF, endpoint.id, &switch(true)).await.unwrap();
    platform.happen("bob").await;
    platform.shop.catch_up().await;
    let told: Vec<_> = platform.internet.sent_to("hook").iter().map(|request| request.body.clone()).collect();
    assert_eq!(told.iter().filter(|body| body.contains("user.registered")).count(), 1);
}

/// Rule 9.2: an endpoint that hangs on each try delays the others by less than a second, and a client that fails by nothing more than
/// its own try.
#[tokio::test(start_paused = true)]
async fn a_slow_endpoint_delays_no_other() {
    let platform = Platform::open().await;
    platform.internet.answers("slow", 0);
    platform.internet.answers("broken", 1);
    for path in ["slow", "broken", "quick"] {
        platform.endpoint(path).await;
    }
    for number in 0..50 {
        platform.happen(&format!("user{number}")).await;
    }
    let began = Instant::now();
    let (end, work) = platform.shop.start();
    platform.internet.wait_for("quick", 101).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(platform.internet.sent_to("slow").len() <= 8);
    drop(end);
    work.await.unwrap();
}

/// Rule 9.2: what a process that died had begun is delivered by another.
#[tokio::test(start_paused = true)]
async fn what_was_interrupted_is_delivered_later() {
    let platform = Platform::open().await;
    platform.internet.answers("hook", 0);
    let endpoint = platform.endpoint("hook").await;
    let (end, work) = platform.shop.start();
    platform.internet.wait_for("hook", 1).await;
    drop(end);
    work.await.unwrap();

    platform.internet.answers("hook", 200);
    platform.pass(TimeDelta::seconds(29)).await;
    assert_eq!(platform.internet.sent_to("hook").len(), 1, "it may still be under way elsewhere");
    platform.pass(TimeDelta::seconds(1)).await;
    assert_eq!(platform.deliveries(endpoint.id).await[0].state, DeliveryState::Succeeded);
}

/// Rule 8.9: an event is not cleared before it was delivered.
#[tokio::test(start_paused = true)]
async fn an_event_is_kept_until_it_is_delivered() {
    let platform = Platform::open_under(Policy::default().with_event_retention(Some(TimeDelta::hours(1)))).await;
    platform.internet.answers("hook", 500);
    let endpoint = platform.endpoint("hook").await;
    platform.shop.catch_up().await;
    platform.pass(TimeDelta::hours(3)).await;
    let delivery = &platform.deliveries(endpoint.id).await[0];
    let event = delivery.message.event_id().unwrap();
    assert!(platform.shop.engine.get_event(&STAFF, event).await.is_ok());
    platform.internet.answers("hook", 200);
    platform.pass(TimeDelta::hours(24)).await;
    assert_eq!(platform.deliveries(endpoint.id).await[0].state, DeliveryState::Succeeded);
    platform.shop.catch_up().await;
    assert!(platform.shop.engine.get_event(&STAFF, event).await.is_err());
}

/// Rule 9.2: deliveries are kept for thirty days.
#[tokio::test(start_paused = true)]
async fn old_deliveries_are_cleared() {
    let platform = Platform::open().await;
    let endpoint = platform.endpoint("hook").await;
    platform.shop.catch_up().await;
    platform.pass(TimeDelta::days(30)).await;
    let before = platform.deliveries(endpoint.id).await.len();
    platform.pass(TimeDelta::seconds(1)).await;
    assert!(before > 0 && platform.deliveries(endpoint.id).await.len() < before);
}
