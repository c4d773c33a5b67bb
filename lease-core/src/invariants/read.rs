use crate::id::{Entity, Stored};
use crate::invariants::{Books, Past, Steps};
use crate::page::{MAX_LIMIT, Page, PageRequest};
use crate::repository::{
    CardFilter, InvoiceFilter, PaymentFilter, ProposalFilter, RefundFilter, Repository, RepositoryError, ServiceFilter,
    TradeFilter, TradeKey, TradeLoad, VehicleFilter,
};
use chrono::{DateTime, Utc};

/// Reads a whole list, page by page.
macro_rules! whole_list {
    (|$page:ident| $list:expr) => {{
        let mut rows = Vec::new();
        let mut request = Some(first_page());
        while let Some($page) = request {
            let found: Page<_> = $list.await?;
            request = found.next.and_then(|next| PageRequest::new(MAX_LIMIT, Some(next)));
            rows.extend(found.items);
        }
        rows.reverse();
        rows
    }};
}

impl Books {
    /// Reads a whole store, page by page. Tables that refer to others are read first, so that a row created in the meantime is
    /// never referred to but missing. Other concurrent changes may be seen in one table and not yet in another, so read a store
    /// that is not being written to.
    ///
    /// # Errors
    /// The errors of the store's lists.
    pub async fn read(store: &dyn Repository) -> Result<Self, RepositoryError> {
        let always = DateTime::<Utc>::UNIX_EPOCH;
        let mut books = Self {
            refunds: whole_list!(|page| store.list_refunds(&RefundFilter::default(), page)),
            payments: whole_list!(|page| store.list_payments(&PaymentFilter::default(), page)),
            invoices: whole_list!(|page| store.list_invoices(&InvoiceFilter::default(), page, always)),
            proposals: whole_list!(|page| store.list_proposals(&ProposalFilter::default(), page, always))
                .into_iter()
                .filter_map(|snapshot| Some(snapshot.proposal?.proposal))
                .collect(),
            trades: whole_list!(|page| store.list_trades(&TradeFilter::default(), page, DateTime::UNIX_EPOCH))
                .into_iter()
                .map(|snapshot| snapshot.trade)
                .collect(),
            vehicles: whole_list!(|page| store.list_vehicles(&VehicleFilter::default(), page)),
            services: whole_list!(|page| store.list_services(&ServiceFilter::default(), page)),
            cards: whole_list!(|page| store.list_cards(&CardFilter::default(), page)),
            steps: Some(Steps::read(store).await?),
            past: Past::default(),
        };
        books.read_deleted_cards(store).await?;
        Ok(books)
    }

    /// Deleted cards are not listed, but they are loaded with the payments that were made with them.
    async fn read_deleted_cards(&mut self, store: &dyn Repository) -> Result<(), RepositoryError> {
        for payment in &self.payments {
            if find(&self.cards, payment.credit_card_id).is_some() {
                continue;
            }
            let load = TradeLoad {
                key: TradeKey::Payment(payment.id),
                viewer: None,
                with_pending: false,
                card: None,
                now: payment.created_at,
            };
            let loaded = store.load_trade(&load).await?;
            if let Some((_, card)) = loaded.and_then(|loaded| loaded.value.payment) {
                let place = self.cards.partition_point(|other| other.id < card.id);
                self.cards.insert(place, card);
            }
        }
        Ok(())
    }
}

fn first_page() -> PageRequest {
    PageRequest::new(MAX_LIMIT, None).unwrap_or_default()
}

/// Finds a row in a table that is in the order of its ids.
pub(super) fn find<T: Entity>(rows: &[Stored<T>], id: T::Id) -> Option<&Stored<T>> {
    rows.get(rows.binary_search_by_key(&id, |row| row.id).ok()?)
}
