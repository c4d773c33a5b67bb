//! The company's fee (chapter 5): when it is invoiced, who is billed, and how it is paid. Pure functions, as in
//! [`lifecycle`](crate::lifecycle).

mod issue;
mod overdue;
mod pay;
mod void;

pub(crate) use issue::{issue, owes_nothing};
pub use overdue::record_overdue;
pub(crate) use pay::may_pay;
pub use pay::{PaymentDraft, begin_payment, settle_payment};
pub(crate) use void::may_void;
pub use void::{VoidDraft, void};

use crate::error::Error;
use crate::id::Stored;
use crate::model::{Invoice, Payment};
use crate::permission::{Actor, Resource, can_view_invoice, can_view_payment};
use crate::trade::TradeSnapshot;

/// The trade's invoice, if there is one and the actor may see it.
pub(crate) fn visible_invoice<'a>(snapshot: &'a TradeSnapshot, actor: &Actor) -> Result<&'a Stored<Invoice>, Error> {
    let invoice = snapshot.invoice.as_ref().ok_or(Error::NotFound)?;
    require_invoice_view(invoice, actor)?;
    Ok(invoice)
}

/// Succeeds if the actor may see the invoice.
pub(crate) fn require_invoice_view(invoice: &Invoice, actor: &Actor) -> Result<(), Error> {
    actor.require_view(Resource::Invoice, |customer| can_view_invoice(customer, invoice))
}

/// Succeeds if the actor may see the payment.
pub(crate) fn require_payment_view(payment: &Payment, actor: &Actor) -> Result<(), Error> {
    actor.require_view(Resource::Payment, |customer| can_view_payment(customer, payment))
}
