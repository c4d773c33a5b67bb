//! The contract between the engine and a store.
//!
//! # To write a backend
//!
//! 1. Store the eleven tables, tokens, idempotency records, events and the positions of their consumers, webhooks and mails. A store
//!    assigns ids, positive and ascending, and contains no rule: every decision is made before it is called.
//! 2. **Loads** return one consistent state: all parts of a snapshot are committed, as of one instant, and not older than the
//!    call. The size of a load is bounded, whatever the size of the tables.
//! 3. **[`Repository::commit`] is the only way to write** what the domain decides. It writes all of a [`Change`] or nothing. A
//!    change names the [`Version`](crate::id::Version) that it was decided on; if the row has changed since, the result is
//!    [`RepositoryError::Conflict`] and nothing is written. A version starts at
//!    [`Version::FIRST`](crate::id::Version::FIRST) and increases by one with each commit of its row. The engine's commits
//!    keep the [invariants](crate::invariants), and the suite never commits a change that breaks I5 or I6: so a store may
//!    have its database refuse such a change, as a safeguard against faults in the code.
//! 4. **The [`Envelope`]** of a commit is checked in the same atomic step, for every kind of change: its claim must be held, and
//!    becomes done; its actor must still be active, with the same role and customer.
//! 5. **Guarantees** that versions cannot cover are listed completely in [`Guarantee`]: the store enforces them under
//!    concurrency too, and returns [`RepositoryError::Taken`]. The engine has checked them before, so only a race breaks one: it
//!    then loads and decides again. If several guarantees would break at once, a store may return any of them.
//! 6. **Lists** return the rows that match their filter, newest (largest id) first. `visible_to` in a filter limits the list to
//!    the rows that the actor may see. `now` is an argument where time matters; a store has no clock.
//! 7. **Events** of the envelope are stored in the same atomic step: each as [`Envelope::record`] says, and for those who its
//!    [`Audience`](crate::event::Audience) says, in the order that [`EventRepository`] describes. Two kinds of change add to them
//!    or take from them: `close_others` of [`TradeChanges`](crate::lifecycle::TradeChanges) adds an event for each proposal that
//!    it ends, and the revocation of a token that is not there has none.
//! 8. Run [the conformance suite](crate::conformance).
//!
//! The effect of a change is defined once, in the core: after a commit, a load returns the result of
//! [`TradeSnapshot::apply`](crate::lifecycle::TradeSnapshot::apply).

mod account;
mod card;
mod commit;
mod directory;
mod error;
mod event;
mod idempotency;
mod mail;
#[cfg(feature = "mock")]
mod mock;
mod service;
mod trade;
mod vehicle;
mod webhook;

use std::fmt::Debug;

use async_trait::async_trait;

pub use account::{AccountRepository, CustomerFilter, TokenFilter, TokenKey, UserFilter};
pub use card::{CardFilter, CardRepository, WalletKey};
pub use commit::{Change, Commit, Envelope, RequestId};
pub use directory::{ContactFilter, DirectoryRepository, LeadFilter, Named, Words};
pub use error::{Guarantee, RepositoryError};
pub use event::{EventFilter, EventRepository};
pub use idempotency::{Claim, ClaimState, IdempotencyRepository, KeyHash, NewClaim, SavedResponse};
pub use mail::MailRepository;
#[cfg(feature = "mock")]
pub use mock::MockRepository;
pub use service::{ServiceFilter, ServiceRepository};
pub use trade::{
    Counted, InvoiceFilter, PaymentFilter, ProposalFilter, RefundFilter, TradeFilter, TradeKey, TradeLoad, TradeRepository,
    TradeSort, UnderWay, WeeklyTotal,
};
pub use vehicle::{VehicleFilter, VehicleRepository};
pub use webhook::{ClaimedDelivery, RecordedAttempt, WebhookDeliveryFilter, WebhookEndpointFilter, WebhookRepository};

use crate::id::NewIds;

/// Everything that the engine needs from a store.
#[async_trait]
pub trait Repository:
    AccountRepository
    + CardRepository
    + DirectoryRepository
    + VehicleRepository
    + ServiceRepository
    + TradeRepository
    + IdempotencyRepository
    + EventRepository
    + WebhookRepository
    + MailRepository
    + Debug
    + Send
    + Sync
    + 'static
{
    /// Writes one commit: all of it, or nothing.
    ///
    /// # Errors
    /// [`RepositoryError::Conflict`] if a row has changed, [`RepositoryError::Taken`] if a guarantee would break.
    async fn commit(&self, commit: &Commit) -> Result<NewIds, RepositoryError>;

    /// Checks that the store responds and accepts writes.
    ///
    /// # Errors
    /// [`RepositoryError::Unavailable`] if it does not.
    async fn ping(&self) -> Result<(), RepositoryError>;
}
