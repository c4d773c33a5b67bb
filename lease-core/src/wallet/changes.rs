use chrono::{DateTime, Utc};

use crate::id::{CreditCardId, CustomerId, Stored, Version};
use crate::model::CreditCard;

/// The snapshot that a decision about a card reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Wallet {
    /// The customer that the cards belong to.
    pub customer_id: CustomerId,
    /// The card that the request names.
    pub card: Option<Stored<CreditCard>>,
    /// The newest other card that is not deleted.
    pub newest_other: Option<CreditCardId>,
    /// The other card that is the default.
    pub default_other: Option<CreditCardId>,
}

/// A change to a customer's cards.
#[derive(Clone, Debug, PartialEq)]
pub struct WalletChange {
    /// The customer.
    pub customer_id: CustomerId,
    /// The customer's version that the decision was made on.
    pub expected: Version,
    /// The card that changes; its `is_default` has its new value.
    pub card: CardChange,
    /// The change to the other cards' `is_default`.
    pub others: DefaultCard,
}

/// A new card that the gateway refused. It counts as a decline (rule 5.4), and nothing else is kept of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedCard {
    /// The customer whose card it is.
    pub customer_id: CustomerId,
    /// When it was refused.
    pub at: DateTime<Utc>,
}

/// The card that changes.
#[derive(Clone, Debug, PartialEq)]
pub enum CardChange {
    /// A new card.
    Create(CreditCard),
    /// An existing card; to delete it is to set its `deleted_at`.
    Update(CreditCardId, CreditCard),
}

/// The change to the other cards' `is_default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultCard {
    /// There is no change.
    Keep,
    /// None of the other cards is the default any more.
    Clear,
    /// This card becomes the default.
    Becomes(CreditCardId),
}
