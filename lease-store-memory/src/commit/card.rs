use lease_core::id::CreditCardId;
use lease_core::repository::{CardChange, Claim, DefaultCard, Guarantee, RepositoryError, WalletChange};

use super::require;
use crate::MemoryRepository;
use crate::state::{State, is_default};

impl State {
    /// The id of the card that a change is about.
    fn check_wallet(&self, change: &WalletChange) -> Result<CreditCardId, RepositoryError> {
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
        Ok(id)
    }

    fn change_wallet(&mut self, change: &WalletChange, id: CreditCardId) {
        let customer = change.customer_id;
        let default = self.cards.defaults.get(&customer).copied();
        if let (DefaultCard::Clear | DefaultCard::Becomes(_), Some(default)) = (change.others, default) {
            self.cards.mark(default, false);
        }
        let (CardChange::Create(card) | CardChange::Update(_, card)) = &change.card;
        self.cards.put(id, card.clone());
        if let DefaultCard::Becomes(other) = change.others {
            self.cards.mark(other, true);
        }
        self.accounts.customers.bump(customer);
    }
}

impl MemoryRepository {
    pub(crate) fn write_wallet(&self, change: &WalletChange, claim: Option<Claim>) -> Result<CreditCardId, RepositoryError> {
        self.state.write(
            |state| {
                state.claims.check(claim)?;
                state.check_wallet(change)
            },
            |state, id| {
                state.change_wallet(change, *id);
                let made = matches!(change.card, CardChange::Create(_)).then(|| id.get());
                state.claims.finish(claim, made);
            },
        )
    }
}
