//! A trade as decisions read and change it: its snapshot, its changes, and its conclusion. The public names are those of
//! [`lifecycle`](crate::lifecycle), which negotiates a trade; [`invoicing`](crate::invoicing), which bills it, also depends on
//! them.

mod changes;
mod conclude;
mod events;
mod snapshot;

pub use changes::{
    InvoiceChange, NewInvoice, Opening, PaymentChange, RefundChange, TradeChange, TradeChanges, TradeMove, TradeText,
};
pub(crate) use conclude::conclude;
pub(crate) use events::{
    invoice_changed, invoice_issued, invoice_overdue, payment_begun, payment_changed, proposal_decided, proposal_made,
    refund_begun, refund_settled, trade_agreed, trade_completed, trade_ended, trade_event, trade_moved, vehicle_transferred,
};
pub use snapshot::{OpeningSnapshot, ProposalView, TradeSnapshot, ViewerHistory};
