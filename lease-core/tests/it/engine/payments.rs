//! Payments with a gateway and a store that fail (rule 5.5).

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use lease_core::Error;
use lease_core::gateway::{
    CardDetails, CardToken, Charge, ChargeKey, ChargeOutcome, GatewayError, GatewayInfo, PaymentGateway, RefundOutcome,
    RefundRequest, SandboxGateway, Tokenization,
};
use lease_core::id::PaymentId;
use lease_core::model::{InvoiceState, PaymentState};
use lease_core::repository::{Guarantee, MockRepository, RepositoryError, WalletKey};
use lease_core::wallet::{CardChange, CardDraft, Wallet, check_card};
use serde_json::json;
use tokio::sync::Notify;

use super::*;

/// A trade whose invoice over 100.00 belongs to the owner, who has a valid card.
fn billed() -> Row {
    Row::new(Scene::lease().billed_to(OWNER).with_card(card(OWNER)))
}

/// The same, with a pending payment that was begun before.
fn pending() -> Row {
    Row::new(Scene::lease().billed_to(OWNER).paid_and_pending("0", "100").with_payment("100", PaymentState::Pending))
}

pub(super) fn pay_all() -> lease_core::invoicing::PaymentDraft {
    draft(json!({"credit_card_id": 1}))
}

fn timed_out() -> GatewayError {
    GatewayError::new("timed out")
}

/// A store that has this row and lists its payment as pending.
fn recovering(row: &Row) -> MockRepository {
    let mut store = MockRepository::new();
    row.loads(&mut store);
    lists_pending(&mut store);
    store
}

fn state_of(row: &Row) -> PaymentState {
    row.snapshot().payment.unwrap().0.value.state
}

/// A complete payment, once: it is stored as pending before the gateway is called.
#[tokio::test]
async fn a_payment_is_written_pending_then_charged_then_settled() {
    let row = billed();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    row.commits(&mut store, 2);
    let mut gateway = a_gateway();
    let seen = row.clone();
    gateway.expect_charge().times(1).returning(move |charge| {
        assert_eq!(state_of(&seen), PaymentState::Pending);
        let key = ChargeKey::new("0".repeat(32));
        let expected = Charge { key, payment: id(7), ..super::charge("100", card(OWNER).token) };
        assert_eq!(*charge, expected);
        Ok(charged())
    });
    let payment = engine_with(store, gateway).pay_invoice(&customer(OWNER), id(1), &pay_all()).await.unwrap();
    assert_eq!((payment.stored.id.get(), payment.stored.gateway_reference.as_deref()), (7, Some("ch_1")));
    assert!(matches!(row.snapshot().invoice.unwrap().state, InvoiceState::Paid { .. }));
}

/// Rule 5.4: a declined payment is stored as failed, and the response gives the reason.
#[tokio::test]
async fn a_declined_payment_is_reported_and_stored() {
    let row = billed();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    row.commits(&mut store, 2);
    let mut gateway = a_gateway();
    gateway.expect_charge().times(1).returning(|_| Ok(declined("insufficient_funds")));
    let response = engine_with(store, gateway).pay_invoice(&customer(OWNER), id(1), &pay_all()).await;
    let Err(Error::CardDeclined { failure_code, payment: Some(payment) }) = response else { panic!("{response:?}") };
    assert_eq!((&*failure_code, payment.state.failure_code()), ("insufficient_funds", Some("insufficient_funds")));
    let invoice = row.snapshot().invoice.unwrap();
    assert_eq!((invoice.payable().unwrap(), invoice.is_open()), (usd("100"), true));
}

/// Rule 5.5: a gateway that times out, whether it has charged the card or not, has not failed. The payment stays pending, and
/// recovery settles it once.
#[tokio::test]
async fn a_charge_without_an_answer_stays_pending_and_recovery_settles_it_once() {
    let row = billed();
    let mut store = recovering(&row);
    row.commits(&mut store, 2);
    let mut gateway = a_gateway();
    gateway.expect_charge().times(1).returning(|_| Err(timed_out()));
    gateway.expect_find_charge().returning(|charge| {
        assert_eq!(charge.key.as_str(), "0".repeat(32));
        Ok(Some(charged()))
    });
    let engine = engine_with(store, gateway);
    let payment = engine.pay_invoice(&customer(OWNER), id(1), &pay_all()).await.unwrap();
    assert_eq!(payment.stored.state, PaymentState::Pending);
    let retried = engine.pay_invoice(&customer(OWNER), id(1), &pay_all()).await;
    assert_eq!(code(retried), "payment_pending", "while it is unknown nothing is charged");
    for _ in 0..3 {
        engine.settle_pending(chrono::Duration::zero(), 10).await.unwrap();
    }
    let after = row.snapshot();
    assert_eq!((state_of(&row), after.invoice.unwrap().paid), (PaymentState::Succeeded { at: now() }, usd("100")));
}

/// Rule 5.5: the store fails after the card was charged; the card is not charged again.
#[tokio::test]
async fn a_store_that_fails_after_charging_never_charges_again() {
    let row = billed();
    let mut store = recovering(&row);
    row.commits(&mut store, 1);
    refuse_commits(&mut store, 1, unavailable);
    row.commits(&mut store, 1);
    let mut gateway = a_gateway();
    gateway.expect_charge().times(1).returning(|_| Ok(charged()));
    gateway.expect_find_charge().times(1).returning(|_| Ok(Some(charged())));
    let engine = engine_with(store, gateway);
    assert_eq!(code(engine.pay_invoice(&customer(OWNER), id(1), &pay_all()).await), "unavailable");
    assert_eq!(state_of(&row), PaymentState::Pending);
    assert_eq!(engine.settle_pending(chrono::Duration::zero(), 10).await.unwrap(), 1);
    assert!(matches!(state_of(&row), PaymentState::Succeeded { .. }));
}

/// Rule 5.5: conflicts before and after a charge never call the gateway twice.
#[tokio::test(start_paused = true)]
async fn conflicts_before_and_after_a_charge_do_not_repeat_it() {
    let row = billed();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    refuse_commits(&mut store, 2, || RepositoryError::Conflict);
    row.commits(&mut store, 1);
    refuse_commits(&mut store, 2, || RepositoryError::Conflict);
    row.commits(&mut store, 1);
    let mut gateway = a_gateway();
    gateway.expect_charge().times(1).returning(|_| Ok(charged()));
    let payment = engine_with(store, gateway).pay_invoice(&customer(OWNER), id(1), &pay_all()).await.unwrap();
    assert!(matches!(payment.stored.state, PaymentState::Succeeded { .. }));
}

#[tokio::test]
async fn a_payment_that_could_not_be_stored_as_pending_is_not_charged() {
    let mut store = MockRepository::new();
    billed().loads(&mut store);
    refuse_commits(&mut store, 1, unavailable);
    let response = engine(store).pay_invoice(&customer(OWNER), id(1), &pay_all()).await;
    assert_eq!(code(response), "unavailable");
}

/// Rule 6.7: a claim covers the beginning of a payment, not its settlement.
#[tokio::test]
async fn a_claim_is_marked_with_the_beginning_of_a_payment() {
    let row = billed();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    for expected_claim in [Some(CLAIM), None] {
        let written = row.clone();
        store.expect_commit().times(1).returning(move |commit| {
            assert_eq!(commit.envelope.claim, expected_claim);
            written.commit(commit)
        });
    }
    let mut gateway = a_gateway();
    gateway.expect_charge().times(1).returning(|_| Ok(charged()));
    let response = engine_with(store, gateway).pay_invoice(claimed(customer(OWNER)), id(1), &pay_all()).await;
    assert_eq!(code(response), "ok");
}

#[tokio::test]
async fn a_claim_that_was_lost_charges_nothing() {
    let mut store = MockRepository::new();
    billed().loads(&mut store);
    refuse_commits(&mut store, 1, || RepositoryError::Taken(Guarantee::Claim));
    let response = engine(store).pay_invoice(claimed(customer(OWNER)), id(1), &pay_all()).await;
    assert_eq!(code(response), "idempotency_key_in_use");
}

/// After a crash before the call to the gateway, recovery makes the charge, under the stored key.
#[tokio::test]
async fn recovery_makes_a_charge_that_the_gateway_never_got() {
    let row = pending();
    let mut store = recovering(&row);
    row.commits(&mut store, 1);
    let mut gateway = a_gateway();
    gateway.expect_find_charge().times(1).returning(|_| Ok(None));
    gateway.expect_charge().times(1).withf(|charge| charge.key == key()).returning(|_| Ok(charged()));
    assert_eq!(engine_with(store, gateway).settle_pending(chrono::Duration::zero(), 10).await.unwrap(), 1);
    assert!(matches!(state_of(&row), PaymentState::Succeeded { .. }));
}

/// Rule 5.5: two processes recover the same payment at once, or one of them and the request itself.
#[tokio::test(start_paused = true)]
async fn a_payment_that_another_settled_first_is_left_as_it_is() {
    let row = pending();
    let mut store = recovering(&row);
    let other = row.clone();
    store.expect_commit().times(1).returning(move |commit| {
        other.commit(commit)?;
        Err(RepositoryError::Conflict)
    });
    let mut gateway = a_gateway();
    gateway.expect_find_charge().times(1).returning(|_| Ok(Some(charged())));
    assert_eq!(engine_with(store, gateway).settle_pending(chrono::Duration::zero(), 10).await.unwrap(), 1);
    assert_eq!(row.snapshot().invoice.unwrap().paid, usd("100"));
}

/// After the list of pending payments was read, another process settled this payment, and the gateway has forgotten its key.
#[tokio::test]
async fn a_payment_that_is_settled_by_its_turn_is_not_charged_again() {
    let settled = PaymentState::Succeeded { at: now() };
    let row = Row::new(Scene::lease().billed_to(OWNER).paid_and_pending("100", "0").with_payment("100", settled));
    let mut gateway = a_gateway();
    gateway.expect_find_charge().returning(|_| Ok(None));
    gateway.expect_charge().never();
    engine_with(recovering(&row), gateway).settle_pending(chrono::Duration::zero(), 10).await.unwrap();
}

#[tokio::test]
async fn a_payment_that_cannot_be_settled_yet_holds_no_other_up() {
    let row = pending();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    store.expect_payments_under_way().times(1).returning(|state, before, after, limit| {
        assert_eq!((state, before, after, limit), (UnderWay::Pending, at(-60), None, 5));
        Ok(vec![id(1), id(1)])
    });
    store.expect_pending_refunds().returning(|_, _, _| Ok(Vec::new()));
    row.commits(&mut store, 1);
    let mut gateway = a_gateway();
    gateway.expect_find_charge().times(1).returning(|_| Err(timed_out()));
    gateway.expect_find_charge().times(1).returning(|_| Ok(Some(charged())));
    assert_eq!(engine_with(store, gateway).settle_pending(chrono::Duration::seconds(60), 5).await.unwrap(), 1);
}

/// Rule 5.5: payments that cannot be settled do not keep younger ones from being settled.
#[tokio::test]
async fn payments_that_cannot_be_settled_yet_hold_no_younger_one_up() {
    let row = pending();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    store.expect_pending_refunds().returning(|_, _, _| Ok(Vec::new()));
    store.expect_payments_under_way().returning(|_, _, after: Option<PaymentId>, limit| {
        let first = after.map_or(1, |last| last.get() + 1);
        Ok((first..=4).take(limit as usize).map(id).collect())
    });
    row.commits(&mut store, 1);
    let mut gateway = a_gateway();
    gateway.expect_find_charge().times(3).returning(|_| Err(timed_out()));
    gateway.expect_find_charge().times(1).returning(|_| Ok(Some(charged())));
    assert_eq!(engine_with(store, gateway).settle_pending(chrono::Duration::zero(), 2).await.unwrap(), 1);
}

/// A gateway that holds a charge back until the test releases it.
#[derive(Debug, Default)]
struct Held {
    started: Notify,
    go: Notify,
    charges: AtomicUsize,
}

/// Shares a [`Held`] with the engine.
#[derive(Debug)]
struct Shared(Arc<Held>);

#[async_trait]
impl PaymentGateway for Shared {
    fn info(&self) -> GatewayInfo {
        a_gateway().info()
    }

    async fn tokenize(&self, _: &CardDetails) -> Result<Tokenization, GatewayError> {
        Err(timed_out())
    }

    async fn charge(&self, _: &Charge) -> Result<ChargeOutcome, GatewayError> {
        self.0.started.notify_one();
        self.0.go.notified().await;
        self.0.charges.fetch_add(1, Ordering::Relaxed);
        Ok(charged())
    }

    async fn find_charge(&self, _: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        Ok(None)
    }

    async fn cancel_charge(&self, _: &Charge) -> Result<ChargeOutcome, GatewayError> {
        Err(timed_out())
    }

    async fn refund(&self, _: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        Err(timed_out())
    }

    async fn find_refund(&self, _: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        Err(timed_out())
    }
}

/// Rule 5.5: a payment is completed even if the caller hangs up while the card is being charged.
#[tokio::test]
async fn a_payment_goes_on_to_its_end_when_the_caller_hangs_up() {
    let row = billed();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    row.commits(&mut store, 1);
    let (written, settled) = (row.clone(), Arc::new(Notify::new()));
    let told = Arc::clone(&settled);
    store.expect_commit().times(1).returning(move |commit| {
        told.notify_one();
        written.commit(commit)
    });
    let held = Arc::new(Held::default());
    let engine = engine_with(store, Shared(Arc::clone(&held)));
    let draft = pay_all();
    let actor = customer(OWNER);
    tokio::select! {
        response = engine.pay_invoice(&actor, id(1), &draft) => panic!("the charge is held back: {response:?}"),
        () = held.started.notified() => {}
    }
    held.go.notify_one();
    tokio::time::timeout(std::time::Duration::from_secs(5), settled.notified()).await.expect("the payment goes on");
    assert_eq!(held.charges.load(Ordering::Relaxed), 1);
    assert!(matches!(state_of(&row), PaymentState::Succeeded { .. }));
}

/// Rule 5.5: a gateway that never responds does not block anything: the payment stays pending, and recovery ends.
#[tokio::test(start_paused = true)]
async fn a_gateway_that_hangs_leaves_the_payment_pending() {
    let row = billed();
    let mut store = recovering(&row);
    row.commits(&mut store, 1);
    let engine = engine_with(store, Shared(Arc::default()));
    let before = tokio::time::Instant::now();
    let payment = engine.pay_invoice(&customer(OWNER), id(1), &pay_all()).await.unwrap();
    assert_eq!(before.elapsed(), Policy::default().gateway_timeout.to_std().unwrap());
    assert_eq!((&payment.stored.state, &state_of(&row)), (&PaymentState::Pending, &PaymentState::Pending));
    assert_eq!(engine.settle_pending(chrono::Duration::zero(), 10).await.unwrap(), 0);
}

pub(super) fn card_draft() -> CardDraft {
    draft(json!({"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123", "holder_name": "Ada"}))
}

/// Rule 5.6: without the gateway's token, no card is stored.
#[tokio::test]
async fn a_card_that_the_gateway_did_not_take_is_not_stored() {
    let mut gateway = a_gateway();
    gateway.expect_tokenize().times(1).returning(|_| Err(timed_out()));
    let mut store = MockRepository::new();
    never_declined(&mut store);
    let error = engine_with(store, gateway).create_card(&customer(OWNER), &card_draft()).await.unwrap_err();
    assert_eq!((error.code(), &*error.to_string()), ("unavailable", "The service is unavailable at the moment."));
    let wrong = engine(MockRepository::new()).create_card(&customer(OWNER), &CardDraft::default()).await;
    assert_eq!(code(wrong), "validation_error", "wrong cards never reach the gateway");
}

/// Rule 5.6: the gateway stores a card once.
#[tokio::test(start_paused = true)]
async fn a_card_is_tokenised_once_however_often_its_wallet_moves() {
    let mut store = MockRepository::new();
    never_declined(&mut store);
    store.expect_load_wallet().times(2).returning(|key| {
        assert_eq!(key, WalletKey::Customer(id(OWNER)));
        Ok(Some(first(Wallet { customer_id: id(OWNER), card: None, newest_other: None, default_other: None })))
    });
    refuse_commits(&mut store, 1, || RepositoryError::Conflict);
    store.expect_commit().times(1).returning(|commit| {
        let Change::Wallet(change) = &commit.change else { panic!("a card was expected, not {commit:?}") };
        assert!(matches!(&change.card, CardChange::Create(card) if card.token.expose() == "tok" && card.last4 == "4242"));
        Ok(NewIds { credit_card: Some(id(3)), ..NewIds::default() })
    });
    let mut gateway = a_gateway();
    gateway.expect_tokenize().times(1).returning(|details| {
        assert_eq!(details.number.expose(), "4242424242424242");
        Ok(Tokenization::Accepted(CardToken::new("tok".into())))
    });
    let card = engine_with(store, gateway).create_card(&customer(OWNER), &card_draft()).await.unwrap();
    assert_eq!((card.id.get(), card.is_default), (3, true));
}

/// The sandbox's token of a card with this number.
pub(super) async fn sandbox_token(number: &str) -> CardToken {
    let json = json!({"number": number, "exp_month": 12, "exp_year": 2030, "holder_name": "Ada"});
    let checked = check_card(&customer(OWNER), &draft(json), &takes_numbers(), now().date_naive()).unwrap();
    let Tokenization::Accepted(token) = SandboxGateway::new().tokenize(&checked.details).await.unwrap() else {
        panic!("the sandbox takes every card")
    };
    token
}

/// Rule 5.5: the sandbox has the usual test numbers; the same key again is the same charge.
#[tokio::test]
async fn the_sandbox_knows_the_usual_numbers() {
    let sandbox = SandboxGateway::new();
    let cases = [
        ("4242424242424242", None),
        ("5555555555554444", None),
        ("4000000000000002", Some("card_declined")),
        ("4000000000009995", Some("insufficient_funds")),
        ("4000000000000069", Some("expired_card")),
    ];
    for (number, failure) in cases {
        let token = sandbox_token(number).await;
        assert!(!token.expose().contains(number), "a token is no number");
        let charge = Charge { key: ChargeKey::new(number.into()), ..super::charge("1", token) };
        assert_eq!(sandbox.find_charge(&charge).await.unwrap(), None);
        let outcome = sandbox.charge(&charge).await.unwrap();
        let code = match &outcome {
            ChargeOutcome::Declined { failure_code, .. } => Some(failure_code.as_str()),
            _ => None,
        };
        assert_eq!(code, failure, "{number}");
        let again = Charge { card: CardToken::new("sandbox_another".into()), ..charge.clone() };
        assert_eq!(sandbox.charge(&again).await.unwrap(), outcome, "the key decides");
        assert_eq!(sandbox.find_charge(&charge).await.unwrap(), Some(outcome));
        let of_another = Charge { card: CardToken::new("cus_1/pm_1".into()), reference: Some("pi_1".into()), ..charge };
        sandbox.charge(&of_another).await.unwrap_err();
        sandbox.find_charge(&of_another).await.unwrap_err();
        sandbox.cancel_charge(&of_another).await.unwrap_err();
    }
}

/// Rule 5.4: whoever was declined too often waits, and nothing is charged meanwhile.
#[tokio::test]
async fn after_too_many_declines_within_an_hour_nothing_is_charged() {
    for (most, declines, expected) in [(2, 2, "throttled"), (2, 1, "ok"), (0, 2, "ok")] {
        let row = billed();
        let mut store = MockRepository::new();
        store.expect_declines().returning(move |_, since, limit| {
            assert_eq!((since, limit), (now() - chrono::Duration::hours(1), most));
            let begun = [chrono::Duration::minutes(1), chrono::Duration::minutes(59)].map(|ago| now() - ago);
            Ok(begun[..declines].to_vec())
        });
        row.loads(&mut store);
        row.commits(&mut store, if expected == "ok" { 2 } else { 0 });
        let mut gateway = a_gateway();
        gateway.expect_charge().times(usize::from(expected == "ok")).returning(|_| Ok(charged()));
        let policy = Policy::default().with_declines_per_hour(most);
        let engine = with_policy(store, gateway, policy);
        let paid = engine.pay_invoice(&customer(OWNER), id(1), &pay_all()).await;
        if let Err(Error::Throttled { retry_after }) = &paid {
            assert_eq!(*retry_after, chrono::Duration::minutes(1), "until the older one no longer counts");
        }
        assert_eq!(code(paid), expected);
    }
}
