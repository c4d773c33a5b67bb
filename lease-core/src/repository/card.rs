use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::RepositoryError;
use crate::id::{CreditCardId, CustomerId, Stored, Versioned};
use crate::model::CreditCard;
use crate::page::{Page, PageRequest};
use crate::wallet::Wallet;

/// Credit cards. The version is the customer's, so that one customer's cards are changed one after the other, because the
/// choice of the default card concerns all of them.
#[async_trait]
pub trait CardRepository {
    /// The snapshot that a decision about a card reads.
    async fn load_wallet(&self, key: WalletKey) -> Result<Option<Versioned<Wallet>>, RepositoryError>;

    /// Deletes at most `limit` records of refused cards from before this instant. Returns how many it deleted.
    async fn purge_refused_cards(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;

    /// Lists cards that are not deleted.
    async fn list_cards(&self, filter: &CardFilter, page: PageRequest) -> Result<Page<Stored<CreditCard>>, RepositoryError>;
}

/// The key by which a customer's cards are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalletKey {
    /// The cards of this customer.
    Customer(CustomerId),
    /// This card, and the cards of the same customer. Nothing is loaded if the card is deleted.
    Card(CreditCardId),
}

/// The filter for a list of cards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardFilter {
    /// Only cards of this customer.
    pub visible_to: Option<CustomerId>,
    /// Of this customer.
    pub customer_id: Option<CustomerId>,
}
