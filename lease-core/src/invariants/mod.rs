//! The invariants I1 to I7 as code that reads a store and says what is broken: for tests of any kind, and for an operator
//! who wants to know whether the books are in order.
//!
//! # What is in order now
//!
//! Any [`Repository`](crate::repository::Repository) will do: one that is at rest, a copy, or a backup that was just restored.
//!
//! ```
//! use lease_core::invariants::Books;
//! # use lease_core::repository::{Repository, RepositoryError};
//! # async fn example(store: &dyn Repository) -> Result<(), RepositoryError> {
//! let books = Books::read(store).await?;
//! assert_eq!(books.violations(), Vec::<String>::new());
//! # Ok(())
//! # }
//! ```
//!
//! # What stayed in order
//!
//! That nothing is lost and nothing that was settled changes (I7, and the half of I2 that says *never*) no single reading can
//! show: keep the books of before, and hold those of now against them. Across a restart, a crash, an upgrade, a restored backup:
//!
//! ```
//! # use lease_core::invariants::Books;
//! # use lease_core::repository::{Repository, RepositoryError};
//! # async fn example(store: &dyn Repository, after_the_crash: &dyn Repository) -> Result<(), RepositoryError> {
//! let earlier = Books::read(store).await?;
//! // … whatever happens …
//! let books = Books::read(after_the_crash).await?;
//! assert_eq!(books.violations_since(&earlier), Vec::<String>::new());
//! # Ok(())
//! # }
//! ```
//!
//! # What rows do not tell
//!
//! A service's fee changes, and what it was at a trade's moment is written nowhere but on the invoice; whose a vehicle was first,
//! only its trades say. Whoever knows more, as a test does, tells it in [`Books::past`], and is told more: that an invoice is
//! missing where there was a fee, that its amount is another. Without it an invoice that is missing is taken for a fee of zero.
//!
//! What a single [`Books`] holds is all rows of seven tables. It is read a page at a time, so that no query is large, and kept
//! whole, so plan some kilobytes of memory a trade.
//!
//! # What they say
//!
//! | invariant | says |
//! | --- | --- |
//! | I1 | a trade has at most one invoice: exactly one where there was a fee and its moment has come, for the proposal that brought it |
//! | I2 | an invoice is over the service's fee at its moment, billed to the party that the service says, and stays so |
//! | I3 | succeeded payments are what is paid; with pending ones no more than the amount; paid means all of it, void none |
//! | I4 | every payment is by the billed customer with a card that was theirs |
//! | I5 | one proposal is accepted where a trade is agreed or completed, and then none is pending |
//! | I6 | agreed trades complete when nothing is owed; one live trade a vehicle; vehicles change hands by completed sales only; agreed periods do not overlap |
//! | I7 | what was written stays, what was settled stays as it is; no row names one that is not there |
//!
//! Which checks show that they hold is told in [`how_we_know`].

mod audit;
mod history;
#[doc = include_str!("how_we_know.md")]
pub mod how_we_know {}
mod read;
mod references;

use std::collections::BTreeMap;

use crate::id::{CustomerId, Stored, TradeId, VehicleId};
use crate::model::{CreditCard, Invoice, Payment, Proposal, Service, Trade, Vehicle};
use crate::money::Money;

/// All rows that the invariants speak of, each table in the order of its ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Books {
    /// The services.
    pub services: Vec<Stored<Service>>,
    /// The vehicles.
    pub vehicles: Vec<Stored<Vehicle>>,
    /// The trades.
    pub trades: Vec<Stored<Trade>>,
    /// The proposals, as they are stored: an expired one that nobody touched is pending.
    pub proposals: Vec<Stored<Proposal>>,
    /// The invoices.
    pub invoices: Vec<Stored<Invoice>>,
    /// The payments.
    pub payments: Vec<Stored<Payment>>,
    /// The cards that were paid with, deleted ones among them, and all that are not deleted.
    pub cards: Vec<Stored<CreditCard>>,
    /// What the rows do not tell.
    pub past: Past,
}

/// What rows do not tell any more. Where it is known, the invariants are checked by it; where not, as far as the rows go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// The service's fee at a trade's moment of invoicing.
    pub fees: BTreeMap<TradeId, Money>,
    /// The vehicles' first owners.
    pub first_owners: BTreeMap<VehicleId, CustomerId>,
}
