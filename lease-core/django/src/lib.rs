//! Reads the data of a Django Lease API, and says what becomes of it in the lease engine.
//!
//! [`Source`] reads a dump or a database into [`Rows`], one struct for each of Django's tables. [`map`] is a pure function from these rows
//! to an [`Import`](lease_core::import::Import), which a store writes, and a [`Report`] of what was changed and what was not taken. The rules
//! are in the guide, *Moving from the Django Lease API* (`lease-http/docs/django.md`).
//!
//! ```no_run
//! use chrono::{DateTime, Duration, Utc};
//! use lease_core::money::Currency;
//! use lease_django::{Mapped, Source, Terms, map};
//!
//! # async fn import(now: DateTime<Utc>) -> Result<(), lease_django::SourceError> {
//! let rows = Source::Dump("whole.json".into()).read().await?;
//! let Mapped { import, report } = map(&rows, &Terms { now, currency: Currency::USD, token_ttl: Duration::days(30) });
//! println!("{report}");
//! // A store writes the import, such as `PostgresRepository::import`.
//! # Ok(())
//! # }
//! ```

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
