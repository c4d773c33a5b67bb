//! The invariants I1 to I9 as code that reads a store and reports violations: for tests of any kind, and for an operator who
//! wants to check the data.
//!
//! # Checking a store
//!
//! Any [`Repository`](crate::repository::Repository) can be checked: a store without concurrent writes, a copy, or a backup that
//! was just restored.
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
//! # Comparing with an earlier state
//!
//! A single reading cannot show that nothing was lost and that nothing final has changed (I7, and the half of I2 that says
//! *never*). For this, keep the earlier books and compare the present ones with them: across a restart, a crash, an upgrade or a
//! restored backup.
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
//! # Facts that are not stored
//!
//! A service's fee can change, or a policy of the app's own decides, and the fee at the moment a trade was invoiced is stored only on
//! the invoice; a vehicle's first
//! owner is known only from its trades. If you know these facts, as a test does, put them into [`Books::past`]: then a missing
//! invoice and a wrong amount are found too. Without them, a missing invoice is taken to mean that the fee was zero.
//!
//! A [`Books`] contains all rows of eight tables. It is read a page at a time, so that no query is large, but it is kept in
//! memory as a whole, so allow for some kilobytes per trade.
//!
//! # The invariants
//!
//! | invariant | meaning |
//! | --- | --- |
//! | I1 | a trade has at most one invoice: exactly one if there was a fee and the moment of invoicing has come, for the proposal on which it was issued |
//! | I2 | an invoice has the fee at the moment of invoicing, in the service's currency, and bills the party that the service says; neither ever changes |
//! | I3 | an invoice's `paid` is the sum of its succeeded payments; with those under way they do not exceed the amount; a paid invoice is paid in full, a void one not at all, and one that is written off has no pending payment |
//! | I4 | every payment is made by the customer billed, with a card of their own |
//! | I5 | a trade has one accepted proposal if it is agreed or completed, and then no pending one; it has a rescinded one if it was cancelled after it was agreed |
//! | I6 | an agreed trade completes when nothing is owed; a vehicle has at most one open or agreed trade; vehicles change hands by completed sales only; agreed days do not overlap, and are those of the accepted proposal or fewer |
//! | I7 | rows that were written are never lost, and final states never change; no row refers to one that does not exist |
//! | I8 | the refunds of a payment, those under way included, do not exceed it; what the payment and its invoice say was refunded is the sum of those that succeeded |
//! | I9 | each trade, proposal, invoice, payment and refund has exactly the events that led to its state, but for those that were cleared |
//!
//! [`how_we_know`] lists the checks which show that they hold.

mod audit;
mod events;
mod history;
#[doc = include_str!("how_we_know.md")]
pub mod how_we_know {}
mod read;
mod references;

pub use events::Steps;

use std::collections::BTreeMap;

use crate::id::{CustomerId, Stored, TradeId, VehicleId};
use crate::model::{CreditCard, Invoice, Payment, Proposal, Refund, Service, Trade, Vehicle};
use crate::money::Money;

/// All rows that the invariants are about, each table in the order of its ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Books {
    /// The services.
    pub services: Vec<Stored<Service>>,
    /// The vehicles.
    pub vehicles: Vec<Stored<Vehicle>>,
    /// The trades.
    pub trades: Vec<Stored<Trade>>,
    /// The proposals, as they are stored: an expired one may still be stored as pending.
    pub proposals: Vec<Stored<Proposal>>,
    /// The invoices.
    pub invoices: Vec<Stored<Invoice>>,
    /// The payments.
    pub payments: Vec<Stored<Payment>>,
    /// The refunds.
    pub refunds: Vec<Stored<Refund>>,
    /// The cards: all that are not deleted, and the deleted ones with which payments were made.
    pub cards: Vec<Stored<CreditCard>>,
    /// What the events say, if they were read. Only then is I9 checked.
    pub steps: Option<Steps>,
    /// The facts that the rows do not show.
    pub past: Past,
}

/// Facts that the rows no longer show. Where they are known, the invariants are checked against them; otherwise, only as far as
/// the rows allow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// The fee at the moment when a trade was to be invoiced: the service's, or what the app's own policy said.
    pub fees: BTreeMap<TradeId, Money>,
    /// The first owners of vehicles.
    pub first_owners: BTreeMap<VehicleId, CustomerId>,
}
