use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::id::{CustomerId, ProposalId};
use crate::model::{BillTo, InvoiceOn};
use crate::trade::{NewInvoice, TradeChanges, TradeSnapshot, invoice_issued};

/// Issues the trade's invoice if `moment` is the service's moment of invoicing and there is a fee (rules 4.8, 5.2, I1, I2). The
/// amount is the service's present fee; `proposal` is the one on which it is issued, `None` for the one made in the same changes.
pub(crate) fn issue(
    decision: &mut Decision<TradeChanges>,
    snapshot: &TradeSnapshot,
    moment: InvoiceOn,
    proposal: Option<ProposalId>,
    counterparty: Option<CustomerId>,
    now: DateTime<Utc>,
) {
    let service = &snapshot.service;
    if service.invoice_on != moment || service.fee.is_zero() || snapshot.invoice.is_some() {
        return;
    }
    let customer_id = match (service.bill_to, counterparty) {
        (BillTo::Counterparty, Some(counterparty)) => counterparty,
        (BillTo::Owner, _) | (BillTo::Counterparty, None) => snapshot.trade.customer_id,
    };
    let invoice = NewInvoice {
        proposal_id: proposal,
        customer_id,
        amount: service.fee,
        issued_at: now,
        due_date: service.due_date(now.date_naive()),
    };
    decision.events.push(invoice_issued(&snapshot.trade, &invoice));
    decision.new_invoice = Some(invoice);
}

/// Whether nothing is owed: no invoice was issued, or the invoice is paid, void or written off (rule 4.7).
pub(crate) fn owes_nothing(snapshot: &TradeSnapshot) -> bool {
    snapshot.invoice.as_ref().is_none_or(|invoice| !invoice.is_open())
}
