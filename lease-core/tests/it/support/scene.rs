use chrono::{DateTime, Utc};
use lease_core::Error;
use lease_core::decision::Decision;
use lease_core::id::Stored;
use lease_core::input::NamedIn;
use lease_core::invoicing::{PaymentDraft, ServiceFee, begin_payment};
use lease_core::lifecycle::{ProposalDraft, ProposalView, TradeChanges, TradeSnapshot, ViewerHistory, propose};
use lease_core::model::{
    Agreement, Annotations, BillTo, CreditCard, Invoice, InvoiceOn, InvoiceState, OfferedVehicle, Payment, PaymentState, Period,
    ProposalState, Refund, RefundState, ServiceKind, Trade, TradeState,
};
use lease_core::money::Money;
use lease_core::permission::Actor;
use lease_core::policy::Policy;
use serde_json::{Value, json};

use super::build::{BUYER, OWNER, at, card, id, invoice, key, now, payment, proposal, refund, service, stored, usd, vehicle};

/// A trade of [`OWNER`] in any state, as a decision reads it.
#[derive(Clone, Debug)]
pub(crate) struct Scene(pub(crate) TradeSnapshot);

impl Scene {
    /// An open trade without proposals, under a service of this kind with a fee of 100.00.
    pub(crate) fn under(kind: ServiceKind) -> Self {
        let trade = Trade {
            vehicle_id: id(1),
            service_id: id(1),
            customer_id: id(OWNER),
            title: "A trade".into(),
            description: "Words".into(),
            state: TradeState::Open,
            offered: OfferedVehicle::from(&vehicle(OWNER)),
            asking: None,
            invoice_id: None,
            created_at: at(-3_600),
            annotations: Annotations::default(),
        };
        Self(TradeSnapshot {
            trade: stored(1, trade),
            owner_is_active: true,
            service: stored(1, service(kind)),
            invoice: None,
            has_proposals: false,
            proposal: None,
            payment: None,
            refund: None,
            card: None,
            viewer: ViewerHistory::default(),
        })
    }

    pub(crate) fn lease() -> Self {
        Self::under(ServiceKind::Lease)
    }

    pub(crate) fn sale() -> Self {
        Self::under(ServiceKind::Sell)
    }

    /// Under a custom service with this moment of invoicing and this billed party.
    pub(crate) fn custom(invoice_on: InvoiceOn, bill_to: BillTo) -> Self {
        let mut scene = Self::under(ServiceKind::Custom);
        scene.0.service.value.invoice_on = invoice_on;
        scene.0.service.value.bill_to = bill_to;
        scene
    }

    pub(crate) fn fee(mut self, fee: Money) -> Self {
        self.0.service.value.fee = fee;
        self
    }

    /// Proposal 1, by this author, is the subject of the command.
    pub(crate) fn proposed_by(mut self, author: i64) -> Self {
        let proposal = stored(1, proposal(author));
        self.0.has_proposals = true;
        self.0.proposal = Some(ProposalView { proposal, author_is_active: true, agreed_period_in_the_way: None });
        self
    }

    /// The proposal of the command has these dates.
    pub(crate) fn dated(mut self, period: Period) -> Self {
        self.view().proposal.value.period = Some(period);
        self
    }

    pub(crate) fn expiring(mut self, instant: DateTime<Utc>) -> Self {
        self.view().proposal.value.expires_at = Some(instant);
        self
    }

    pub(crate) fn decided(mut self, state: ProposalState) -> Self {
        self.view().proposal.value.state = state;
        self
    }

    pub(crate) fn author_is_inactive(mut self) -> Self {
        self.view().author_is_active = false;
        self
    }

    pub(crate) fn owner_is_inactive(mut self) -> Self {
        self.0.owner_is_active = false;
        self
    }

    /// These dates of the vehicle are agreed in another trade and conflict.
    pub(crate) fn in_the_way(mut self, period: Period) -> Self {
        self.view().agreed_period_in_the_way = Some(period);
        self
    }

    /// The actor has made this many proposals before.
    pub(crate) fn viewer_made(mut self, proposals: u32) -> Self {
        self.0.viewer.proposals_made = proposals;
        self
    }

    /// Proposal 9, pending, is by the actor.
    pub(crate) fn viewer_has_pending(mut self, author: i64, expires_at: Option<DateTime<Utc>>) -> Self {
        let mut earlier = proposal(author);
        earlier.expires_at = expires_at;
        self.0.has_proposals = true;
        self.0.viewer = ViewerHistory { proposals_made: 1, pending: Some(stored(9, earlier)) };
        self
    }

    pub(crate) fn in_state(mut self, state: TradeState) -> Self {
        self.0.trade.value.state = state;
        self
    }

    /// The trade is agreed with [`BUYER`] on proposal 1.
    pub(crate) fn agreed(self) -> Self {
        self.in_state(TradeState::Agreed(agreement()))
    }

    pub(crate) fn cancelled(self) -> Self {
        self.in_state(TradeState::Cancelled { cancelled_at: at(-1), reason: "Sold".into(), agreement: None })
    }

    /// Staff cancelled the trade after it was agreed.
    pub(crate) fn rescinded(mut self) -> Self {
        let agreement = Some(Agreement { days: None, ..agreement() });
        self.0.proposal = self.0.proposal.map(|mut view| {
            view.proposal.value.state = ProposalState::Rescinded { at: at(-1) };
            view
        });
        self.in_state(TradeState::Cancelled { cancelled_at: at(-1), reason: "A mistake".into(), agreement })
    }

    /// The trade has these agreed days.
    pub(crate) fn with_days(mut self, days: Period) -> Self {
        match &mut self.0.trade.value.state {
            TradeState::Agreed(agreement) | TradeState::Completed { agreement, .. } => agreement.days = Some(days),
            state => panic!("{state:?} has no days"),
        }
        self
    }

    pub(crate) fn completed(self) -> Self {
        self.in_state(TradeState::Completed { agreement: agreement(), completed_at: at(-1) })
    }

    /// Invoice 1 is issued over 100.00.
    pub(crate) fn billed_to(mut self, customer: i64) -> Self {
        self.0.trade.value.invoice_id = Some(id(1));
        self.0.has_proposals = true;
        self.0.invoice = Some(stored(1, invoice(customer)));
        self
    }

    /// This part of the invoice is paid, and this part pending.
    pub(crate) fn paid_and_pending(mut self, paid: &str, pending: &str) -> Self {
        let invoice = self.invoice_mut();
        (invoice.value.paid, invoice.value.pending) = (usd(paid), usd(pending));
        if invoice.paid == invoice.amount {
            invoice.value.state = InvoiceState::Paid { at: at(-1) };
        }
        self
    }

    pub(crate) fn voided(mut self) -> Self {
        self.invoice_mut().value.state = InvoiceState::Void { at: at(-1), reason: "mistake".into() };
        self
    }

    pub(crate) fn written_off(mut self) -> Self {
        self.invoice_mut().value.state = InvoiceState::WrittenOff { at: at(-1), reason: "hopeless".into() };
        self
    }

    /// Card 1 is the card of the command.
    pub(crate) fn with_card(mut self, card: CreditCard) -> Self {
        self.0.card = Some(stored(1, card));
        self
    }

    /// Payment 1 by [`OWNER`] is the subject of the command.
    pub(crate) fn with_payment(mut self, amount: &str, state: PaymentState) -> Self {
        // Until the gateway has said something, its reference is not known.
        let gateway_reference = (state != PaymentState::Pending).then(|| "ch_1".to_owned());
        let payment = Payment { state, gateway_reference, ..payment(OWNER, amount) };
        self.0.payment = Some((stored(1, payment), stored(1, card(OWNER))));
        self
    }

    /// Payment 1 over 100.00 by [`OWNER`] succeeded; this much of it was refunded, and this much is being refunded.
    pub(crate) fn with_refunded(mut self, refunded: &str, refunding: &str) -> Self {
        self = self.billed_to(OWNER).paid_and_pending("100", "0").with_payment("100", PaymentState::Succeeded { at: at(-1) });
        self.invoice_mut().value.refunded = usd(refunded);
        let payment = &mut self.0.payment.as_mut().expect("the scene has a payment").0.value;
        payment.gateway_reference = Some("ch_1".into());
        (payment.refunded, payment.refunding) = (usd(refunded), usd(refunding));
        self
    }

    /// Refund 1 of payment 1 is the subject of the command; it is the only one under way.
    pub(crate) fn with_refund(self, refunded: &str, amount: &str, state: RefundState) -> Self {
        let refunding = if state == RefundState::Pending { amount } else { "0" };
        let mut scene = self.with_refunded(refunded, refunding);
        scene.0.refund = Some(stored(1, Refund { state, ..refund(OWNER, amount) }));
        scene
    }

    /// The result of making this proposal now.
    pub(crate) fn propose(&self, actor: &Actor, json: Value) -> Result<Decision<TradeChanges>, Error> {
        let draft: ProposalDraft = super::draft(json);
        propose(Some(&self.0), NamedIn::Path, actor, &draft, &Policy::default(), &ServiceFee, now())
    }

    /// The result of paying with card 1 now. `amount` is JSON; null means everything.
    pub(crate) fn pay(&self, actor: &Actor, amount: &Value) -> Result<Decision<TradeChanges>, Error> {
        self.pay_under(&Policy::default(), actor, amount, now())
    }

    pub(crate) fn pay_under(
        &self,
        policy: &Policy,
        actor: &Actor,
        amount: &Value,
        now: DateTime<Utc>,
    ) -> Result<Decision<TradeChanges>, Error> {
        let mut json = json!({"credit_card_id": 1});
        if !amount.is_null() {
            json["amount"] = amount.clone();
        }
        let draft: PaymentDraft = super::draft(json);
        begin_payment(Some(&self.0), NamedIn::Path, actor, &draft, policy, key(), now)
    }

    pub(crate) fn invoice(&self) -> &Stored<Invoice> {
        self.0.invoice.as_ref().expect("the scene has an invoice")
    }

    fn invoice_mut(&mut self) -> &mut Stored<Invoice> {
        self.0.invoice.as_mut().expect("the scene has an invoice")
    }

    fn view(&mut self) -> &mut ProposalView {
        self.0.proposal.as_mut().expect("the scene has a proposal")
    }
}

/// Agreed with [`BUYER`] on proposal 1, without days, a second ago.
pub(crate) fn agreement() -> Agreement {
    Agreement { counterparty_id: id(BUYER), proposal_id: id(1), days: None, agreed_at: at(-1) }
}
