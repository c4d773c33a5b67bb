//! Refunds, payments that wait for their payers, and cards that were refused.
//!
//! Rules 5.4, 5.5, 5.7.

use std::sync::Arc;

use strum::VariantArray as _;

use super::build::*;
use super::commits::Commits as _;
use super::filters::{Conditions, assert_finds};
use super::world::{Deal, World};
use crate::gateway::{ChargeKey, RefundKey};
use crate::id::{InvoiceId, PaymentId, RefundId, Stored};
use crate::lifecycle::{RefundChange, TradeChanges};
use crate::model::*;
use crate::repository::*;
use crate::wallet::RefusedCard;

/// A payment of 10.00 that succeeded.
struct Paid {
    deal: Deal,
    invoice: InvoiceId,
    payment: PaymentId,
}

impl Paid {
    async fn in_world(world: &World) -> Self {
        let deal = world.deal().await;
        let invoice = world.bill(deal.trade, deal.proposal, deal.owner).await;
        let payment = world.pay(deal.trade).await;
        world.commit(deal.trade, &moving(payment, succeeded())).await;
        Self { deal, invoice, payment }
    }

    /// A refund of 4.00, under way.
    fn refund(&self, key: &str) -> Refund {
        refund(self.payment, self.invoice, self.deal.owner, key)
    }

    async fn begin(&self, world: &World, refund: Refund) -> RefundId {
        world.commit(self.deal.trade, &refunding(refund)).await.refund.unwrap()
    }

    async fn end(&self, world: &World, id: RefundId, state: RefundState) {
        world.commit(self.deal.trade, &ending(id, state)).await;
    }
}

/// Changes that move a payment to this state.
fn moving(payment: PaymentId, state: PaymentState) -> TradeChanges {
    TradeChanges { payment: Some(moved(payment, state)), ..TradeChanges::default() }
}

/// Changes that begin this refund.
fn refunding(refund: Refund) -> TradeChanges {
    TradeChanges { new_refund: Some(refund), ..TradeChanges::default() }
}

/// Changes that end a refund in this state.
fn ending(id: RefundId, state: RefundState) -> TradeChanges {
    let refund = RefundChange { id, state, gateway_reference: Some(format!("re_{id}")) };
    TradeChanges { refund: Some(refund), ..TradeChanges::default() }
}

fn given_back() -> RefundState {
    RefundState::Succeeded { at: at(9) }
}

fn refused() -> RefundState {
    RefundState::Failed { at: at(9), failure_code: "expired_or_canceled_card".into() }
}

/// What the payer must do may have neither an address nor a secret.
fn waiting() -> PaymentState {
    PaymentState::RequiresAction(NextAction { kind: "redirect".into(), url: None, client_secret: None })
}

pub async fn every_field_of_a_refund_is_kept(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let paid = Paid::in_world(&world).await;
    let mut value = Refund {
        amount: usd("0.01"),
        reason: RefundReason::TradeCancelled,
        note: "Ада\n".into(),
        created_at: at(7) + tick(),
        ..paid.refund("key")
    };
    let id = paid.begin(&world, value.clone()).await;
    for state in [RefundState::Pending, refused(), given_back()] {
        paid.end(&world, id, state.clone()).await;
        value.state = state;
        value.gateway_reference = Some(format!("re_{id}"));
        let stored = Some(Stored { id, value: value.clone() });
        assert_eq!(world.store.find_refund(id).await.unwrap(), stored);
        let loaded = world.load(TradeKey::Refund(id)).await;
        let payment = world.load(TradeKey::Payment(paid.payment)).await;
        assert_eq!((loaded.value.refund, loaded.value.payment), (stored, payment.value.payment));
    }
    for reason in RefundReason::VARIANTS.iter().copied() {
        let id = paid.begin(&world, Refund { reason, ..paid.refund(&reason.to_string()) }).await;
        assert_eq!(world.store.find_refund(id).await.unwrap().unwrap().reason, reason);
    }
    assert_eq!(world.store.find_refund(nobody()).await.unwrap(), None);
    let load = TradeLoad { key: TradeKey::Refund(nobody()), viewer: None, with_pending: false, card: None, now: base() };
    assert_eq!(world.store.load_trade(&load).await.unwrap(), None);
}

pub async fn a_charge_and_a_refund_are_found_by_their_keys(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let paid = Paid::in_world(&world).await;
    let refund = paid.begin(&world, paid.refund("key")).await;
    let charge = world.store.find_payment(paid.payment).await.unwrap().unwrap().charge_key.clone();
    assert_eq!(world.store.find_charge_key(&charge).await.unwrap(), Some(paid.payment));
    assert_eq!(world.store.find_refund_key(&RefundKey::new("key".into())).await.unwrap(), Some(refund));
    // Keys are compared exactly, including case, and charges and refunds have keys of their own.
    for key in ["Key", charge.as_str()] {
        assert_eq!(world.store.find_refund_key(&RefundKey::new(key.into())).await.unwrap(), None);
    }
    assert_eq!(world.store.find_charge_key(&ChargeKey::new("key".into())).await.unwrap(), None);
}

pub async fn a_refund_key_belongs_to_one_refund(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (one, two) = (Paid::in_world(&world).await, Paid::in_world(&world).await);
    one.begin(&world, one.refund("key")).await;
    for paid in [&one, &two] {
        let changes = TradeChanges { new_refund: Some(paid.refund("key")), ..retitled("half") };
        let version = world.load(TradeKey::Trade(paid.deal.trade)).await.version;
        let commit = world.store.commit_trade(paid.deal.trade, version, &changes, None);
        world.assert_taken(Guarantee::RefundKey, commit).await;
    }
    one.begin(&world, one.refund("Key")).await;
}

/// A change of a trade reaches no payment and no refund of another.
pub async fn what_belongs_to_another_trade_is_a_conflict(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (one, two) = (Paid::in_world(&world).await, Paid::in_world(&world).await);
    let begun = one.begin(&world, one.refund("key")).await;
    let theirs = [moving(one.payment, declined()), refunding(one.refund("other")), ending(begun, given_back())];
    for changes in theirs {
        let version = world.load(TradeKey::Trade(two.deal.trade)).await.version;
        world.assert_conflict(world.store.commit_trade(two.deal.trade, version, &changes, None)).await;
    }
    let missing = [
        moving(nobody(), declined()),
        refunding(Refund { payment_id: nobody(), ..one.refund("other") }),
        ending(nobody(), given_back()),
    ];
    for changes in missing {
        let version = world.load(TradeKey::Trade(one.deal.trade)).await.version;
        world.assert_conflict(world.store.commit_trade(one.deal.trade, version, &changes, None)).await;
    }
}

pub async fn pending_refunds_come_oldest_first_and_no_more_than_asked(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let paid = Paid::in_world(&world).await;
    let mut ids = Vec::new();
    for seconds in [30, 10, 20, 40] {
        let refund = paid.refund(&format!("key-{seconds}"));
        ids.push(paid.begin(&world, Refund { amount: usd("1.00"), created_at: at(seconds), ..refund }).await);
    }
    let pending = async |before, after, limit| world.store.pending_refunds(before, after, limit).await.unwrap();
    assert_eq!(pending(at(100), None, 10).await, [ids[1], ids[2], ids[0], ids[3]]);
    assert_eq!(pending(at(100), None, 2).await, [ids[1], ids[2]]);
    assert_eq!(pending(at(30), None, 10).await, [ids[1], ids[2]], "begun before, not at, that instant");
    assert_eq!(pending(at(100), Some(ids[1]), 2).await, [ids[2], ids[0]]);
    paid.end(&world, ids[1], given_back()).await;
    paid.end(&world, ids[0], refused()).await;
    assert_eq!(pending(at(100), None, 10).await, [ids[2], ids[3]]);
    assert_eq!(pending(at(100), Some(ids[0]), 10).await, [ids[3]], "after one that is already settled");
}

pub async fn waiting_payments_come_oldest_first_until_they_are_settled(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let invoice = world.bill(deal.trade, deal.proposal, deal.owner).await;
    let card = world.card(deal.owner).await;
    let mut ids = Vec::new();
    for seconds in [30, 10, 20] {
        let begun = Payment { created_at: at(seconds), ..payment(invoice, card, deal.owner, &format!("key-{seconds}")) };
        ids.push(world.commit(deal.trade, &paying(begun)).await.payment.unwrap());
    }
    let under_way = async |state, after, limit| world.store.payments_under_way(state, at(100), after, limit).await.unwrap();
    world.commit(deal.trade, &moving(ids[0], waiting())).await;
    world.commit(deal.trade, &moving(ids[1], waiting())).await;
    assert_eq!(under_way(UnderWay::RequiresAction, None, 10).await, [ids[1], ids[0]]);
    assert_eq!(under_way(UnderWay::RequiresAction, None, 1).await, [ids[1]]);
    assert_eq!(under_way(UnderWay::RequiresAction, Some(ids[1]), 10).await, [ids[0]]);
    assert_eq!(under_way(UnderWay::Pending, None, 10).await, [ids[2]]);
    world.commit(deal.trade, &moving(ids[0], succeeded())).await;
    world.commit(deal.trade, &moving(ids[1], PaymentState::Cancelled { at: at(9) })).await;
    assert_eq!(under_way(UnderWay::RequiresAction, None, 10).await, []);
    // A cancelled payment is no decline.
    assert_eq!(world.store.declines(deal.owner, at(0), 10).await.unwrap().len(), 0);
}

pub async fn refunds_are_filtered(store: Arc<dyn Repository>) {
    type Filter = RefundFilter;
    let world = World::new(store);
    let (one, two) = (Paid::in_world(&world).await, Paid::in_world(&world).await);
    for (index, state) in [RefundState::Pending, given_back(), refused()].into_iter().enumerate() {
        for (name, paid) in [("one", &one), ("two", &two)] {
            let begun = Refund { amount: usd("1.00"), ..paid.refund(&format!("{name}-{index}")) };
            let id = paid.begin(&world, begun).await;
            paid.end(&world, id, state.clone()).await;
        }
    }
    let all = world.list_refunds(&Filter::default()).await;
    let mut conditions = Conditions::<Filter, Stored<Refund>>::new();
    let Paid { deal, invoice, payment } = one;
    conditions.push(Filter { visible_to: Some(deal.owner), ..Filter::default() }, move |row| row.customer_id == deal.owner);
    conditions.push(Filter { customer_id: Some(deal.owner), ..Filter::default() }, move |row| row.customer_id == deal.owner);
    conditions.push(Filter { invoice_id: Some(invoice), ..Filter::default() }, move |row| row.invoice_id == invoice);
    conditions.push(Filter { payment_id: Some(payment), ..Filter::default() }, move |row| row.payment_id == payment);
    for status in RefundStatus::VARIANTS.iter().copied() {
        let filter = Filter { status: Some(status), ..Filter::default() };
        conditions.push(filter, move |row| RefundStatus::from(&row.state) == status);
    }
    let both = Filter { status: Some(RefundStatus::Failed), payment_id: Some(payment), ..Filter::default() };
    conditions.push(both, move |row| row.payment_id == payment && row.state == refused());
    for (filter, keep) in conditions.0 {
        assert_finds(&all, &filter, &world.list_refunds(&filter).await, keep);
    }
}

/// Refused cards count as declines, beside the payments that failed, and are forgotten some at a time (rule 5.4).
pub async fn refused_cards_are_declines_until_they_are_purged(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let paid = Paid::in_world(&world).await;
    let owner = paid.deal.owner;
    let card = world.card(owner).await;
    let begun = Payment { created_at: at(20), ..payment(paid.invoice, card, owner, "key") };
    let failed = world.commit(paid.deal.trade, &paying(begun)).await.payment.unwrap();
    world.commit(paid.deal.trade, &moving(failed, declined())).await;
    let other = world.customer().await;
    for (customer_id, seconds) in [(owner, 30), (owner, 10), (owner, 10), (other, 15)] {
        world.store.write(RefusedCard { customer_id, at: at(seconds) }.into(), None).await.unwrap();
    }
    let declines = async |customer, since, limit| world.store.declines(customer, since, limit).await.unwrap();
    assert_eq!(declines(owner, at(0), 10).await, [at(30), at(20), at(10), at(10)]);
    assert_eq!(declines(owner, at(0), 3).await, [at(30), at(20), at(10)]);
    assert_eq!(declines(owner, at(10), 10).await, [at(30), at(20)], "refused after, not at, that instant");
    assert_eq!(declines(other, at(0), 10).await, [at(15)]);

    let purge = async |before, limit| world.store.purge_refused_cards(before, limit).await.unwrap();
    assert_eq!(purge(at(10), 10).await, 0, "one from that instant is not from before");
    assert_eq!(purge(at(16), 2).await, 2);
    assert_eq!(purge(at(16), 2).await, 1);
    assert_eq!(purge(at(16), 2).await, 0);
    assert_eq!(declines(owner, at(0), 10).await, [at(30), at(20)], "payments stay");
    assert_eq!(declines(other, at(0), 10).await.len(), 0);
    let nobodys = RefusedCard { customer_id: nobody(), at: at(1) };
    world.assert_conflict(world.store.write(nobodys.into(), None)).await;
}
