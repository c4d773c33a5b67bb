use crate::id::{CreditCardId, CustomerId, Stored, Version};
use crate::model::CreditCard;

/// What a decision about a card reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Wallet {
    /// The customer whose it is.
    pub customer_id: CustomerId,
    /// The card that was asked for.
    pub card: Option<Stored<CreditCard>>,
    /// The newest card that is neither that one nor deleted.
    pub newest_other: Option<CreditCardId>,
}

/// A change to a customer's cards.
#[derive(Clone, Debug, PartialEq)]
pub struct WalletChange {
    /// The customer.
    pub customer_id: CustomerId,
    /// The customer's version that the decision was made on.
    pub expected: Version,
    /// The card that changes; its `is_default` is what it should be afterwards.
    pub card: CardChange,
    /// The change to the other cards' `is_default`.
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

/// The change to the other cards' `is_default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultCard {
    /// None.
    Keep,
    /// None of them is the default.
    Clear,
    /// This one is.
    Becomes(CreditCardId),
}
