//! The company's fee (spec 5): when it is claimed, of whom, and how it is paid. Pure, as [`lifecycle`](crate::lifecycle) is.

mod issue;
mod pay;
mod void;

pub(crate) use issue::{issue, owes_nothing};
pub(crate) use pay::may_pay;
pub use pay::{PaymentDraft, begin_payment, pay_unknown_invoice, settle_payment};
pub(crate) use void::may_void;
pub use void::{VoidDraft, void};

use crate::error::Error;
use crate::id::Stored;
use crate::lifecycle::TradeSnapshot;
use crate::model::Invoice;
use crate::permission::{Actor, can_view_invoice};

/// The trade's invoice, where there is one that the actor may see.
pub(crate) fn visible_invoice<'a>(snapshot: &'a TradeSnapshot, actor: &Actor) -> Result<&'a Stored<Invoice>, Error> {
    let invoice = snapshot.invoice.as_ref().ok_or(Error::NotFound)?;
    let visible = match actor {
        Actor::Anonymous => return Err(Error::NotAuthenticated),
        Actor::Customer { customer, .. } => can_view_invoice(*customer, invoice),
        Actor::Staff { .. } | Actor::Superuser { .. } => true,
    };
    if visible { Ok(invoice) } else { Err(Error::NotFound) }
}
