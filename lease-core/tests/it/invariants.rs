//! The invariants of spec 5, a function each, over a plain view of all that is stored: what comes back says what is broken.

use std::collections::BTreeMap;

use lease_core::id::{CustomerId, Entity, Stored, TradeId, VehicleId};
use lease_core::model::{
    BillTo, CreditCard, Invoice, InvoiceOn, InvoiceState, Payment, PaymentState, Period, Proposal, ProposalState, Service,
    ServiceKind, Trade, TradeState, Vehicle,
};
use lease_core::money::Money;

/// All rows that the invariants speak of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct View {
    pub(crate) services: Vec<Stored<Service>>,
    pub(crate) vehicles: Vec<Stored<Vehicle>>,
    pub(crate) trades: Vec<Stored<Trade>>,
    pub(crate) proposals: Vec<Stored<Proposal>>,
    pub(crate) invoices: Vec<Stored<Invoice>>,
    pub(crate) payments: Vec<Stored<Payment>>,
    pub(crate) cards: Vec<Stored<CreditCard>>,
    /// What is no longer written anywhere, where it is known.
    pub(crate) past: Past,
}

/// What the rows do not tell any more.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Past {
    /// The service's fee at a trade's moment of invoicing.
    pub(crate) fees: BTreeMap<TradeId, Money>,
    /// The vehicles' first owners.
    pub(crate) first_owners: BTreeMap<VehicleId, CustomerId>,
}

impl View {
    /// All that is broken, one sentence each.
    pub(crate) fn violations(&self) -> Vec<String> {
        let invariants = [
            i1_a_trade_has_its_one_invoice,
            i2_an_invoice_says_what_its_service_said,
            i3_payments_add_up,
            i4_the_billed_customer_pays_with_a_card_of_theirs,
            i5_one_proposal_is_accepted_where_a_trade_is_agreed,
            i6_agreed_trades_complete_when_nothing_is_owed,
            i6_a_vehicle_has_one_live_trade,
            i6_a_vehicle_changes_hands_by_completed_sales,
            i6_agreed_periods_do_not_overlap,
            i6_no_vehicle_is_sold_while_it_is_let,
        ];
        invariants.into_iter().flat_map(|invariant| invariant(self)).collect()
    }

    fn service(&self, trade: &Trade) -> Option<&Stored<Service>> {
        find(&self.services, trade.service_id)
    }

    fn proposals_of(&self, trade: TradeId) -> impl Iterator<Item = &Stored<Proposal>> {
        self.proposals.iter().filter(move |proposal| proposal.trade_id == trade)
    }

    fn invoices_of(&self, trade: TradeId) -> impl Iterator<Item = &Stored<Invoice>> {
        self.invoices.iter().filter(move |invoice| invoice.trade_id == trade)
    }

    /// The days agreed for a vehicle.
    fn agreed_periods(&self, vehicle: VehicleId) -> Vec<(TradeId, Period)> {
        let trades = self.trades.iter().filter(|trade| trade.vehicle_id == vehicle);
        let agreed = trades.filter_map(|trade| Some((trade.id, find(&self.proposals, trade.agreement()?.proposal_id)?.period?)));
        agreed.collect()
    }
}

/// I1: at most one invoice a trade; where there was a fee, exactly one iff its moment has come.
pub(crate) fn i1_a_trade_has_its_one_invoice(view: &View) -> Vec<String> {
    let broken = |trade: &Stored<Trade>| {
        let invoices = view.invoices_of(trade.id).count();
        let moment = view.service(trade)?.invoice_on;
        let has_come = match moment {
            InvoiceOn::FirstProposal => view.proposals_of(trade.id).next().is_some(),
            InvoiceOn::Acceptance => view.proposals_of(trade.id).any(is_accepted),
        };
        let fee = view.past.fees.get(&trade.id);
        let expected = usize::from(has_come && fee.is_some_and(|fee| !fee.is_zero()));
        let known = view.invoices_of(trade.id).next().map(|invoice| invoice.id);
        (invoices != expected || known != trade.invoice_id)
            .then(|| format!("I1: trade {} has {invoices} invoices, not {expected}, and names {:?}", trade.id, trade.invoice_id))
    };
    view.trades.iter().filter_map(broken).collect()
}

/// I2: amount and currency are the service's at the moment, the billed party the one that the service says.
pub(crate) fn i2_an_invoice_says_what_its_service_said(view: &View) -> Vec<String> {
    let broken = |invoice: &Stored<Invoice>| {
        let trade = find(&view.trades, invoice.trade_id)?;
        let billed = match view.service(trade)?.bill_to {
            BillTo::Owner => Some(trade.customer_id),
            BillTo::Counterparty => trade.agreement().map(|agreement| agreement.counterparty_id),
        };
        let fee = view.past.fees.get(&trade.id).copied();
        (Some(invoice.amount) != fee || Some(invoice.customer_id) != billed).then(|| {
            format!("I2: invoice {} over {} to {}, not {fee:?} to {billed:?}", invoice.id, invoice.amount, invoice.customer_id)
        })
    };
    view.invoices.iter().filter_map(broken).collect()
}

/// I3: succeeded payments are what is paid, with pending ones no more than the amount; paid iff all of it is.
pub(crate) fn i3_payments_add_up(view: &View) -> Vec<String> {
    let broken = |invoice: &Stored<Invoice>| {
        let sum = |wanted: fn(&PaymentState) -> bool| {
            let of = view.payments.iter().filter(|payment| payment.invoice_id == invoice.id && wanted(&payment.state));
            of.fold(rust_decimal::Decimal::ZERO, |sum, payment| sum + payment.amount.amount())
        };
        let succeeded = sum(|state| matches!(state, PaymentState::Succeeded { .. }));
        let pending = sum(|state| matches!(state, PaymentState::Pending));
        let amount = invoice.amount.amount();
        let is_paid = matches!(invoice.state, InvoiceState::Paid { .. });
        let adds_up = (succeeded, pending) == (invoice.paid.amount(), invoice.pending.amount())
            && succeeded + pending <= amount
            && is_paid == (succeeded == amount);
        (!adds_up).then(|| format!("I3: {succeeded} succeeded and {pending} pending do not fit {invoice:?}"))
    };
    view.invoices.iter().filter_map(broken).collect()
}

/// I4: every payment is by the billed customer with a card that was theirs.
pub(crate) fn i4_the_billed_customer_pays_with_a_card_of_theirs(view: &View) -> Vec<String> {
    let broken = |payment: &Stored<Payment>| {
        let billed = find(&view.invoices, payment.invoice_id).map(|invoice| invoice.customer_id);
        let holder = find(&view.cards, payment.credit_card_id).map(|card| card.customer_id);
        (billed != Some(payment.customer_id) || holder != billed)
            .then(|| format!("I4: payment {} by {}, billed {billed:?}, card of {holder:?}", payment.id, payment.customer_id))
    };
    view.payments.iter().filter_map(broken).collect()
}

/// I5: one accepted proposal iff agreed or completed; then none is pending.
pub(crate) fn i5_one_proposal_is_accepted_where_a_trade_is_agreed(view: &View) -> Vec<String> {
    let broken = |trade: &Stored<Trade>| {
        let accepted: Vec<_> =
            view.proposals_of(trade.id).filter(|proposal| is_accepted(proposal)).map(|proposal| proposal.id).collect();
        let agreed: Vec<_> = trade.agreement().map(|agreement| agreement.proposal_id).into_iter().collect();
        let pending = view.proposals_of(trade.id).filter(|proposal| proposal.state == ProposalState::Pending).count();
        (accepted != agreed || (!trade.is_open() && pending > 0))
            .then(|| format!("I5: trade {} accepted {accepted:?}, agreed {agreed:?}, pending {pending}", trade.id))
    };
    view.trades.iter().filter_map(broken).collect()
}

/// I6: completed iff agreed and nothing is owed.
pub(crate) fn i6_agreed_trades_complete_when_nothing_is_owed(view: &View) -> Vec<String> {
    let broken = |trade: &Stored<Trade>| {
        let owes = view.invoices_of(trade.id).any(|invoice| invoice.is_open());
        let is_wrong = match trade.state {
            TradeState::Agreed(_) => !owes,
            TradeState::Completed { .. } => owes,
            TradeState::Open | TradeState::Cancelled { .. } => false,
        };
        is_wrong.then(|| format!("I6: trade {} is {:?} and owes: {owes}", trade.id, trade.state))
    };
    view.trades.iter().filter_map(broken).collect()
}

/// I6: at most one live trade a vehicle.
pub(crate) fn i6_a_vehicle_has_one_live_trade(view: &View) -> Vec<String> {
    let broken = |vehicle: &Stored<Vehicle>| {
        let live = view.trades.iter().filter(|trade| trade.vehicle_id == vehicle.id && trade.is_live()).count();
        (live > 1).then(|| format!("I6: vehicle {} has {live} live trades", vehicle.id))
    };
    view.vehicles.iter().filter_map(broken).collect()
}

/// I6: each completed sale hands the vehicle on, and nothing else does.
pub(crate) fn i6_a_vehicle_changes_hands_by_completed_sales(view: &View) -> Vec<String> {
    let broken = |vehicle: &Stored<Vehicle>| {
        let mut owner = *view.past.first_owners.get(&vehicle.id)?;
        for trade in view.trades.iter().filter(|trade| trade.vehicle_id == vehicle.id) {
            if trade.customer_id != owner {
                return Some(format!("I6: trade {} is offered by {}, the owner is {owner}", trade.id, trade.customer_id));
            }
            let is_sale = view.service(trade)?.kind == ServiceKind::Sell;
            if let (true, TradeState::Completed { agreement, .. }) = (is_sale, trade.state) {
                owner = agreement.counterparty_id;
            }
        }
        (vehicle.customer_id != owner)
            .then(|| format!("I6: vehicle {} is {}'s, by its sales {owner}'s", vehicle.id, vehicle.customer_id))
    };
    view.vehicles.iter().filter_map(broken).collect()
}

/// I6: a vehicle is let to one at a time.
pub(crate) fn i6_agreed_periods_do_not_overlap(view: &View) -> Vec<String> {
    let broken = |vehicle: &Stored<Vehicle>| {
        let periods = view.agreed_periods(vehicle.id);
        let clash = periods.iter().find_map(|(trade, period)| {
            periods.iter().find(|(other, taken)| other > trade && taken.overlaps(*period)).map(|(other, _)| (*trade, *other))
        });
        clash.map(|(one, other)| format!("I6: trades {one} and {other} let vehicle {} on the same days", vehicle.id))
    };
    view.vehicles.iter().filter_map(broken).collect()
}

/// Spec 4.10: a sale is agreed where no lease that was agreed before it runs or lies ahead. Of a vehicle's trades one is live at
/// a time, so the older one was agreed first.
pub(crate) fn i6_no_vehicle_is_sold_while_it_is_let(view: &View) -> Vec<String> {
    let broken = |sale: &Stored<Trade>| {
        let agreed_on = sale.agreement()?.agreed_at.date_naive();
        let is_sale = view.service(sale)?.kind == ServiceKind::Sell;
        let mut before = view.agreed_periods(sale.vehicle_id).into_iter().filter(|(trade, _)| *trade < sale.id);
        let (lease, _) = before.find(|(_, period)| is_sale && period.end() > agreed_on)?;
        Some(format!("I6: trade {} sells vehicle {} while trade {lease} lets it", sale.id, sale.vehicle_id))
    };
    view.trades.iter().filter_map(broken).collect()
}

fn is_accepted(proposal: &Stored<Proposal>) -> bool {
    matches!(proposal.state, ProposalState::Accepted { .. })
}

fn find<T: Entity>(rows: &[Stored<T>], id: T::Id) -> Option<&Stored<T>> {
    rows.iter().find(|row| row.id == id)
}

/// I2, I7: what was written stays there; what was settled stays as it is.
pub(crate) fn what_was_settled_stays(before: &View, after: &View) -> Vec<String> {
    let mut broken = Vec::new();
    stays(&mut broken, &before.trades, &after.trades, |was, is| {
        let settled = matches!(was.state, TradeState::Completed { .. } | TradeState::Cancelled { .. });
        (!settled || was == is) && (was.agreement().is_none() || was.agreement() == is.agreement())
    });
    stays(&mut broken, &before.proposals, &after.proposals, |was, is| {
        let terms_stay = Proposal { state: is.state, ..was.clone() } == *is;
        terms_stay && (was.state == ProposalState::Pending || was.state == is.state)
    });
    stays(&mut broken, &before.invoices, &after.invoices, |was, is| {
        let claim =
            |invoice: &Invoice| (invoice.amount, invoice.customer_id, invoice.trade_id, invoice.proposal_id, invoice.due_date);
        claim(was) == claim(is) && (matches!(was.state, InvoiceState::Open) || was == is)
    });
    stays(&mut broken, &before.payments, &after.payments, |was, is| {
        let settled = was.state != PaymentState::Pending;
        Payment { state: is.state.clone(), ..was.clone() } == *is && (!settled || was.state == is.state)
    });
    broken
}

fn stays<T: Entity>(broken: &mut Vec<String>, before: &[Stored<T>], after: &[Stored<T>], may_follow: impl Fn(&T, &T) -> bool) {
    for was in before {
        match find(after, was.id) {
            None => broken.push(format!("I7: {was:?} is gone")),
            Some(is) if !may_follow(&was.value, &is.value) => broken.push(format!("I7: {was:?} became {is:?}")),
            Some(_) => {}
        }
    }
}
