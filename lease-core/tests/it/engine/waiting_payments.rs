//! Payments that wait for their payers (rule 5.5), with a gateway and a store that fail.

use chrono::Duration;
use lease_core::Error;
use lease_core::engine::PayerDraft;
use lease_core::gateway::{ChargeOutcome, GatewayError, SandboxGateway};
use lease_core::id::Stored;
use lease_core::invoicing::PaymentCancellationDraft;
use lease_core::model::{CreditCard, InvoiceState, Payment, PaymentState, PaymentStatus};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{PaymentFilter, RequestId};

use super::payments::{pay_all, sandbox_token};
use super::*;

/// What the gateway answers.
type Answer = fn() -> Result<ChargeOutcome, GatewayError>;

/// A trade whose payment of the whole invoice waits for its payer.
fn waiting() -> Row {
    let waits = PaymentState::RequiresAction(next_action());
    Row::new(Scene::lease().billed_to(OWNER).paid_and_pending("0", "100").with_payment("100", waits))
}

fn status_of(row: &Row) -> PaymentStatus {
    PaymentStatus::from(&row.snapshot().payment.unwrap().0.state)
}

/// A store with this row, in which so many commits succeed.
fn store_of(row: &Row, commits: usize) -> MockRepository {
    let mut store = MockRepository::new();
    row.loads(&mut store);
    row.commits(&mut store, commits);
    store
}

fn secret_of(payment: &Payment) -> Option<&str> {
    Some(payment.state.next_action()?.client_secret.as_ref()?.expose())
}

/// Rule 5.5: the payment says how its payer acts, and the secret for it is shown to nobody else.
#[tokio::test]
async fn the_secret_of_a_payment_is_shown_to_its_payer_alone() {
    let row = Row::new(Scene::lease().billed_to(OWNER).with_card(card(OWNER)));
    let mut store = store_of(&row, 2);
    let stored_payment = |row: &Row| row.snapshot().payment.unwrap().0;
    let (found, listed) = (row.clone(), row.clone());
    store.expect_find_payment().returning(move |_| Ok(Some(stored_payment(&found))));
    store
        .expect_list_payments()
        .returning(move |_, _| Ok(Page { items: vec![stored_payment(&listed)], next: None, previous: None }));
    let mut gateway = a_gateway();
    gateway.expect_charge().times(1).returning(|_| Ok(asks_payer()));
    let engine = engine_with(store, gateway);
    let paid = engine.pay_invoice(customer(OWNER), id(1), &pay_all()).await.unwrap().stored;
    assert_eq!((paid.state.next_action(), secret_of(&paid)), (Some(&next_action()), Some("cs_that_is_secret")));
    for (actor, secret) in [(customer(OWNER), Some("cs_that_is_secret")), (staff(), None), (superuser(), None)] {
        let one = engine.get_payment(&actor, id(7)).await.unwrap().stored;
        let list = engine.list_payments(&actor, PaymentFilter::default(), PageRequest::default()).await.unwrap();
        for payment in [&one, &list.items[0].stored] {
            assert_eq!((PaymentStatus::from(&payment.state), secret_of(payment)), (PaymentStatus::RequiresAction, secret));
        }
    }
}

/// Rule 5.5: to ask about a payment that is settled asks nobody; while its payer has not acted, nothing changes.
#[tokio::test]
async fn settling_is_harmless_at_any_time() {
    for state in [
        PaymentState::Succeeded { at: at(-1) },
        PaymentState::Failed { at: at(-1), failure_code: "card_declined".into() },
        PaymentState::Cancelled { at: at(-1) },
    ] {
        let row = Row::new(Scene::lease().billed_to(OWNER).with_payment("100", state.clone()));
        let payment = engine_with(store_of(&row, 0), a_gateway()).settle_payment(id(1)).await.unwrap();
        assert_eq!(payment.state, state);
    }
    for outcome in [asks_payer(), ChargeOutcome::Pending { reference: "ch_1".into() }] {
        let row = waiting();
        let mut gateway = a_gateway();
        gateway.expect_find_charge().times(1).returning(move |_| Ok(Some(outcome.clone())));
        engine_with(store_of(&row, 0), gateway).settle_payment(id(1)).await.unwrap();
        assert_eq!(status_of(&row), PaymentStatus::RequiresAction);
    }
}

/// Rule 5.5: what became of a payment that waits is learned by asking, for all of them or for one, by its id or its key.
#[tokio::test]
async fn a_payment_that_waits_is_settled_by_asking() {
    for by_key in [true, false] {
        let row = waiting();
        let mut store = store_of(&row, 1);
        store.expect_find_charge_key().returning(|asked| Ok((*asked == key()).then(|| id(1))));
        let mut gateway = a_gateway();
        gateway.expect_find_charge().times(1).returning(|charge| {
            assert_eq!(charge.key, key());
            Ok(Some(charged()))
        });
        let engine = engine_with(store, gateway);
        let settled = if by_key { engine.settle_charge(&key()).await } else { engine.settle_payment(id(1)).await };
        assert_eq!(settled.unwrap().state, PaymentState::Succeeded { at: now() });
        assert!(matches!(row.snapshot().invoice.unwrap().state, InvoiceState::Paid { .. }));
        let unknown = engine.settle_charge(&lease_core::gateway::ChargeKey::new("unknown".into())).await;
        assert_eq!(code(unknown), "not_found");
    }
}

/// Rule 5.5: a round asks about the payments that wait, and a gateway that is silent about one holds no other up.
#[tokio::test]
async fn payments_that_wait_are_asked_about_in_rounds() {
    let row = waiting();
    let mut store = store_of(&row, 1);
    store.expect_payments_under_way().times(1).returning(|state, before, after, limit| {
        assert_eq!((state, before, after, limit), (UnderWay::RequiresAction, now(), None, 5));
        Ok(vec![id(1), id(1)])
    });
    let mut gateway = a_gateway();
    gateway.expect_find_charge().times(1).returning(|_| Err(GatewayError::new("timed out")));
    gateway.expect_find_charge().times(1).returning(|_| Ok(Some(charged())));
    assert_eq!(engine_with(store, gateway).settle_waiting(5).await.unwrap(), 1);
}

/// Rule 5.5: a payment that has waited for as long as the policy allows is given up at the gateway first; without a response, it
/// still waits.
#[tokio::test]
async fn a_payment_that_waited_too_long_is_given_up_at_the_gateway_first() {
    let cases: [(Answer, PaymentStatus); 4] = [
        (|| Ok(given_up()), PaymentStatus::Cancelled),
        (|| Ok(charged()), PaymentStatus::Succeeded),
        (|| Ok(declined("card_declined")), PaymentStatus::Failed),
        (|| Err(GatewayError::new("timed out")), PaymentStatus::RequiresAction),
    ];
    for (outcome, end) in cases {
        let row = waiting();
        let seen = row.clone();
        let mut gateway = a_gateway();
        gateway.expect_cancel_charge().times(1).returning(move |_| {
            assert_eq!(status_of(&seen), PaymentStatus::RequiresAction, "nothing is released before");
            outcome()
        });
        let store = store_of(&row, usize::from(end != PaymentStatus::RequiresAction));
        let engine = with_policy(store, gateway, Policy::default().with_payment_action(Duration::zero()));
        let settled = engine.settle_payment(id(1)).await;
        assert_eq!((settled.is_ok(), status_of(&row)), (end != PaymentStatus::RequiresAction, end));
    }
}

/// Rule 5.5: whoever cancels is answered by what became of the payment; what the payer did first is the gateway's act.
#[tokio::test]
async fn cancelling_is_answered_by_what_became_of_the_payment() {
    let cases: [(Answer, &str, PaymentStatus); 5] = [
        (|| Ok(given_up()), "ok", PaymentStatus::Cancelled),
        (|| Ok(charged()), "payment_settled", PaymentStatus::Succeeded),
        (|| Ok(declined("card_declined")), "payment_settled", PaymentStatus::Failed),
        (|| Ok(asks_payer()), "payment_pending", PaymentStatus::RequiresAction),
        (|| Err(GatewayError::new("timed out")), "unavailable", PaymentStatus::RequiresAction),
    ];
    for actor in [customer(OWNER), staff()] {
        for (outcome, response, end) in cases {
            let row = waiting();
            let mut store = MockRepository::new();
            row.loads(&mut store);
            let (written, settles) = (row.clone(), end != PaymentStatus::RequiresAction);
            store.expect_commit().times(usize::from(settles)).returning(move |commit| {
                let by = if end == PaymentStatus::Cancelled { actor } else { Actor::Gateway };
                assert_eq!((commit.envelope.actor, &commit.envelope.request_id), (by, &RequestId::new("request-7")));
                written.commit(commit)
            });
            let mut gateway = a_gateway();
            gateway.expect_cancel_charge().times(1).returning(move |_| outcome());
            let context = RequestContext::new(actor).with_request_id(RequestId::new("request-7"));
            let cancelled =
                engine_with(store, gateway).cancel_payment(context, id(1), &PaymentCancellationDraft::default()).await;
            assert_eq!((code(cancelled), status_of(&row)), (response, end), "{actor:?}");
        }
    }
}

/// Rule 5.5: the gateway is asked to give up only what the actor may cancel.
#[tokio::test]
async fn only_what_may_be_cancelled_is_given_up() {
    for (actor, expected) in
        [(customer(BUYER), "not_found"), (Actor::Anonymous, "not_authenticated"), (Actor::Gateway, "permission_denied")]
    {
        let engine = engine_with(store_of(&waiting(), 0), a_gateway());
        assert_eq!(code(engine.cancel_payment(actor, id(1), &PaymentCancellationDraft::default()).await), expected);
    }
    let pending = Row::new(Scene::lease().billed_to(OWNER).with_payment("100", PaymentState::Pending));
    let engine = engine_with(store_of(&pending, 0), a_gateway());
    assert_eq!(
        code(engine.cancel_payment(customer(OWNER), id(1), &PaymentCancellationDraft::default()).await),
        "payment_pending"
    );
}

/// Pays with this number at the sandbox.
async fn pay_with(number: &str) -> (Row, LeaseEngine, Result<Stored<Payment>, Error>) {
    let token = sandbox_token(number).await;
    let row = Row::new(Scene::lease().billed_to(OWNER).with_card(CreditCard { token, ..card(OWNER) }));
    let mut store = MockRepository::new();
    row.loads(&mut store);
    let written = row.clone();
    store.expect_commit().returning(move |commit| written.commit(commit));
    let engine = engine_with(store, SandboxGateway::new());
    let paid = engine.pay_invoice(customer(OWNER), id(1), &pay_all()).await.map(|paid| paid.stored);
    (row, engine, paid)
}

/// Rule 5.5: the payer's part is played at the sandbox, once, by the payer alone.
#[tokio::test]
async fn the_payer_is_played_at_the_sandbox() {
    let cases = [
        ("4000002500003155", "succeed", PaymentStatus::Succeeded, None),
        ("4000002500003155", "fail", PaymentStatus::Failed, Some("payment_intent_authentication_failure")),
        ("4000008400001629", "succeed", PaymentStatus::Failed, Some("card_declined")),
        ("4000008400001629", "fail", PaymentStatus::Failed, Some("card_declined")),
    ];
    for (number, outcome, end, failure_code) in cases {
        let (row, engine, paid) = pay_with(number).await;
        let action = paid.unwrap().state.next_action().cloned().unwrap();
        assert_eq!((&*action.kind, action.url.as_deref()), ("sandbox", Some("/api/sandbox/payments/7")));
        let play = async |actor, outcome: &str| {
            engine.act_as_payer(actor, id(7), &PayerDraft { outcome: outcome.into() }).await.map(|played| played.stored)
        };
        for (actor, refused) in [(staff(), "permission_denied"), (customer(BUYER), "not_found")] {
            assert_eq!(code(play(actor, outcome).await), refused);
        }
        assert_eq!(wrong_fields(play(customer(OWNER), "perhaps").await), ["outcome"]);
        assert_eq!(status_of(&row), PaymentStatus::RequiresAction);
        let played = play(customer(OWNER), outcome).await.unwrap();
        assert_eq!((PaymentStatus::from(&played.state), played.state.failure_code()), (end, failure_code), "{number} {outcome}");
        assert_eq!(code(play(customer(OWNER), outcome).await), "payment_settled");
    }
    let (_, engine, paid) = pay_with("4242424242424242").await;
    assert!(matches!(paid.unwrap().state, PaymentState::Succeeded { .. }));
    let late = engine.act_as_payer(customer(OWNER), id(7), &PayerDraft { outcome: "succeed".into() }).await;
    assert_eq!(code(late), "payment_settled");
    // Another gateway plays nobody's part.
    let engine = engine_with(store_of(&waiting(), 0), a_gateway());
    let played = engine.act_as_payer(customer(OWNER), id(1), &PayerDraft { outcome: "succeed".into() }).await;
    assert_eq!(code(played), "not_found");
}

/// Rule 5.5: a payment that was given up at the sandbox is never charged, whatever the payer does then.
#[tokio::test]
async fn a_payment_given_up_at_the_sandbox_stays_given_up() {
    let (row, engine, _) = pay_with("4000002500003155").await;
    let cancelled = engine.cancel_payment(customer(OWNER), id(7), &PaymentCancellationDraft::default()).await.unwrap().stored;
    assert_eq!((cancelled.state.settled_at(), status_of(&row)), (Some(now()), PaymentStatus::Cancelled));
    let late = engine.act_as_payer(customer(OWNER), id(7), &PayerDraft { outcome: "succeed".into() }).await;
    assert_eq!(code(late), "payment_settled");
    assert_eq!(row.snapshot().invoice.unwrap().payable().unwrap(), usd("100"));
}
