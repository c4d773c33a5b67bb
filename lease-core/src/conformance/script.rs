//! Scripts: changes to one trade, each compared with the result of `TradeSnapshot::apply`.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::build::*;
use super::world::{World, agreement};
use crate::gateway::ClientSecret;
use crate::id::NewIds;
use crate::id::{CreditCardId, CustomerId, Stored, TradeId, VehicleId};
use crate::lifecycle::{InvoiceChange, NewInvoice, PaymentChange, RefundChange, TradeChanges, TradeMove};
use crate::model::VehicleTransfer;
use crate::model::*;
use crate::repository::*;

type Instant = DateTime<Utc>;

/// A trade, and the customers who act in it; the first of them is its owner.
pub(super) struct Script {
    pub(super) world: World,
    pub(super) trade: TradeId,
    pub(super) vehicle: VehicleId,
    pub(super) people: Vec<CustomerId>,
    pub(super) card: CreditCardId,
}

impl Script {
    pub(super) async fn new(store: Arc<dyn Repository>) -> Self {
        Self::in_world(World::new(store)).await
    }

    pub(super) async fn in_world(world: World) -> Self {
        let mut people = Vec::new();
        for _ in 0..3 {
            people.push(world.customer().await);
        }
        let [owner, ..] = people[..] else { unreachable!() };
        let vehicle = world.vehicle(owner).await;
        let trade = world.open(vehicle, world.service(ServiceKind::Custom).await).await;
        let card = world.card(owner).await;
        Self { world, trade, vehicle, people, card }
    }

    /// Commits the changes, and compares every load of the trade with the result of applying them to the load before.
    pub(super) async fn play(&self, changes: &TradeChanges) -> NewIds {
        let mut before = Vec::new();
        for load in self.loads(changes).await {
            before.push((load, self.world.store.load_trade(&load).await.unwrap().unwrap()));
        }
        let ids = self.world.commit(self.trade, changes).await;
        for (load, loaded) in before {
            let mut applied = loaded.value;
            applied.apply(changes, ids);
            for key in keys_after(load.key, changes, ids) {
                let read = self.world.store.load_trade(&TradeLoad { key, ..load }).await.unwrap().unwrap();
                let mut expected = applied.clone();
                // A load returns one proposal or payment, while apply sets both if both are new.
                expected.proposal.take_if(|_| !matches!(key, TradeKey::Proposal(_)));
                expected.payment.take_if(|_| !matches!(key, TradeKey::Payment(_) | TradeKey::Refund(_)));
                expected.refund.take_if(|_| !matches!(key, TradeKey::Refund(_)));
                assert_eq!(read.value, expected, "{key:?} after {changes:#?}");
                assert_eq!(read.version, loaded.version.next(), "the version after {changes:#?}");
            }
        }
        ids
    }

    /// Every key of the trade, for every customer where that matters. Apply assumes that the viewer is the author of a new
    /// proposal.
    async fn loads(&self, changes: &TradeChanges) -> Vec<TradeLoad> {
        let mut keys = vec![TradeKey::Trade(self.trade)];
        keys.extend(self.proposals().await.iter().map(|row| TradeKey::Proposal(row.id)));
        if let Some(invoice) = self.world.load(TradeKey::Trade(self.trade)).await.value.invoice {
            keys.push(TradeKey::Invoice(invoice.id));
            keys.extend(self.payments(&invoice).await.iter().map(|row| TradeKey::Payment(row.id)));
            keys.extend(self.refunds(&invoice).await.iter().map(|row| TradeKey::Refund(row.id)));
        }
        let author = changes.new_proposal.as_ref().map(|proposal| proposal.customer_id);
        let people: Vec<_> = author.map_or_else(|| self.people.clone(), |author| vec![author]);
        let card = Some(self.card);
        let mut loads: Vec<_> = people
            .iter()
            .map(|viewer| TradeLoad {
                key: TradeKey::Trade(self.trade),
                viewer: Some(*viewer),
                with_pending: true,
                card,
                now: base(),
            })
            .collect();
        let viewers = people.iter().cycle();
        loads.extend(keys.into_iter().zip(viewers).map(|(key, viewer)| TradeLoad {
            key,
            viewer: Some(*viewer),
            with_pending: true,
            card,
            now: base(),
        }));
        loads
    }

    pub(super) fn owner(&self) -> CustomerId {
        self.people[0]
    }

    pub(super) async fn invoice(&self) -> Stored<Invoice> {
        self.world.load(TradeKey::Trade(self.trade)).await.value.invoice.unwrap()
    }

    async fn proposals(&self) -> Vec<Stored<Proposal>> {
        let filter = ProposalFilter { trade_id: Some(self.trade), ..ProposalFilter::default() };
        self.world.list_proposals(&filter, base()).await
    }

    async fn payments(&self, invoice: &Stored<Invoice>) -> Vec<Stored<Payment>> {
        let filter = PaymentFilter { invoice_id: Some(invoice.id), ..PaymentFilter::default() };
        self.world.list_payments(&filter).await
    }

    async fn refunds(&self, invoice: &Stored<Invoice>) -> Vec<Stored<Refund>> {
        let filter = RefundFilter { invoice_id: Some(invoice.id), ..RefundFilter::default() };
        self.world.list_refunds(&filter).await
    }

    pub(super) fn payment(&self, invoice: &Stored<Invoice>) -> Payment {
        payment(invoice.id, self.card, self.owner(), &format!("charge-{}", self.world.number()))
    }
}

/// The keys by which to repeat a load by `key`, after the commit of the changes assigned these ids.
fn keys_after(key: TradeKey, changes: &TradeChanges, ids: NewIds) -> Vec<TradeKey> {
    let proposal = ids.proposal.map(TradeKey::Proposal);
    let payment = ids.payment.map(TradeKey::Payment);
    match key {
        TradeKey::Payment(id) => {
            let refunded = changes.new_refund.as_ref().filter(|new| new.payment_id == id && payment.is_none());
            let refund = refunded.and(ids.refund).map(TradeKey::Refund);
            std::iter::once(payment.unwrap_or(key)).chain(refund).collect()
        }
        TradeKey::Refund(_) => Vec::from_iter((payment.is_none() && ids.refund.is_none()).then_some(key)),
        _ => proposal.into_iter().chain(payment).chain((ids == NewIds::default()).then_some(key)).collect(),
    }
}

impl Script {
    /// Changes that break no guarantee, and keep invoices and the proposals of a trade consistent.
    pub(super) async fn draw(&self, draw: &mut Draw, step: i64) -> TradeChanges {
        let now = at(step * 10);
        let proposals = self.proposals().await;
        let state = self.world.load(TradeKey::Trade(self.trade)).await.value.trade.value.state;
        let mut changes = TradeChanges::default();
        if draw.chance(30) {
            changes.text = retitled(&format!("step {step}")).text;
        }
        match state.clone() {
            TradeState::Open if draw.chance(10) => self.draw_end(draw, &proposals, &mut changes, now),
            TradeState::Open => self.draw_proposals(draw, &proposals, &mut changes, now),
            TradeState::Agreed(agreement) if draw.chance(20) => changes.state = Some(TradeMove::Complete(agreement, now)),
            TradeState::Agreed(agreement) if draw.chance(20) => rescind(agreement, &mut changes, now),
            TradeState::Agreed(agreement) => changes.state = shorten(draw, agreement).map(TradeMove::Agree),
            TradeState::Completed { agreement, completed_at } => {
                changes.state = shorten(draw, agreement).map(|agreement| TradeMove::Complete(agreement, completed_at));
            }
            TradeState::Cancelled { .. } => {}
        }
        self.draw_money(draw, &proposals, &mut changes, now).await;
        self.keep_apart(&state, &mut changes, now).await;
        let is_over = matches!(comes_to(&state, &changes), TradeStatus::Completed | TradeStatus::Cancelled);
        if is_over && draw.chance(30) {
            let from = self.world.load_vehicle(self.vehicle).await.vehicle.customer_id;
            changes.transfer = draw.one_of(&self.people).map(|to| VehicleTransfer { vehicle_id: self.vehicle, from, to: *to });
        }
        changes
    }

    /// Makes the state and the invoice fit each other: a completed trade owes nothing, and an agreed one has an unsettled
    /// invoice.
    async fn keep_apart(&self, state: &TradeState, changes: &mut TradeChanges, now: Instant) {
        let invoice = self.world.load(TradeKey::Trade(self.trade)).await.value.invoice;
        let goes = changes.invoice.as_ref().map(|change| change.state == InvoiceState::Open);
        let comes = changes.new_invoice.as_ref().map(|_| true);
        let is_owed = goes.or(comes).or(invoice.map(|invoice| invoice.is_open()));
        // The state that its invoice must not have.
        let wrong = match comes_to(state, changes) {
            TradeStatus::Completed => Some(true),
            TradeStatus::Agreed => Some(false),
            TradeStatus::Open | TradeStatus::Cancelled => None,
        };
        if is_owed.is_none() || is_owed != wrong {
            return;
        }
        match changes.state {
            Some(TradeMove::Complete(agreement, _)) if !matches!(state, TradeState::Completed { .. }) => {
                changes.state = Some(TradeMove::Agree(agreement));
            }
            Some(TradeMove::Agree(agreement)) => changes.state = Some(TradeMove::Complete(agreement, now)),
            _ => (changes.invoice, changes.new_invoice) = (None, None),
        }
    }

    /// Draws the trade's new state, and the states of the proposals that were pending.
    fn draw_end(&self, draw: &mut Draw, proposals: &[Stored<Proposal>], changes: &mut TradeChanges, now: Instant) {
        changes.close_others = Some(now);
        changes.state = Some(cancelled(now));
        if let Some(accepted) = draw.one_of(proposals).filter(|_| draw.chance(70)) {
            let agreement = Agreement { days: accepted.period, ..agreement(accepted.id, self.people[1]) };
            changes.decided = Some((accepted.id, ProposalState::Accepted { at: now }));
            changes.state = draw.one_of(&[TradeMove::Agree(agreement), TradeMove::Complete(agreement, now)]).cloned();
        }
    }

    fn draw_proposals(&self, draw: &mut Draw, proposals: &[Stored<Proposal>], changes: &mut TradeChanges, now: Instant) {
        let endings = [
            ProposalState::Rejected { at: now },
            ProposalState::Withdrawn { at: now },
            ProposalState::Superseded { at: now },
            ProposalState::Closed { at: now },
        ];
        if draw.chance(40) {
            changes.decided = draw.one_of(proposals).map(|row| row.id).zip(draw.one_of(&endings).copied());
        }
        if draw.chance(30) {
            changes.close_others = Some(now);
        }
        self.draw_proposal(draw, proposals, changes, now);
    }

    /// A proposal by a customer who has no pending one after the changes so far.
    fn draw_proposal(&self, draw: &mut Draw, proposals: &[Stored<Proposal>], changes: &mut TradeChanges, now: Instant) {
        let still_pending = |row: &&Stored<Proposal>| {
            row.state == ProposalState::Pending
                && changes.close_others.is_none()
                && changes.decided.is_none_or(|(id, _)| id != row.id)
        };
        let pending: Vec<_> = proposals.iter().filter(still_pending).map(|row| row.customer_id).collect();
        let free: Vec<_> = self.people.iter().filter(|one| !pending.contains(one)).collect();
        let lives = [None, Some(1), Some(10), Some(25), Some(86_400)];
        let expires_at = draw.one_of(&lives).copied().flatten().map(|seconds| now + Duration::seconds(seconds));
        let days = draw.one_of(&[None, Some(period(1, 9))]).copied().flatten();
        changes.new_proposal = draw.one_of(&free).filter(|_| draw.chance(50)).map(|author| Proposal {
            period: days,
            expires_at,
            created_at: now,
            ..proposal(self.trade, **author)
        });
    }

    async fn draw_money(&self, draw: &mut Draw, proposals: &[Stored<Proposal>], changes: &mut TradeChanges, now: Instant) {
        let Some(invoice) = self.world.load(TradeKey::Trade(self.trade)).await.value.invoice else {
            let of = draw.one_of(proposals).map(|row| row.id).filter(|_| changes.new_proposal.is_none());
            if draw.chance(50) && (of.is_some() || changes.new_proposal.is_some()) {
                changes.new_invoice = Some(NewInvoice { proposal_id: of, issued_at: now, ..new_invoice(self.owner()) });
            }
            return;
        };
        if draw.chance(30) {
            changes.new_payment = Some(self.payment(&invoice));
        }
        let payments = self.payments(&invoice).await;
        if let Some(payment) = draw.one_of(&payments).filter(|_| draw.chance(50)) {
            let action = NextAction {
                kind: "redirect".into(),
                url: Some("https://bank.example".into()),
                client_secret: Some(ClientSecret::new("secret".into())),
            };
            let outcomes = [
                PaymentState::Pending,
                PaymentState::RequiresAction(action),
                PaymentState::Succeeded { at: now },
                PaymentState::Failed { at: now, failure_code: "card_declined".into() },
                PaymentState::Cancelled { at: now },
            ];
            changes.payment = draw.one_of(&outcomes).map(|outcome| moved(payment.id, outcome.clone()));
        }
        self.draw_refund(draw, &invoice, changes, now).await;
        let states = [
            ("0.00", "0.00", InvoiceState::Open),
            ("10.00", "90.00", InvoiceState::Open),
            ("100.00", "0.00", InvoiceState::Paid { at: now }),
            ("0.00", "0.00", InvoiceState::Void { at: now, reason: "None".into() }),
            ("10.00", "0.00", InvoiceState::WrittenOff { at: now, reason: "None".into() }),
        ];
        if let Some((paid, pending, state)) = draw.one_of(&states).filter(|_| draw.chance(50)) {
            let (paid, pending, state) = (usd(paid), usd(pending), state.clone());
            let due_date = draw.one_of(&[day(7), day(14)]).copied().unwrap_or(invoice.due_date);
            let overdue_at = draw.one_of(&[None, invoice.overdue_at, Some(now)]).copied().flatten();
            changes.invoice =
                Some(InvoiceChange { id: invoice.id, paid, pending, refunded: usd("0"), state, due_date, overdue_at });
        }
    }
}

impl Script {
    /// A refund of a payment that succeeded is begun, or one ends.
    async fn draw_refund(&self, draw: &mut Draw, invoice: &Stored<Invoice>, changes: &mut TradeChanges, now: Instant) {
        let mut payments = self.payments(invoice).await;
        payments.retain(|payment| matches!(payment.state, PaymentState::Succeeded { .. }));
        if let Some(payment) = draw.one_of(&payments).filter(|_| draw.chance(50)) {
            let key = format!("refund-{}", self.world.number());
            changes.new_refund = Some(refund(payment.id, invoice.id, payment.customer_id, &key));
            let sums = [("0.00", "4.00"), ("4.00", "0.00"), ("4.00", "6.00")];
            if let Some((refunded, refunding)) = draw.one_of(&sums) {
                let (refunded, refunding) = (usd(refunded), usd(refunding));
                changes.payment = Some(PaymentChange { refunded, refunding, ..PaymentChange::of(payment) });
            }
        }
        let outcomes = [
            RefundState::Pending,
            RefundState::Succeeded { at: now },
            RefundState::Failed { at: now, failure_code: "expired_or_canceled_card".into() },
        ];
        if let (Some(refund), Some(state)) = (draw.one_of(&self.refunds(invoice).await), draw.one_of(&outcomes)) {
            let gateway_reference = (*state != RefundState::Pending).then(|| format!("re_{}", refund.id));
            changes.refund = Some(RefundChange { id: refund.id, state: state.clone(), gateway_reference });
        }
    }
}

/// The changes that cancel an agreed trade.
fn rescind(agreement: Agreement, changes: &mut TradeChanges, now: Instant) {
    changes.decided = Some((agreement.proposal_id, ProposalState::Rescinded { at: now }));
    changes.close_others = Some(now);
    let reason = "A mistake".into();
    changes.state = Some(TradeMove::Cancel { at: now, reason, agreement: Some(Agreement { days: None, ..agreement }) });
}

/// The agreement with fewer days, sometimes, if it has any.
fn shorten(draw: &mut Draw, agreement: Agreement) -> Option<Agreement> {
    let days = agreement.days?.ended(*draw.one_of(&[day(1), day(4), day(8)])?)?;
    Some(Agreement { days: Some(days), ..agreement }).filter(|_| draw.chance(30))
}

/// The status that the trade has after the changes.
fn comes_to(state: &TradeState, changes: &TradeChanges) -> TradeStatus {
    match changes.state {
        None => TradeStatus::from(state),
        Some(TradeMove::Agree(_)) => TradeStatus::Agreed,
        Some(TradeMove::Complete(..)) => TradeStatus::Completed,
        Some(TradeMove::Cancel { .. }) => TradeStatus::Cancelled,
    }
}

/// Pseudo-random numbers that are the same in every run (`SplitMix64`).
pub(super) struct Draw(pub(super) u64);

impl Draw {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.number() % 100 < percent
    }

    pub(super) fn one_of<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.number() >> 1).ok()?.checked_rem(choices.len())?;
        choices.get(index)
    }
}
