//! The contract between the engine and a store.
//!
//! # To write a backend
//!
//! 1. Keep the eleven tables, tokens and idempotency records. A store gives out ids, positive and ascending, and holds no
//!    rule: what may happen was decided before it is called.
//! 2. **Loads** return one consistent state: all parts of a snapshot as of one instant, committed, and not older than the
//!    call. A load is bounded, whatever the size of the tables.
//! 3. **Commits** write all of a change or nothing. Each names the [`Version`] it was decided on; if the row moved since,
//!    the response is [`RepositoryError::Conflict`] and nothing is written. A version starts at [`Version::FIRST`] and goes
//!    up by one with each commit of its row. What the engine commits keeps the [invariants](crate::invariants), and the
//!    suite commits nothing that breaks I5 or I6: a store may have its database refuse that, should the code ever be wrong.
//! 4. **Guarantees** that no version covers are the closed list [`Guarantee`]: the store enforces them whatever happens at
//!    the same time, and answers [`RepositoryError::Taken`]. The engine has looked before, so this is only ever a race: it
//!    loads again, and decides again. Where a version is stale and a guarantee would break as well, a store may name either.
//! 5. **Lists** show what their filter says, newest (largest id) first. A filter holds what the actor may see, as
//!    `visible_to`. `now` is an argument where time matters; a store has no clock.
//! 6. A commit under a [`Claim`] also marks the claim as done in the same atomic step, and is refused with
//!    [`RepositoryError::Taken`]`(`[`Guarantee::Claim`]`)` where the claim is no longer held.
//! 7. Run [the conformance suite](crate::conformance).
//!
//! What a change means is written once, in core: after a commit, a load returns what
//! [`TradeSnapshot::apply`](crate::lifecycle::TradeSnapshot::apply) says.

mod account;
mod card;
mod directory;
mod error;
mod idempotency;
#[cfg(feature = "mock")]
mod mock;
mod service;
mod trade;
mod vehicle;

use std::fmt::Debug;

use async_trait::async_trait;

pub use account::{
    AccountChange, AccountRepository, AccountSnapshot, CustomerChange, CustomerFilter, Login, NewUser, UserFilter,
};
pub use card::{CardChange, CardFilter, CardRepository, DefaultCard, Wallet, WalletChange, WalletKey};
pub use directory::{ContactFilter, ContactsOfLead, DirectoryRepository, LeadChange, LeadFilter};
pub use error::{Guarantee, RepositoryError};
pub use idempotency::{Claim, ClaimState, IdempotencyRepository, KeyHash, NewClaim, SavedResponse};
#[cfg(feature = "mock")]
pub use mock::MockRepository;
pub use service::{ServiceFilter, ServiceRepository};
pub use trade::{
    InvoiceFilter, OpeningSnapshot, PaymentFilter, ProposalFilter, TradeFilter, TradeKey, TradeLoad, TradeRepository,
};
pub use vehicle::{VehicleFilter, VehicleRepository, VehicleSnapshot};

use crate::id::{Entity, Stored, Version};

/// Everything the engine needs of a store.
#[async_trait]
pub trait Repository:
    AccountRepository
    + CardRepository
    + DirectoryRepository
    + VehicleRepository
    + ServiceRepository
    + TradeRepository
    + IdempotencyRepository
    + Debug
    + Send
    + Sync
    + 'static
{
    /// Whether the store answers, and takes writes.
    ///
    /// # Errors
    /// [`RepositoryError::Unavailable`] where it does not.
    async fn ping(&self) -> Result<(), RepositoryError>;
}

/// A change to one row that stands for itself. The response to a commit of it is the row's id.
#[derive(Clone, Debug, PartialEq)]
pub enum Change<T: Entity> {
    /// Makes the row.
    Create(T),
    /// Replaces what the row says, if it is still at `expected`.
    Update {
        /// The row.
        id: T::Id,
        /// The version that was decided on.
        expected: Version,
        /// What it says from here on.
        value: T,
    },
    /// Erases the row, if it is still at `expected`.
    Delete {
        /// The row.
        id: T::Id,
        /// The version that was decided on.
        expected: Version,
    },
}

impl<T: Entity> Change<T> {
    /// What is stored once this was committed under `id`; nothing after a deletion.
    #[must_use]
    pub fn into_stored(self, id: T::Id) -> Option<Stored<T>> {
        match self {
            Self::Create(value) | Self::Update { value, .. } => Some(Stored { id, value }),
            Self::Delete { .. } => None,
        }
    }
}
