use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lease_core::id::{CreditCardId, CustomerId};
use lease_core::model::CreditCard;

use super::table::{Indexed, Table};
use crate::index::{Kind, Term};
use crate::walk::{Direction, Query};

/// Cards, including deleted ones.
#[derive(Debug, Default)]
pub(crate) struct Cards {
    pub(crate) rows: Table<CreditCard>,
    /// The default card of each customer.
    pub(crate) defaults: BTreeMap<CustomerId, CreditCardId>,
    /// When new cards of each customer were refused, in the order of the commits.
    pub(crate) refused: BTreeMap<CustomerId, Vec<DateTime<Utc>>>,
}

impl Indexed for CreditCard {
    fn terms(&self) -> Vec<Term> {
        let mut terms = vec![Term::id(Kind::Customer, self.customer_id)];
        if self.deleted_at.is_none() {
            terms.extend([not_deleted(), of(self.customer_id)]);
        }
        terms
    }
}

/// The term of all cards that are not deleted.
pub(crate) const fn not_deleted() -> Term {
    Term::flag(true)
}

/// The term of a customer's cards that are not deleted.
pub(crate) fn of(customer: CustomerId) -> Term {
    Term::id(Kind::Audience, customer)
}

impl Cards {
    /// The newest card of a customer that is neither this one nor deleted.
    pub(crate) fn newest_other(&self, customer: CustomerId, card: Option<CreditCardId>) -> Option<CreditCardId> {
        let cards = Query::default().and(Some(of(customer)));
        self.rows.find(cards, Direction::Down).map(|(id, _)| id).find(|id| Some(*id) != card)
    }

    /// Deletes at most `limit` records of refused cards from before this instant.
    pub(crate) fn purge_refused(&mut self, before: DateTime<Utc>, limit: u32) -> u64 {
        let mut purged = 0;
        for refused in self.refused.values_mut() {
            refused.retain(|at| {
                let goes = *at < before && purged < limit.into();
                purged += u64::from(goes);
                !goes
            });
        }
        self.refused.retain(|_, refused| !refused.is_empty());
        purged
    }

    /// Inserts a new card, or replaces the value of one.
    pub(crate) fn put(&mut self, id: CreditCardId, card: CreditCard) {
        self.set_default(card.customer_id, id, is_default(&card));
        if self.rows.get(id).is_some() {
            self.rows.replace(id, card);
        } else {
            let terms = card.terms();
            self.rows.insert(id, card, terms);
        }
    }

    /// Makes an existing card the default, or not.
    pub(crate) fn mark(&mut self, id: CreditCardId, is_default: bool) {
        let Some(row) = self.rows.get_mut(id) else { return };
        row.value.is_default = is_default;
        let customer = row.value.customer_id;
        self.set_default(customer, id, is_default);
    }

    fn set_default(&mut self, customer: CustomerId, id: CreditCardId, is_default: bool) {
        if is_default {
            self.defaults.insert(customer, id);
        } else if self.defaults.get(&customer) == Some(&id) {
            self.defaults.remove(&customer);
        }
    }
}

/// Whether a card counts as its customer's default: a deleted one no longer does.
pub(crate) const fn is_default(card: &CreditCard) -> bool {
    card.is_default && card.deleted_at.is_none()
}
