//! The contract between the engine and a store.
//!
//! # To write a backend
//!
//! 1. Keep the eleven tables, tokens and idempotency records. A store gives out ids, positive and ascending, and holds no
//!    rule: what may happen was decided before it is called.
//! 2. **Loads** return one consistent state: all parts of a snapshot as of one instant, committed, and not older than the
//!    call. A load is bounded, whatever the size of the tables.
//! 3. **[`Repository::commit`] is the only way to write** what the domain decides. It writes all of a [`Change`] or nothing. A
//!    change names the [`Version`](crate::id::Version) it was decided on; if the row moved since, the result is
//!    [`RepositoryError::Conflict`] and nothing is written. A version starts at
//!    [`Version::FIRST`](crate::id::Version::FIRST) and goes up by one with each commit of its row. What the engine commits
//!    keeps the [invariants](crate::invariants), and the suite commits nothing that breaks I5 or I6: a store may have its
//!    database refuse that, should the code ever be wrong.
//! 4. **The [`Envelope`]** of a commit is checked in the same atomic step, for every kind of change alike: its claim is held and
//!    becomes done, its actor is still who they were.
//! 5. **Guarantees** that no version covers are the closed list [`Guarantee`]: the store enforces them whatever happens at
//!    the same time, and answers [`RepositoryError::Taken`]. The engine has looked before, so this is only ever a race: it
//!    loads again, and decides again. Where several things are wrong at once, a store may name any of them.
//! 6. **Lists** show what their filter says, newest (largest id) first. A filter holds what the actor may see, as
//!    `visible_to`. `now` is an argument where time matters; a store has no clock.
//! 7. Run [the conformance suite](crate::conformance).
//!
//! What a change means is written once, in core: after a commit, a load returns what
//! [`TradeSnapshot::apply`](crate::lifecycle::TradeSnapshot::apply) says.

mod account;
mod card;
mod commit;
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

pub use account::{AccountRepository, CustomerFilter, UserFilter};
pub use card::{CardFilter, CardRepository, WalletKey};
pub use commit::{Change, Commit, Envelope, RequestId};
pub use directory::{ContactFilter, DirectoryRepository, LeadFilter};
pub use error::{Guarantee, RepositoryError};
pub use idempotency::{Claim, ClaimState, IdempotencyRepository, KeyHash, NewClaim, SavedResponse};
#[cfg(feature = "mock")]
pub use mock::MockRepository;
pub use service::{ServiceFilter, ServiceRepository};
pub use trade::{InvoiceFilter, PaymentFilter, ProposalFilter, TradeFilter, TradeKey, TradeLoad, TradeRepository};
pub use vehicle::{VehicleFilter, VehicleRepository};

use crate::id::NewIds;

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
    /// Writes one commit: all of it, or nothing.
    ///
    /// # Errors
    /// [`RepositoryError::Conflict`] where a row moved, [`RepositoryError::Taken`] where a guarantee would break.
    async fn commit(&self, commit: &Commit) -> Result<NewIds, RepositoryError>;

    /// Whether the store answers, and takes writes.
    ///
    /// # Errors
    /// [`RepositoryError::Unavailable`] where it does not.
    async fn ping(&self) -> Result<(), RepositoryError>;
}
