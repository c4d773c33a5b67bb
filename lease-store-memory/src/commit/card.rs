use lease_core::id::NewIds;
use lease_core::repository::{Guarantee, RepositoryError};
use lease_core::wallet::{CardChange, DefaultCard, WalletChange};

use super::require;
use crate::state::{State, is_default};

impl State {
    pub(super) fn check_wallet(&self, change: &WalletChange) -> Result<NewIds, RepositoryError> {
        let customer = change.customer_id;
        self.accounts.customers.expect(customer, change.expected)?;
        let is_own = |id| self.cards.rows.get(id).is_some_and(|row| row.value.customer_id == customer);
        let (id, card) = match &change.card {
            CardChange::Create(card) => (self.cards.rows.next_id()?, card),
            CardChange::Update(id, card) => {
                require(is_own(*id))?;
                (*id, card)
            }
        };
        require(card.customer_id == customer)?;
        let other = match change.others {
            DefaultCard::Clear => None,
            DefaultCard::Keep => self.cards.defaults.get(&customer).copied().filter(|other| *other != id),
            DefaultCard::Becomes(other) => {
                require(other != id && is_own(other))?;
                Some(other)
            }
        };
        if is_default(card) && other.is_some() {
            return Err(RepositoryError::Taken(Guarantee::DefaultCard));
        }
        let is_new = matches!(change.card, CardChange::Create(_));
        Ok(NewIds { credit_card: is_new.then_some(id), ..NewIds::default() })
    }

    pub(super) fn change_wallet(&mut self, change: &WalletChange, ids: NewIds) {
        let customer = change.customer_id;
        let default = self.cards.defaults.get(&customer).copied();
        if let (DefaultCard::Clear | DefaultCard::Becomes(_), Some(default)) = (change.others, default) {
            self.cards.mark(default, false);
        }
        match (&change.card, ids.credit_card) {
            (CardChange::Create(card), Some(id)) => self.cards.put(id, card.clone()),
            (CardChange::Update(id, card), _) => self.cards.put(*id, card.clone()),
            (CardChange::Create(_), None) => {}
        }
        if let DefaultCard::Becomes(other) = change.others {
            self.cards.mark(other, true);
        }
        self.accounts.customers.bump(customer);
    }
}
