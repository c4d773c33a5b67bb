use async_trait::async_trait;

use super::RepositoryError;
use crate::id::{CreditCardId, CustomerId, Stored, Versioned};
use crate::model::CreditCard;
use crate::page::{Page, PageRequest};
use crate::wallet::Wallet;

/// Credit cards. The version is the customer's, so that changes to one customer's cards come one after the other: which
/// card is the default spans them all.
#[async_trait]
pub trait CardRepository {
    /// What a decision about a card reads.
    async fn load_wallet(&self, key: WalletKey) -> Result<Option<Versioned<Wallet>>, RepositoryError>;

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

/// Which cards to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardFilter {
    /// Only this customer's.
    pub visible_to: Option<CustomerId>,
    /// Of this customer.
    pub customer_id: Option<CustomerId>,
}
