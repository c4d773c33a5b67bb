#![doc = include_str!("../../docs/backends.md")]

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
