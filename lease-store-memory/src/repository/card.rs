use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::id::{Stored, Versioned};
use lease_core::model::CreditCard;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{CardFilter, CardRepository, RepositoryError, WalletKey};
use lease_core::wallet::Wallet;

use crate::MemoryRepository;
use crate::state::{State, cards_of, not_deleted};
use crate::walk::Query;

#[async_trait]
impl CardRepository for MemoryRepository {
    async fn load_wallet(&self, key: WalletKey) -> Result<Option<Versioned<Wallet>>, RepositoryError> {
        Ok(self.state.read(|state| state.wallet(key)))
    }

    async fn purge_refused_cards(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        Ok(self.state.change(|state| state.cards.purge_refused(before, limit)))
    }

    async fn list_cards(&self, filter: &CardFilter, page: PageRequest) -> Result<Page<Stored<CreditCard>>, RepositoryError> {
        let query = match (filter.visible_to, filter.customer_id) {
            (None, None) => Query::default().and(Some(not_deleted())),
            (viewer, customer) => Query::default().and(viewer.map(cards_of)).and(customer.map(cards_of)),
        };
        Ok(self.state.read(|state| state.cards.rows.list(query, page, |_, _| true)))
    }
}

impl State {
    fn wallet(&self, key: WalletKey) -> Option<Versioned<Wallet>> {
        let (customer_id, card) = match key {
            WalletKey::Customer(customer) => (customer, None),
            WalletKey::Card(id) => {
                let card = self.cards.rows.stored(id).filter(|card| card.deleted_at.is_none())?;
                (card.customer_id, Some(card))
            }
        };
        let version = self.accounts.customers.get(customer_id)?.version;
        let named = card.as_ref().map(|card| card.id);
        let newest_other = self.cards.newest_other(customer_id, named);
        let default_other = self.cards.defaults.get(&customer_id).copied().filter(|other| Some(*other) != named);
        Some(Versioned { version, value: Wallet { customer_id, card, newest_other, default_other } })
    }
}
