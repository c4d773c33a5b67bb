//! Webhooks on Postgres, where several servers queue and claim at once (rule 9.2).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Duration, Utc};
use lease_core::decision::RowChange;
use lease_core::event::{EventPattern, EventType, SubjectKind};
use lease_core::id::{EventId, Stored, Version, WebhookEndpointId};
use lease_core::model::{
    DeliveryAttempt, DeliveryState, EndpointState, WebhookDelivery, WebhookEndpoint, WebhookMessage, WebhookSecret,
};
use lease_core::page::PageRequest;
use lease_core::permission::Actor;
use lease_core::repository::{
    Commit, Envelope, EventFilter, EventRepository as _, RecordedAttempt, Repository as _, WebhookDeliveryFilter,
    WebhookRepository as _,
};
use lease_core::webhook::{DeliveryChange, Start, WebhookEndpointChange};
use lease_store_postgres::PostgresRepository;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::engine::instant;
use crate::events::{Stroll, engine, lead};
use crate::support::TestDatabase;

fn now() -> DateTime<Utc> {
    instant("2026-03-01T12:00:00Z")
}

fn held_until() -> DateTime<Utc> {
    now() + Duration::minutes(1)
}

/// An active endpoint that is told of these events from the first on. Returns its id.
async fn endpoint(store: &PostgresRepository, event_types: &[EventPattern]) -> WebhookEndpointId {
    let endpoint = WebhookEndpoint {
        url: "https://example.com/".into(),
        description: String::new(),
        event_types: event_types.to_vec(),
        state: EndpointState::Active,
        secret: WebhookSecret::from_stored("whsec_c2VjcmV0".into()),
        previous: Vec::new(),
        created_at: now(),
    };
    let change = WebhookEndpointChange { endpoint: RowChange::Create(endpoint), start: Some(Start { after: None }) };
    let made = store.commit(&Commit::new(Envelope::new(Actor::System, now()), change)).await.unwrap();
    made.webhook_endpoint.unwrap()
}

async fn delete(store: &PostgresRepository, id: WebhookEndpointId) {
    let endpoint = RowChange::Delete { id, expected: Version::FIRST };
    let change = WebhookEndpointChange { endpoint, start: None };
    store.commit(&Commit::new(Envelope::new(Actor::System, now()), change)).await.unwrap();
}

/// A try that ends in this state, with this answer.
fn tried(delivery: &Stored<WebhookDelivery>, response: &str, state: DeliveryState) -> RecordedAttempt {
    let attempt = DeliveryAttempt { at: now(), status: Some(200), milliseconds: 1, response: response.into(), error: None };
    RecordedAttempt { delivery_id: delivery.id, held_until: held_until(), attempt, state }
}

/// The events of all deliveries to an endpoint, in their order.
async fn told(database: &TestDatabase, endpoint: WebhookEndpointId) -> Vec<EventId> {
    let query = "select event_id from webhook_deliveries where endpoint_id = $1 order by id";
    let mut connection = database.connection().await;
    let events: Vec<i64> = sqlx::query_scalar(query).bind(endpoint.get()).fetch_all(&mut connection).await.unwrap();
    events.into_iter().filter_map(EventId::new).collect()
}

/// Queues, claims and records, until nothing is left to do after the writers are done. Returns what it claimed.
async fn deliver(store: PostgresRepository, done: Arc<AtomicBool>) -> Vec<Stored<WebhookDelivery>> {
    let mut claimed = Vec::new();
    loop {
        let is_last = done.load(Ordering::SeqCst);
        let queued = store.queue_deliveries(now(), 7).await.unwrap();
        let due = store.claim_deliveries(now(), held_until(), 5, &[]).await.unwrap();
        let tries: Vec<_> = due.iter().map(|due| tried(&due.delivery, "", DeliveryState::Succeeded)).collect();
        store.record_attempts(&tries).await.unwrap();
        if is_last && queued == 0 && due.is_empty() {
            return claimed;
        }
        claimed.extend(due.into_iter().map(|due| due.delivery));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_servers_deliver_each_event_once_and_skip_none() {
    const WRITERS: usize = 4;
    const LEADS: usize = 30;
    let database = TestDatabase::create().await;
    let stores = [database.connect().await, database.connect().await];
    let patterns: [&[EventPattern]; 3] =
        [&[], &[EventPattern::Kind(SubjectKind::Lead)], &[EventPattern::Type(EventType::LeadDeleted)]];
    let mut endpoints = Vec::new();
    for patterns in patterns {
        endpoints.push(endpoint(&stores[0], patterns).await);
    }
    let done = Arc::new(AtomicBool::new(false));
    let servers: Vec<_> =
        stores.iter().chain(&stores).map(|store| tokio::spawn(deliver(store.clone(), Arc::clone(&done)))).collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let engine = engine(stores[writer % 2].clone().with_commit_hook(Arc::new(Stroll)));
            tokio::spawn(async move {
                for _ in 0..LEADS {
                    lead(&engine).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let mut claims: BTreeMap<_, u32> = BTreeMap::new();
    for server in servers {
        server.await.unwrap().iter().for_each(|delivery| *claims.entry(delivery.id).or_default() += 1);
    }
    // A server that found an endpoint locked leaves it to the one that has it, which may have been the last.
    deliver(stores[0].clone(), done).await.iter().for_each(|delivery| *claims.entry(delivery.id).or_default() += 1);

    let all = stores[0].events_after(None, 1_000, &EventFilter::default()).await.unwrap();
    let all: Vec<_> = all.iter().map(|event| event.id).collect();
    assert_eq!(all.len(), WRITERS * LEADS);
    assert_eq!(told(&database, endpoints[0]).await, all);
    assert_eq!(told(&database, endpoints[1]).await, all);
    assert_eq!(told(&database, endpoints[2]).await, []);
    assert_eq!(claims.len(), 2 * all.len());
    assert!(claims.values().all(|times| *times == 1), "{claims:?}");
    database.drop().await;
}

/// Another server queues for the endpoint, or deletes it.
#[tokio::test]
async fn an_endpoint_that_is_locked_holds_up_no_other() {
    let database = TestDatabase::create().await;
    let store = database.connect().await;
    let (locked, free) = (endpoint(&store, &[]).await, endpoint(&store, &[]).await);
    let mut other = database.connection().await;
    for lock in ["select from webhook_positions where endpoint_id = 1", "select from webhook_endpoints where id = 1"] {
        lead(&engine(store.clone())).await;
        other.execute(AssertSqlSafe(format!("begin; {lock} for update"))).await.unwrap();
        assert_eq!(store.queue_deliveries(now(), 10).await.unwrap(), 1, "{lock}");
        assert_eq!(told(&database, free).await.len(), told(&database, locked).await.len() + 1);
        other.execute("rollback").await.unwrap();
        assert_eq!(store.queue_deliveries(now(), 10).await.unwrap(), 1, "{lock}");
        assert_eq!(told(&database, free).await, told(&database, locked).await);
    }
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_are_deleted_meanwhile_disturb_nobody() {
    let database = TestDatabase::create().await;
    let (store, other) = (database.connect().await, database.connect().await);
    let kept = endpoint(&store, &[]).await;
    for _ in 0..20 {
        lead(&engine(store.clone())).await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let server = tokio::spawn(deliver(other, Arc::clone(&done)));
    for _ in 0..40 {
        let gone = endpoint(&store, &[]).await;
        delete(&store, gone).await;
    }
    done.store(true, Ordering::SeqCst);
    server.await.unwrap();
    assert_eq!(told(&database, kept).await.len(), 20);
    let left = store.list_deliveries(&WebhookDeliveryFilter::default(), PageRequest::new(100, None).unwrap()).await.unwrap();
    assert!(left.items.iter().all(|delivery| delivery.endpoint_id == kept));
    database.drop().await;
}

/// A receiver may answer with any bytes.
#[tokio::test]
async fn an_answer_with_nul_is_stored_as_it_is() {
    let database = TestDatabase::create().await;
    let store = database.connect().await;
    let endpoint_id = endpoint(&store, &[]).await;
    let state = DeliveryState::Pending { next_attempt_at: now() };
    let (message, attempts) = (WebhookMessage::Test, Vec::new());
    let delivery = WebhookDelivery { endpoint_id, message, state, tries: 0, attempts, created_at: now() };
    let create = Commit::new(Envelope::new(Actor::System, now()), DeliveryChange::Create(delivery));
    let id = store.commit(&create).await.unwrap().webhook_delivery.unwrap();

    let answers: Vec<String> = (0..22).map(|number| format!("a \0 \u{1} \\u0000 \" {number}")).collect();
    for answer in &answers {
        let due = store.claim_deliveries(now(), held_until(), 1, &[]).await.unwrap();
        store.record_attempts(&[tried(&due[0].delivery, answer, state)]).await.unwrap();
    }
    let delivery = store.find_delivery(id).await.unwrap().unwrap();
    assert_eq!(delivery.tries, 22);
    let stored: Vec<_> = delivery.attempts.iter().map(|attempt| attempt.response.as_str()).collect();
    assert_eq!(stored, &answers[2..]);
    database.drop().await;
}
