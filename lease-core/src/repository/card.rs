use async_trait::async_trait;

use super::{Claim, RepositoryError};
use crate::id::{CreditCardId, CustomerId, Stored, Version, Versioned};
use crate::model::CreditCard;
use crate::page::{Page, PageRequest};

/// Credit cards. The version is the customer's, so that changes to one customer's cards come one after the other: which
/// card is the default spans them all.
#[async_trait]
pub trait CardRepository {
    /// What a decision about a card reads.
    async fn load_wallet(&self, key: WalletKey) -> Result<Option<Versioned<Wallet>>, RepositoryError>;

    /// Writes a change to a customer's cards: all or nothing. Returns the id of the card that it is about.
    async fn commit_wallet(&self, change: &WalletChange, claim: Option<Claim>) -> Result<CreditCardId, RepositoryError>;

    /// Lists cards that are not deleted.
    async fn list_cards(&self, filter: &CardFilter, page: PageRequest) -> Result<Page<Stored<CreditCard>>, RepositoryError>;
}

/// Whose cards to load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalletKey {
    /// A customer's.
    Customer(CustomerId),
    /// Those of this card's customer, and the card; nothing where it is deleted.
    Card(CreditCardId),
}

/// What a decision about a card reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Wallet {
    /// Whose it is.
    pub customer_id: CustomerId,
    /// The card that was asked for.
    pub card: Option<Stored<CreditCard>>,
    /// The newest card that is neither that one nor deleted.
    pub newest_other: Option<CreditCardId>,
}

/// A change to a customer's cards.
#[derive(Clone, Debug, PartialEq)]
pub struct WalletChange {
    /// Whose.
    pub customer_id: CustomerId,
    /// The customer's version that was decided on.
    pub expected: Version,
    /// The card that changes; its `is_default` is what it should be afterwards.
    pub card: CardChange,
    /// What becomes of the other cards' `is_default`.
    pub others: DefaultCard,
}

/// The card that changes.
#[derive(Clone, Debug, PartialEq)]
pub enum CardChange {
    /// A new one.
    Create(CreditCard),
    /// One that is there; deleting it is giving it a `deleted_at`.
    Update(CreditCardId, CreditCard),
}

/// What becomes of the other cards' `is_default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultCard {
    /// Nothing.
    Keep,
    /// None of them is the default.
    Clear,
    /// This one is.
    Becomes(CreditCardId),
}

/// Which cards to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardFilter {
    /// Only this customer's.
    pub visible_to: Option<CustomerId>,
    /// Of this customer.
    pub customer_id: Option<CustomerId>,
}
