use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::id::{CustomerId, Entity, InvoiceId, PaymentId, Stored, TradeId, VehicleId};
use crate::invariants::Books;
use crate::invariants::read::find;
use crate::model::{
    Asking, BillTo, Invoice, InvoiceOn, InvoiceState, OfferedVehicle, Payment, PaymentState, Period, Proposal, ProposalState,
    Refund, RefundState, Service, ServiceKind, Trade, TradeState, Vehicle,
};

impl Books {
    /// Every violation of I1 to I6, I8 and I9, one sentence each; and, of I7, the violations that a single reading can show:
    /// references to rows that do not exist.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let audit = Audit::of(self);
        let trades = self.trades.iter().flat_map(|trade| {
            [
                audit.i1_one_invoice(trade),
                audit.i5_one_accepted(trade),
                audit.i6_completes(trade),
                audit.i6_days_as_agreed(trade),
                audit.i6_not_sold_while_let(trade),
                audit.offers_its_vehicle(trade),
                audit.asks_what_its_owner_proposed(trade),
            ]
        });
        let invoices = self.invoices.iter().flat_map(|invoice| {
            [audit.i1_brought_about(invoice), audit.i2_as_the_service_said(invoice), audit.i3_adds_up(invoice)]
        });
        let payments =
            self.payments.iter().flat_map(|payment| [audit.i4_billed_payer(payment), audit.i8_refunds_add_up(payment)]);
        let refunded = self.invoices.iter().map(|invoice| audit.i8_refunded(invoice));
        let vehicles = self.vehicles.iter().flat_map(|vehicle| {
            [audit.i6_one_live_trade(vehicle), audit.i6_changes_hands_by_sales(vehicle), audit.i6_let_to_one_at_a_time(vehicle)]
        });
        let found = trades.chain(invoices).chain(payments).chain(refunded).chain(vehicles).flatten();
        found.chain(self.missing()).chain(self.unrecorded()).collect()
    }
}

/// The books, with rows grouped by what they belong to.
struct Audit<'a> {
    books: &'a Books,
    proposals: BTreeMap<TradeId, Vec<&'a Stored<Proposal>>>,
    invoices: BTreeMap<TradeId, Vec<&'a Stored<Invoice>>>,
    payments: BTreeMap<InvoiceId, Vec<&'a Stored<Payment>>>,
    refunds: BTreeMap<PaymentId, Vec<&'a Stored<Refund>>>,
    trades: BTreeMap<VehicleId, Vec<&'a Stored<Trade>>>,
}

impl<'a> Audit<'a> {
    fn of(books: &'a Books) -> Self {
        Self {
            books,
            proposals: group(&books.proposals, |proposal| proposal.trade_id),
            invoices: group(&books.invoices, |invoice| invoice.trade_id),
            payments: group(&books.payments, |payment| payment.invoice_id),
            refunds: group(&books.refunds, |refund| refund.payment_id),
            trades: group(&books.trades, |trade| trade.vehicle_id),
        }
    }

    /// I1: a trade has at most one invoice; if there was a fee, it has exactly one if and only if the moment of invoicing has
    /// come.
    fn i1_one_invoice(&self, trade: &Stored<Trade>) -> Option<String> {
        let invoices = of(&self.invoices, trade.id);
        let has_come = match self.service(trade)?.invoice_on {
            InvoiceOn::FirstProposal => !of(&self.proposals, trade.id).is_empty(),
            InvoiceOn::Acceptance => of(&self.proposals, trade.id).iter().any(|proposal| was_accepted(proposal)),
        };
        let expected = match (has_come, self.books.past.fees.get(&trade.id)) {
            (false, _) => 0..=0,
            (true, Some(fee)) if fee.is_zero() => 0..=0,
            (true, Some(_)) => 1..=1,
            (true, None) => 0..=1,
        };
        let named = invoices.first().map(|invoice| invoice.id);
        (!expected.contains(&invoices.len()) || named != trade.invoice_id).then(|| {
            format!("I1: trade {} has {} invoices, not {expected:?}, and names {:?}", trade.id, invoices.len(), trade.invoice_id)
        })
    }

    /// Rule 4.13: a trade that is open or agreed offers its vehicle as it is.
    fn offers_its_vehicle(&self, trade: &Stored<Trade>) -> Option<String> {
        let vehicle = find(&self.books.vehicles, trade.vehicle_id)?;
        let is_wrong = trade.is_live() && trade.offered != OfferedVehicle::from(&vehicle.value);
        is_wrong.then(|| format!("4.13: trade {} does not offer vehicle {} as it is", trade.id, vehicle.id))
    }

    /// Rule 4.13: a trade asks what the pending proposal of its owner says.
    fn asks_what_its_owner_proposed(&self, trade: &Stored<Trade>) -> Option<String> {
        let is_asked = |made: &&&Stored<Proposal>| made.customer_id == trade.customer_id && made.state == ProposalState::Pending;
        let proposed = of(&self.proposals, trade.id).iter().find(is_asked).map(|made| Asking::of(made.id, made));
        (trade.asking != proposed).then(|| format!("4.13: trade {} asks {:?}, not {proposed:?}", trade.id, trade.asking))
    }

    /// I1: an invoice names the proposal on which it was issued: the trade's first, or the accepted one.
    fn i1_brought_about(&self, invoice: &Stored<Invoice>) -> Option<String> {
        let trade = find(&self.books.trades, invoice.trade_id)?;
        let proposals = of(&self.proposals, trade.id);
        let cause = match self.service(trade)?.invoice_on {
            InvoiceOn::FirstProposal => proposals.first(),
            InvoiceOn::Acceptance => proposals.iter().find(|proposal| was_accepted(proposal)),
        };
        let cause = cause.map(|proposal| proposal.id);
        (cause != Some(invoice.proposal_id))
            .then(|| format!("I1: invoice {} is for proposal {}, not {cause:?}", invoice.id, invoice.proposal_id))
    }

    /// I2: the amount is the fee at the moment of invoicing, in the currency of the service, and the customer billed is the party that
    /// the service says. A service that was used keeps its currency, so the currency can always be checked.
    fn i2_as_the_service_said(&self, invoice: &Stored<Invoice>) -> Option<String> {
        let trade = find(&self.books.trades, invoice.trade_id)?;
        let service = self.service(trade)?;
        let billed = match service.bill_to {
            BillTo::Owner => Some(trade.customer_id),
            BillTo::Counterparty => trade.agreement().map(|agreement| agreement.counterparty_id),
        };
        let fee = self.books.past.fees.get(&trade.id).copied();
        let is_wrong = invoice.amount.is_zero()
            || invoice.amount.currency() != service.fee.currency()
            || fee.is_some_and(|fee| fee != invoice.amount)
            || Some(invoice.customer_id) != billed;
        is_wrong.then(|| {
            format!("I2: invoice {} over {} to {}, not {fee:?} to {billed:?}", invoice.id, invoice.amount, invoice.customer_id)
        })
    }

    /// I3: `paid` is the sum of the succeeded payments; with the pending ones they do not exceed the amount; the state is paid if
    /// and only if the whole amount is paid. No money is ever taken for a void invoice, and nothing is pending for one
    /// that is written off (rule 5.3).
    fn i3_adds_up(&self, invoice: &Stored<Invoice>) -> Option<String> {
        let sum = |wanted: fn(&PaymentState) -> bool| -> Decimal {
            let payments = of(&self.payments, invoice.id).iter().filter(|payment| wanted(&payment.state));
            payments.map(|payment| payment.amount.amount()).sum()
        };
        let succeeded = sum(|state| matches!(state, PaymentState::Succeeded { .. }));
        let pending = sum(PaymentState::is_under_way);
        let amount = invoice.amount.amount();
        let is_paid = matches!(invoice.state, InvoiceState::Paid { .. });
        let left = match invoice.state {
            InvoiceState::Open | InvoiceState::Paid { .. } => Decimal::ZERO,
            InvoiceState::Void { .. } => succeeded + pending,
            InvoiceState::WrittenOff { .. } => pending,
        };
        let currency = invoice.amount.currency();
        let adds_up = (succeeded, pending) == (invoice.paid.amount(), invoice.pending.amount())
            && succeeded + pending <= amount
            && is_paid == (succeeded == amount)
            && left.is_zero()
            && of(&self.payments, invoice.id).iter().all(|payment| payment.amount.currency() == currency);
        (!adds_up).then(|| format!("I3: {succeeded} succeeded and {pending} pending do not fit {invoice:?}"))
    }

    /// I8: the refunds of a payment that succeeded add up to what it says, and those under way as well; together they do not exceed
    /// it. Only what was paid is refunded.
    fn i8_refunds_add_up(&self, payment: &Stored<Payment>) -> Option<String> {
        let refunds = of(&self.refunds, payment.id);
        let sum = |wanted: fn(&RefundState) -> bool| -> Decimal {
            refunds.iter().filter(|refund| wanted(&refund.state)).map(|refund| refund.amount.amount()).sum()
        };
        let refunded = sum(|state| matches!(state, RefundState::Succeeded { .. }));
        let refunding = sum(|state| matches!(state, RefundState::Pending));
        let most = match payment.state {
            PaymentState::Succeeded { .. } => payment.amount.amount(),
            _ => Decimal::ZERO,
        };
        let is_of_payment = |refund: &Refund| {
            (refund.invoice_id, refund.customer_id) == (payment.invoice_id, payment.customer_id)
                && refund.amount.currency() == payment.amount.currency()
        };
        let adds_up = (refunded, refunding) == (payment.refunded.amount(), payment.refunding.amount())
            && refunded + refunding <= most
            && refunds.iter().all(|refund| is_of_payment(refund));
        (!adds_up).then(|| format!("I8: {refunded} refunded and {refunding} under way do not fit {payment:?}"))
    }

    /// I8: `refunded` of an invoice is the sum of what was refunded of its payments.
    fn i8_refunded(&self, invoice: &Stored<Invoice>) -> Option<String> {
        let refunded: Decimal = of(&self.payments, invoice.id).iter().map(|payment| payment.refunded.amount()).sum();
        (refunded != invoice.refunded.amount()).then(|| format!("I8: {refunded} refunded do not fit {invoice:?}"))
    }

    /// I4: every payment is made by the customer billed, with a card of their own.
    fn i4_billed_payer(&self, payment: &Stored<Payment>) -> Option<String> {
        let billed = find(&self.books.invoices, payment.invoice_id).map(|invoice| invoice.customer_id);
        let holder = find(&self.books.cards, payment.credit_card_id).map(|card| card.customer_id);
        (billed != Some(payment.customer_id) || holder != billed)
            .then(|| format!("I4: payment {} by {}, billed {billed:?}, card of {holder:?}", payment.id, payment.customer_id))
    }

    /// I5: a trade has one accepted proposal if and only if it is agreed or completed; then no proposal is pending. It has a
    /// rescinded one if and only if it was cancelled after it was agreed.
    fn i5_one_accepted(&self, trade: &Stored<Trade>) -> Option<String> {
        let proposals = of(&self.proposals, trade.id);
        let agreed = trade.agreement().map(|agreement| agreement.proposal_id);
        let is_cancelled = matches!(trade.state, TradeState::Cancelled { .. });
        let accepted: Vec<_> = proposals.iter().filter(|proposal| was_accepted(proposal)).collect();
        let fits = match (agreed, &accepted[..]) {
            (None, []) => true,
            (Some(agreed), [accepted]) => agreed == accepted.id && is_cancelled == is_rescinded(accepted),
            _ => false,
        };
        let pending = proposals.iter().filter(|proposal| proposal.state == ProposalState::Pending).count();
        (!fits || (!trade.is_open() && pending > 0))
            .then(|| format!("I5: trade {} accepted {accepted:?}, agreed {agreed:?}, pending {pending}", trade.id))
    }

    /// I6: a trade is completed if and only if it was agreed and nothing is owed.
    fn i6_completes(&self, trade: &Stored<Trade>) -> Option<String> {
        let owes = of(&self.invoices, trade.id).iter().any(|invoice| invoice.is_open());
        let is_wrong = match trade.state {
            TradeState::Agreed(_) => !owes,
            TradeState::Completed { .. } => owes,
            TradeState::Open | TradeState::Cancelled { .. } => false,
        };
        is_wrong.then(|| format!("I6: trade {} is {:?} and owes: {owes}", trade.id, trade.state))
    }

    /// I6: the agreed days are those of the accepted proposal, or fewer if they were ended early (rule 4.12); a cancelled trade has
    /// none.
    fn i6_days_as_agreed(&self, trade: &Stored<Trade>) -> Option<String> {
        let agreed = find(&self.books.proposals, trade.agreement()?.proposal_id)?.period;
        let fits = match (agreed, trade.days()) {
            (agreed, None) => agreed.is_none() || matches!(trade.state, TradeState::Cancelled { .. }),
            (None, Some(_)) => false,
            (Some(agreed), Some(days)) => days == agreed || agreed.ended(days.end()) == Some(days),
        };
        (!fits).then(|| format!("I6: trade {} has the days {:?}, and {agreed:?} were agreed", trade.id, trade.days()))
    }

    /// I6: a vehicle has at most one open or agreed trade.
    fn i6_one_live_trade(&self, vehicle: &Stored<Vehicle>) -> Option<String> {
        let live = of(&self.trades, vehicle.id).iter().filter(|trade| trade.is_live()).count();
        (live > 1).then(|| format!("I6: vehicle {} has {live} live trades", vehicle.id))
    }

    /// I6: each completed sale transfers the vehicle, and nothing else does.
    fn i6_changes_hands_by_sales(&self, vehicle: &Stored<Vehicle>) -> Option<String> {
        let trades = of(&self.trades, vehicle.id);
        let first: Option<CustomerId> = self.books.past.first_owners.get(&vehicle.id).copied();
        let mut owner = first.or_else(|| trades.first().map(|trade| trade.customer_id))?;
        for trade in trades {
            if trade.customer_id != owner {
                return Some(format!("I6: trade {} is offered by {}, the owner is {owner}", trade.id, trade.customer_id));
            }
            if let (ServiceKind::Sell, TradeState::Completed { agreement, .. }) = (self.service(trade)?.kind, &trade.state) {
                owner = agreement.counterparty_id;
            }
        }
        (vehicle.customer_id != owner)
            .then(|| format!("I6: vehicle {} is {}'s, by its sales {owner}'s", vehicle.id, vehicle.customer_id))
    }

    /// I6: a vehicle is leased to one customer at a time. If any two periods overlap, so do two neighbours in the order of their
    /// starts.
    fn i6_let_to_one_at_a_time(&self, vehicle: &Stored<Vehicle>) -> Option<String> {
        let mut periods = self.agreed_periods(vehicle.id);
        periods.sort_unstable_by_key(|(_, period)| period.start());
        let clash = periods.windows(2).find_map(|pair| match pair {
            [(one, first), (other, second)] if first.overlaps(*second) => Some((one, other)),
            _ => None,
        });
        clash.map(|(one, other)| format!("I6: trades {one} and {other} lease out vehicle {} on the same days", vehicle.id))
    }

    /// Rule 4.10: a sale is agreed only if no lease that was agreed before runs or lies ahead. A vehicle has one open or agreed
    /// trade at a time, so the older trade was agreed first.
    fn i6_not_sold_while_let(&self, sale: &Stored<Trade>) -> Option<String> {
        if self.service(sale)?.kind != ServiceKind::Sell {
            return None;
        }
        let agreed_on = sale.agreement()?.agreed_at.date_naive();
        let mut before = self.agreed_periods(sale.vehicle_id).into_iter().filter(|(trade, _)| *trade < sale.id);
        let (lease, _) = before.find(|(_, period)| period.end() > agreed_on)?;
        Some(format!("I6: trade {} sells vehicle {} while trade {lease} leases it out", sale.id, sale.vehicle_id))
    }

    fn service(&self, trade: &Trade) -> Option<&'a Stored<Service>> {
        find(&self.books.services, trade.service_id)
    }

    /// The days agreed for a vehicle.
    fn agreed_periods(&self, vehicle: VehicleId) -> Vec<(TradeId, Period)> {
        let dated = of(&self.trades, vehicle).iter().filter_map(|trade| Some((trade.id, trade.days()?)));
        dated.filter(|(_, days)| !days.is_empty()).collect()
    }
}

/// Whether a proposal was ever accepted.
fn was_accepted(proposal: &Proposal) -> bool {
    matches!(proposal.state, ProposalState::Accepted { .. }) || is_rescinded(proposal)
}

fn is_rescinded(proposal: &Proposal) -> bool {
    matches!(proposal.state, ProposalState::Rescinded { .. })
}

fn group<T: Entity, K: Ord>(rows: &[Stored<T>], key: impl Fn(&T) -> K) -> BTreeMap<K, Vec<&Stored<T>>> {
    let mut groups: BTreeMap<K, Vec<_>> = BTreeMap::new();
    for row in rows {
        groups.entry(key(&row.value)).or_default().push(row);
    }
    groups
}

fn of<'a, 'b, K: Ord + Copy, T: Entity>(groups: &'b BTreeMap<K, Vec<&'a Stored<T>>>, key: K) -> &'b [&'a Stored<T>] {
    groups.get(&key).map_or(&[], Vec::as_slice)
}
