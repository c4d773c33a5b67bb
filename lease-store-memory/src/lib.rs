#![doc = include_str!("../README.md")]
//!
//! # What it does
//!
//! It fulfils the whole contract of
//! [`lease_core::repository`]: commits are atomic and checked, readers get consistent snapshots, and every look-up, filter and
//! list uses an index.
//!
//! ```
//! use chrono::DateTime;
//! use lease_core::decision::RowChange;
//! use lease_core::model::{BillTo, InvoiceOn, Service, ServiceKind};
//! use lease_core::money::{Currency, Money};
//! use lease_core::page::PageRequest;
//! use lease_core::permission::Actor;
//! use lease_core::repository::{Commit, Envelope, Repository, ServiceFilter, ServiceRepository};
//! use lease_store_memory::MemoryRepository;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let store = MemoryRepository::default();
//! let lease = Service {
//!     name: "Lease exposure".to_owned(),
//!     kind: ServiceKind::Lease,
//!     invoice_on: InvoiceOn::FirstProposal,
//!     bill_to: BillTo::Owner,
//!     fee: Money::parse("199.99", Currency::USD)?,
//!     payment_due_days: 14,
//!     description: String::new(),
//!     is_active: true,
//!     is_used: false,
//! };
//! let by_the_system = Envelope::new(Actor::System, DateTime::UNIX_EPOCH);
//! let ids = store.commit(&Commit::new(by_the_system, RowChange::Create(lease))).await?;
//! assert!(ids.service.is_some());
//!
//! let leases = ServiceFilter { kind: Some(ServiceKind::Lease), ..ServiceFilter::default() };
//! let page = store.list_services(&leases, PageRequest::default()).await?;
//! assert_eq!(page.items[0].name, "Lease exposure");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it is built
//!
//! `shared` is the lock around the only copy of the `state`, which consists of the tables. Rows are found by *terms*: `index`
//! keeps the `rows` that each term applies to, and `walk` answers queries from them. `commit` checks and writes, `repository`
//! reads.

mod commit;
mod index;
mod repository;
mod rows;
mod shared;
mod state;
mod walk;

use std::fmt;
use std::sync::Arc;

use shared::Shared;
use state::State;

/// A store in memory. A clone is another handle to the same store.
#[derive(Clone, Default)]
pub struct MemoryRepository {
    state: Arc<Shared<State>>,
}

/// Shows the number of rows, never their contents.
impl fmt::Debug for MemoryRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.read(|state| {
            f.debug_struct("MemoryRepository")
                .field("users", &state.accounts.users.len())
                .field("customers", &state.accounts.customers.len())
                .field("tokens", &state.tokens.len())
                .field("credit_cards", &state.cards.rows.len())
                .field("contacts", &state.contacts.len())
                .field("leads", &state.leads.len())
                .field("vehicles", &state.vehicles.rows.len())
                .field("services", &state.services.len())
                .field("trades", &state.trades.rows.len())
                .field("proposals", &state.proposals.rows.len())
                .field("invoices", &state.invoices.rows.len())
                .field("payments", &state.payments.rows.len())
                .field("claims", &state.claims.len())
                .field("events", &state.events.rows.len())
                .field("webhook_endpoints", &state.webhooks.endpoints.len())
                .field("webhook_deliveries", &state.webhooks.deliveries.len())
                .field("mails", &state.mails.rows.len())
                .finish()
        })
    }
}
