//! A trade as decisions read and change it: its snapshot, its changes, and its conclusion. The public names are those of
//! [`lifecycle`](crate::lifecycle), which negotiates a trade; [`invoicing`](crate::invoicing), which bills it, also depends on
//! them.

mod changes;
mod conclude;
mod snapshot;

pub use changes::{InvoiceChange, NewInvoice, Opening, TradeChange, TradeChanges, TradeMove, TradeText};
pub(crate) use conclude::conclude;
pub use snapshot::{OpeningSnapshot, ProposalView, TradeSnapshot, ViewerHistory};
