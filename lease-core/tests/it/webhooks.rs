//! Webhook endpoints and the tries of their deliveries: rules 9.1 and 9.2.

use chrono::{DateTime, TimeDelta, Utc};
use lease_core::Error;
use lease_core::decision::{Decision, RowChange};
use lease_core::event::{EventPattern, EventType, SubjectKind};
use lease_core::id::{EventId, Stored, Versioned, WebhookEndpointId};
use lease_core::model::{
    DeliveryState, DisabledReason, EndpointState, PreviousSecret, WebhookDelivery, WebhookEndpoint, WebhookMessage, WebhookSecret,
};
use lease_core::permission::Actor;
use lease_core::policy::Policy;
use lease_core::webhook::{
    DeliveryChange, Start, Verdict, WebhookAnswer, WebhookEndpointChange, create_endpoint, delete_endpoint, disable_endpoint,
    judge_attempt, retry_delivery, rotate_secret, test_endpoint, update_endpoint,
};
use serde_json::{Value, json};

use crate::support::*;

fn secret(number: u8) -> WebhookSecret {
    WebhookSecret::from_random([number; 32])
}

fn created_by(actor: &Actor, json: Value, others: usize) -> Result<Decision<WebhookEndpointChange>, Error> {
    create_endpoint(actor, &draft(json), secret(1), others, EventId::new(7), &Policy::default(), now())
}

fn url() -> Value {
    json!({"url": "https://example.com/hook"})
}

fn value(change: &WebhookEndpointChange) -> &WebhookEndpoint {
    change.endpoint.value().expect("an endpoint that is written")
}

fn endpoint(state: EndpointState) -> Versioned<Stored<WebhookEndpoint>> {
    let change = created_by(&staff(), url(), 0).unwrap().changes;
    first(stored(3, WebhookEndpoint { state, ..value(&change).clone() }))
}

/// Rule 9.1: a new endpoint is told of all that happens from now on, and of nothing before.
#[test]
fn a_new_endpoint_starts_after_the_last_event() {
    let decision = created_by(&staff(), url(), 0).unwrap();
    assert_eq!(decision.start, Some(Start { after: EventId::new(7) }));
    assert_eq!(value(&decision).state, EndpointState::Active);
    assert!(value(&decision).event_types.is_empty() && value(&decision).wants(EventType::TradeAgreed));
    assert_eq!(names(&decision.events), ["webhook_endpoint.created"]);
    assert!(!format!("{decision:?}").contains(secret(1).expose()));
}

/// Rule 9.1: staff only.
#[test]
fn only_staff_have_endpoints() {
    let row = endpoint(EndpointState::Active);
    for (actor, expected) in
        [(Actor::Anonymous, "not_authenticated"), (customer(OWNER), "permission_denied"), (staff(), "ok"), (superuser(), "ok")]
    {
        assert_eq!(code(created_by(&actor, url(), 0)), expected);
        assert_eq!(code(update_endpoint(&row, &actor, &draft(json!({})), None, &Policy::default())), expected);
        assert_eq!(code(delete_endpoint(&row, &actor)), expected);
        assert_eq!(code(rotate_secret(&row, &actor, secret(2), now())), expected);
        assert_eq!(code(test_endpoint(&row, &actor, now())), expected);
        assert_eq!(code(retry_delivery(&stored(1, delivery()), &actor, now())), expected);
    }
}

/// Rule 9.1: the types are those of the filter of events.
#[test]
fn an_endpoint_wants_the_types_that_it_names() {
    let json = json!({"url": "https://example.com/", "event_types": ["trade.*", "invoice.paid, invoice.voided", "trade.*"]});
    let decision = created_by(&staff(), json, 0).unwrap();
    let endpoint = value(&decision);
    let named = [
        EventPattern::Kind(SubjectKind::Trade),
        EventPattern::Type(EventType::InvoicePaid),
        EventPattern::Type(EventType::InvoiceVoided),
    ];
    assert_eq!(endpoint.event_types, named);
    let wanted = [EventType::TradeOpened, EventType::InvoicePaid, EventType::InvoiceIssued].map(|one| endpoint.wants(one));
    assert_eq!(wanted, [true, true, false]);

    for unknown in [json!(["trade"]), json!(["*"]), json!(["trade.closed"]), json!([1]), json!({"a": 1}), json!(7)] {
        let json = json!({"url": "https://example.com/", "event_types": unknown});
        assert_eq!(wrong_fields(created_by(&staff(), json, 0)), ["event_types"]);
    }
}

/// Rule 9.1: addresses are `https` and public, unless private ones are allowed.
#[test]
fn an_address_is_https_and_public() {
    let asked = |url: &str, policy: &Policy| {
        let json = draft(json!({"url": url}));
        create_endpoint(&staff(), &json, secret(1), 0, None, policy, now()).is_ok()
    };
    let private = Policy::default().with_private_webhooks(true);
    for (url, is_public) in [
        ("https://example.com/hook?a=b", true),
        (" HTTPS://EXAMPLE.com:8443 ", true),
        ("http://example.com/", false),
        ("https://localhost/", false),
        ("https://127.0.0.1/", false),
        ("https://2130706433/", false),
        ("https://0x7f.1/", false),
        ("https://[::ffff:10.0.0.1]/", false),
        ("https://169.254.169.254/latest/meta-data", false),
    ] {
        assert_eq!(asked(url, &Policy::default()), is_public, "{url}");
        assert!(asked(url, &private), "{url}");
    }
    for refused in ["", "example.com", "ftp://example.com/", "https://ada:pw@example.com/", "https://example.com/#a", "https://"]
    {
        assert!(!asked(refused, &private), "{refused}");
    }
}

/// Rule 9.1: the number of endpoints is limited; wrong fields are named before.
#[test]
fn there_are_at_most_a_hundred_endpoints() {
    assert_eq!(code(created_by(&staff(), url(), 99)), "ok");
    assert_eq!(code(created_by(&staff(), url(), 100)), "webhook_endpoint_limit");
    assert_eq!(code(created_by(&staff(), json!({}), 100)), "validation_error");
}

/// Rule 9.1: an endpoint that is switched on is told of what happens from then on, and forgets why it was off.
#[test]
fn an_endpoint_is_switched_off_and_on() {
    let change = |row: &_, json: Value| {
        let decision = update_endpoint(row, &staff(), &draft(json), EventId::new(40), &Policy::default()).unwrap();
        (value(&decision).state, decision.start, names(&decision.events))
    };
    let (on, off) = (endpoint(EndpointState::Active), endpoint(EndpointState::Off(None)));
    let failed = endpoint(EndpointState::Off(Some(DisabledReason::Failing)));
    let updated = vec!["webhook_endpoint.updated"];
    let start = Some(Start { after: EventId::new(40) });
    assert_eq!(change(&on, json!({"is_active": false})), (EndpointState::Off(None), None, updated.clone()));
    assert_eq!(change(&off, json!({"is_active": true})), (EndpointState::Active, start, updated.clone()));
    assert_eq!(change(&failed, json!({"is_active": true})), (EndpointState::Active, start, updated.clone()));
    assert_eq!(change(&failed, json!({"description": "Old"})), (failed.state, None, updated));
    assert_eq!(change(&on, json!({"is_active": true})), (EndpointState::Active, None, vec![]));
}

/// Rule 9.1: after a rotation, the old secret signs too for 24 hours.
#[test]
fn a_rotated_secret_signs_for_another_day() {
    let row = endpoint(EndpointState::Active);
    let decision = rotate_secret(&row, &staff(), secret(2), now()).unwrap();
    let rotated = value(&decision);
    let until = now() + TimeDelta::hours(24);
    assert_eq!(rotated.previous, [PreviousSecret { secret: secret(1), until }]);
    let signing = |at| rotated.secrets(at).cloned().collect::<Vec<_>>();
    assert_eq!(signing(until - TimeDelta::microseconds(1)), [secret(2), secret(1)]);
    assert_eq!(signing(until), [secret(2)]);

    let again = rotate_secret(&first(stored(3, rotated.clone())), &staff(), secret(3), now() + TimeDelta::hours(1)).unwrap();
    let signing: Vec<_> = value(&again).secrets(until - tick()).cloned().collect();
    assert_eq!(signing, [secret(3), secret(2), secret(1)], "a further rotation ends none that was to sign");
    assert_eq!(Value::from(decision.events[0].changes.known.clone()), json!({"secret": {"from": null, "to": null}}));
}

fn answered(status: u16) -> WebhookAnswer {
    WebhookAnswer::Answered { status, retry_after: None, body: String::new() }
}

fn judged(tries: u32, answer: &WebhookAnswer) -> DeliveryState {
    judge_attempt(tries, answer, None, 0.0, now()).state
}

fn in_seconds(seconds: i64) -> DeliveryState {
    DeliveryState::Pending { next_attempt_at: now() + TimeDelta::seconds(seconds) }
}

/// Rule 9.2: the waits between the tries.
#[test]
fn a_delivery_that_failed_is_tried_again_ever_later() {
    let waits = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    for (tries, wait) in (0_u32..).zip(waits) {
        assert_eq!(judged(tries, &answered(500)), in_seconds(wait), "after {tries} tries");
        let DeliveryState::Pending { next_attempt_at } = judge_attempt(tries, &answered(500), None, 1.0, now()).state else {
            panic!("it is tried again")
        };
        let early = now() + TimeDelta::seconds(wait) - next_attempt_at;
        assert!(early > TimeDelta::zero() && early <= TimeDelta::milliseconds(wait * 100), "{early}");
    }
    assert_eq!(judged(9, &answered(500)), DeliveryState::Failed);
    assert_eq!(judged(u32::MAX, &answered(500)), DeliveryState::Failed);
}

/// Rule 9.2: 2xx is success; a redirect and no answer are failures; 410 switches the endpoint off.
#[test]
fn the_status_decides() {
    for (status, expected) in [
        (199, in_seconds(5)),
        (200, DeliveryState::Succeeded),
        (299, DeliveryState::Succeeded),
        (301, in_seconds(5)),
        (404, in_seconds(5)),
        (503, in_seconds(5)),
    ] {
        let verdict = judge_attempt(0, &answered(status), None, 0.0, now());
        assert_eq!(verdict, Verdict { state: expected, disable: None }, "{status}");
    }
    assert_eq!(judged(0, &WebhookAnswer::None("no answer".into())), in_seconds(5));
    let gone = Verdict { state: DeliveryState::Failed, disable: Some(DisabledReason::Gone) };
    assert_eq!(judge_attempt(0, &answered(410), None, 0.0, now()), gone);
}

/// Rule 9.2: an endpoint may ask to be left alone for longer than it would be, but not for ever.
#[test]
fn retry_after_is_honoured() {
    let asked = |tries, seconds| {
        let retry_after = Some(std::time::Duration::from_secs(seconds));
        judged(tries, &WebhookAnswer::Answered { status: 429, retry_after, body: String::new() })
    };
    assert_eq!(asked(0, 60), in_seconds(60));
    assert_eq!(asked(1, 60), in_seconds(300));
    assert_eq!(asked(0, u64::MAX), in_seconds(86_400));
}

/// Rule 9.2: an endpoint that took nothing for five days is switched off, unless it takes this.
#[test]
fn an_endpoint_that_took_nothing_for_five_days_is_switched_off() {
    let since = |since: DateTime<Utc>, status| judge_attempt(3, &answered(status), Some(since), 0.0, now()).disable;
    let five_days = TimeDelta::days(5);
    assert_eq!(since(now() - five_days, 500), Some(DisabledReason::Failing));
    assert_eq!(since(now() - five_days + tick(), 500), None);
    assert_eq!(since(now() - five_days, 200), None);

    let row = endpoint(EndpointState::Active);
    let decision = disable_endpoint(&row, row.version, DisabledReason::Failing).unwrap();
    assert_eq!(value(&decision).state, EndpointState::Off(Some(DisabledReason::Failing)));
    assert_eq!(names(&decision.events), ["webhook_endpoint.disabled"]);
    assert_eq!(decision.events[0].data.known["reason"], "failing");
    assert_eq!(disable_endpoint(&endpoint(EndpointState::Off(None)), row.version, DisabledReason::Gone), None);
    assert_eq!(disable_endpoint(&row, row.version.next(), DisabledReason::Gone), None, "it was changed since it was tried");
}

fn delivery() -> WebhookDelivery {
    let endpoint_id = id::<WebhookEndpointId>(3);
    let state = DeliveryState::Failed;
    WebhookDelivery { endpoint_id, message: WebhookMessage::Test, state, tries: 10, attempts: vec![], created_at: now() }
}

/// Rules 9.1 and 9.2: a test, and a delivery that is asked for once more, are due at once.
#[test]
fn tests_and_redeliveries_are_due_at_once() {
    let off = endpoint(EndpointState::Off(None));
    assert_eq!(code(test_endpoint(&off, &staff(), now())), "webhook_endpoint_off");
    match test_endpoint(&endpoint(EndpointState::Active), &staff(), now()).unwrap().changes {
        DeliveryChange::Create(test) => {
            assert_eq!((test.message, test.state), (WebhookMessage::Test, in_seconds(0)));
            assert_eq!(test.message.type_name(), "webhook_endpoint.test");
        }
        other @ DeliveryChange::Retry { .. } => panic!("{other:?}"),
    }
    let again = retry_delivery(&stored(9, delivery()), &staff(), now()).unwrap().changes;
    assert_eq!(again, DeliveryChange::Retry { id: id(9), at: now() });
}

/// Deleting an endpoint says so.
#[test]
fn deleting_an_endpoint_is_an_event() {
    let decision = delete_endpoint(&endpoint(EndpointState::Active), &staff()).unwrap();
    assert!(matches!(decision.endpoint, RowChange::Delete { .. }));
    assert_eq!(names(&decision.events), ["webhook_endpoint.deleted"]);
}
