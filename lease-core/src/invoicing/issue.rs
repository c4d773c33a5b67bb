use chrono::{DateTime, Utc};

use super::fee::{FeeBasis, FeePolicy, fee};
use crate::decision::Decision;
use crate::error::Error;
use crate::id::{CustomerId, ProposalId};
use crate::model::{BillTo, InvoiceOn, Proposal};
use crate::trade::{NewInvoice, TradeChanges, TradeSnapshot, invoice_issued};

/// A moment at which a service may issue its invoice.
pub(crate) struct Moment<'a> {
    pub(crate) invoice_on: InvoiceOn,
    /// The proposal on which it is issued.
    pub(crate) proposal: &'a Proposal,
    /// `None` for the proposal that is made in the same changes.
    pub(crate) proposal_id: Option<ProposalId>,
    /// The party that is not the owner, once there is one.
    pub(crate) counterparty_id: Option<CustomerId>,
    pub(crate) now: DateTime<Utc>,
}

/// Issues the trade's invoice if this is the service's moment of invoicing and there is a fee (rules 4.8, 5.2, I1, I2).
///
/// # Errors
/// [`Error::Internal`] if the policy came to no valid fee.
pub(crate) fn issue(
    decision: &mut Decision<TradeChanges>,
    snapshot: &TradeSnapshot,
    fees: &dyn FeePolicy,
    moment: &Moment<'_>,
) -> Result<(), Error> {
    let TradeSnapshot { trade, service, .. } = snapshot;
    if service.invoice_on != moment.invoice_on || snapshot.invoice.is_some() {
        return Ok(());
    }
    let customer_id = match (service.bill_to, moment.counterparty_id) {
        (BillTo::Counterparty, Some(counterparty)) => counterparty,
        (BillTo::Owner, _) | (BillTo::Counterparty, None) => trade.customer_id,
    };
    let basis = FeeBasis { trade, service, proposal: moment.proposal, customer_id, issued_at: moment.now };
    let amount = fee(fees, &basis).map_err(Error::internal)?;
    if amount.is_zero() {
        return Ok(());
    }
    let invoice = NewInvoice {
        proposal_id: moment.proposal_id,
        customer_id,
        amount,
        issued_at: moment.now,
        due_date: service.due_date(moment.now.date_naive()),
    };
    decision.events.push(invoice_issued(trade, &invoice));
    decision.new_invoice = Some(invoice);
    Ok(())
}

/// Whether nothing is owed: no invoice was issued, or the invoice is paid, void or written off (rule 4.7).
pub(crate) fn owes_nothing(snapshot: &TradeSnapshot) -> bool {
    snapshot.invoice.as_ref().is_none_or(|invoice| !invoice.is_open())
}
