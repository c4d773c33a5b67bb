//! Refunds with a gateway and a store that fail (rule 5.7).

use lease_core::Error;
use lease_core::gateway::{GatewayError, RefundKey, RefundOutcome, RefundRequest, SandboxGateway};
use lease_core::model::{CreditCard, RefundReason, RefundState};
use lease_core::repository::RequestId;

use super::payments::sandbox_token;
use super::*;

/// A payment of 100.00 that succeeded.
fn paid() -> Row {
    Row::new(Scene::lease().with_refunded("0", "0"))
}

/// The same, with a refund of 30.00 under way.
fn refunding() -> Row {
    Row::new(Scene::lease().with_refund("0", "30", RefundState::Pending))
}

fn thirty() -> lease_core::invoicing::RefundDraft {
    draft(json!({"amount": "30", "reason": "duplicate"}))
}

fn given_back() -> RefundOutcome {
    RefundOutcome::Succeeded { reference: "re_1".into() }
}

fn refused() -> RefundOutcome {
    RefundOutcome::Failed { failure_code: "expired_or_canceled_card".into(), reference: None }
}

fn timed_out() -> GatewayError {
    GatewayError::new("timed out")
}

fn state_of(row: &Row) -> RefundState {
    row.snapshot().refund.unwrap().value.state
}

/// A store with this row that lists its refund as pending.
fn recovering(row: &Row) -> MockRepository {
    let mut store = MockRepository::new();
    row.loads(&mut store);
    store.expect_payments_under_way().returning(|_, _, _, _| Ok(Vec::new()));
    store.expect_pending_refunds().returning(|_, _, _| Ok(vec![id(1)]));
    store
}

/// Rule 5.7: a refund is stored as pending before the gateway is called, and settled by the gateway afterwards.
#[tokio::test]
async fn a_refund_is_written_pending_then_given_back_then_settled() {
    let row = paid();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    for by in [staff(), Actor::Gateway] {
        let written = row.clone();
        store.expect_commit().times(1).returning(move |commit| {
            let claim = (by == staff()).then_some(CLAIM);
            let seen = (commit.envelope.actor, commit.envelope.claim, commit.envelope.request_id.clone());
            assert_eq!(seen, (by, claim, RequestId::new("request-7")));
            written.commit(commit)
        });
    }
    let mut gateway = a_gateway();
    let seen = row.clone();
    gateway.expect_refund().times(1).returning(move |request| {
        assert_eq!(state_of(&seen), RefundState::Pending);
        let expected = RefundRequest {
            key: RefundKey::new("0".repeat(32)),
            reference: None,
            charge_reference: "ch_1".into(),
            amount: usd("30"),
            reason: RefundReason::Duplicate,
            refund: id(8),
            payment: id(1),
            begun_at: now(),
        };
        assert_eq!(*request, expected);
        Ok(given_back())
    });
    let context = claimed(staff()).with_request_id(RequestId::new("request-7"));
    let refund = engine_with(store, gateway).refund_payment(context, id(1), &thirty()).await.unwrap();
    assert_eq!((refund.id.get(), refund.gateway_reference.as_deref()), (8, Some("re_1")));
    let after = row.snapshot();
    assert_eq!((after.payment.unwrap().0.refunded, after.invoice.unwrap().refunded), (usd("30"), usd("30")));
}

/// Rule 5.7: a refund that the gateway refuses is stored as failed, and the response gives the reason.
#[tokio::test]
async fn a_refused_refund_is_reported_and_stored() {
    let row = paid();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    row.commits(&mut store, 2);
    let mut gateway = a_gateway();
    gateway.expect_refund().times(1).returning(|_| Ok(refused()));
    let response = engine_with(store, gateway).refund_payment(staff(), id(1), &thirty()).await;
    let Err(error @ Error::RefundFailed(_)) = response else { panic!("{response:?}") };
    assert_eq!((error.code(), state_of(&row).failure_code()), ("refund_failed", Some("expired_or_canceled_card")));
    assert_eq!(row.snapshot().payment.unwrap().0.refundable().unwrap(), usd("100"));
}

/// Rule 5.7: without a response the refund stays pending, nothing more is refunded of that amount, and recovery settles it once.
#[tokio::test]
async fn a_refund_without_an_answer_stays_pending_and_recovery_settles_it_once() {
    let row = paid();
    let mut store = recovering(&row);
    row.commits(&mut store, 2);
    let mut gateway = a_gateway();
    gateway.expect_refund().times(1).returning(|_| Err(timed_out()));
    gateway.expect_find_refund().times(1).returning(|request| {
        assert_eq!(request.key.as_str(), "0".repeat(32));
        Ok(Some(given_back()))
    });
    let engine = engine_with(store, gateway);
    let all = draft(json!({"reason": "other"}));
    assert_eq!(engine.refund_payment(staff(), id(1), &all).await.unwrap().state, RefundState::Pending);
    assert_eq!(code(engine.refund_payment(staff(), id(1), &all).await), "payment_refunded");
    for settled in [1, 1, 1] {
        assert_eq!(
            engine.settle_pending(chrono::Duration::zero(), 10).await.unwrap(),
            settled,
            "what is settled stays listed here"
        );
    }
    assert_eq!(row.snapshot().payment.unwrap().0.refunded, usd("100"));
}

/// Rule 5.7: after a crash before the call to the gateway, recovery gives the money back, under the stored key; what cannot be
/// settled yet is left.
#[tokio::test]
async fn recovery_makes_a_refund_that_the_gateway_never_got() {
    let row = refunding();
    let mut store = recovering(&row);
    row.commits(&mut store, 1);
    let mut gateway = a_gateway();
    gateway.expect_find_refund().times(1).returning(|_| Err(timed_out()));
    gateway.expect_find_refund().times(1).returning(|_| Ok(None));
    gateway.expect_refund().times(1).withf(|request| request.key == refund_key()).returning(|_| Ok(given_back()));
    let engine = engine_with(store, gateway);
    assert_eq!(engine.settle_pending(chrono::Duration::zero(), 10).await.unwrap(), 0);
    assert_eq!(state_of(&row), RefundState::Pending);
    assert_eq!(engine.settle_pending(chrono::Duration::zero(), 10).await.unwrap(), 1);
    assert_eq!(state_of(&row), RefundState::Succeeded { at: now() });
}

/// Rule 5.7: a refund is settled by its id or its key, as often as anybody likes; a settled one asks nobody.
#[tokio::test]
async fn settling_a_refund_is_harmless_at_any_time() {
    for state in [RefundState::Succeeded { at: at(-1) }, RefundState::Failed { at: at(-1), failure_code: "no".into() }] {
        let row = Row::new(Scene::lease().with_refund("30", "30", state.clone()));
        let mut store = MockRepository::new();
        row.loads(&mut store);
        assert_eq!(engine(store).settle_refund(id(1)).await.unwrap().state, state);
    }
    let row = refunding();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    row.commits(&mut store, 2);
    store.expect_find_refund_key().returning(|asked| Ok((*asked == refund_key()).then(|| id(1))));
    let mut gateway = a_gateway();
    gateway.expect_find_refund().times(1).returning(|_| Ok(Some(RefundOutcome::Pending { reference: "re_1".into() })));
    gateway.expect_find_refund().times(1).returning(|_| Ok(Some(refused())));
    let engine = engine_with(store, gateway);
    assert_eq!(engine.settle_refund_key(&refund_key()).await.unwrap().state, RefundState::Pending);
    assert_eq!(engine.settle_refund_key(&refund_key()).await.unwrap().state.failure_code(), Some("expired_or_canceled_card"));
    assert_eq!(code(engine.settle_refund_key(&RefundKey::new("unknown".into())).await), "not_found");
}

/// Rule 5.7: conflicts before and after the call never give the money back twice.
#[tokio::test(start_paused = true)]
async fn conflicts_before_and_after_a_refund_do_not_repeat_it() {
    let row = paid();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    for _ in 0..2 {
        refuse_commits(&mut store, 2, || RepositoryError::Conflict);
        row.commits(&mut store, 1);
    }
    let mut gateway = a_gateway();
    gateway.expect_refund().times(1).returning(|_| Ok(given_back()));
    let refund = engine_with(store, gateway).refund_payment(staff(), id(1), &thirty()).await.unwrap();
    assert_eq!(refund.state, RefundState::Succeeded { at: now() });
}

#[tokio::test]
async fn a_refund_that_could_not_be_stored_as_pending_is_not_given_back() {
    let mut store = MockRepository::new();
    paid().loads(&mut store);
    refuse_commits(&mut store, 1, unavailable);
    assert_eq!(code(engine(store).refund_payment(staff(), id(1), &thirty()).await), "unavailable");
}

/// Rule 5.5: of the card `4000000000005126`, refunds fail at the sandbox; of others they succeed.
#[tokio::test]
async fn refunds_of_one_card_fail_at_the_sandbox() {
    for (number, expected) in [("4000000000005126", "refund_failed"), ("4242424242424242", "ok")] {
        let token = sandbox_token(number).await;
        let row = Row::new(Scene::lease().billed_to(OWNER).with_card(CreditCard { token, ..card(OWNER) }));
        let mut store = MockRepository::new();
        row.loads(&mut store);
        row.commits(&mut store, 4);
        let engine = engine_with(store, SandboxGateway::new());
        engine.pay_invoice(customer(OWNER), id(1), &super::payments::pay_all()).await.unwrap();
        assert_eq!(code(engine.refund_payment(staff(), id(7), &thirty()).await), expected);
        let failure = (expected != "ok").then_some("expired_or_canceled_card");
        assert_eq!(state_of(&row).failure_code(), failure);
    }
}
