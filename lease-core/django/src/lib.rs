#![doc = include_str!("../README.md")]

mod amount;
mod cell;
mod mapping;
mod report;
mod rows;
mod source;
mod text;

pub use mapping::{Mapped, Terms, map};
pub use report::{Counts, Fate, Note, Report, Rounded, Sum, Table};
pub use rows::{
    CardRow, ContactRow, CustomerRow, InvoiceRow, LeadRow, PaymentRow, ProposalRow, Rows, ServiceRow, TokenRow, TradeRow,
    UserRow, VehicleRow,
};
pub use source::{Source, SourceError};
