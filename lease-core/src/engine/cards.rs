use super::payments::within_timeout;
use super::{LeaseEngine, own_only};
use crate::error::Error;
use crate::id::{CreditCardId, Stored, Versioned};
use crate::input::UpdateMode;
use crate::model::CreditCard;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{CardChange, CardFilter, Wallet, WalletChange, WalletKey};
use crate::wallet::{CardDraft, check_card, delete_card, store_card, update_card, visible_card};

impl LeaseEngine {
    /// Has the gateway tokenise a card, and stores what may be kept of it (spec 5.6).
    ///
    /// # Errors
    /// As [`check_card`]; [`Error::Unavailable`] where the gateway gives no response.
    pub async fn create_card(&self, actor: &Actor, draft: &CardDraft) -> Result<Stored<CreditCard>, Error> {
        let checked = check_card(actor, draft, self.today())?;
        let token = within_timeout(self.shared.gateway.tokenize(&checked.details))
            .await
            .map_err(|error| Error::Unavailable(error.into()))?;
        let mut retry = self.retry();
        loop {
            let wallet = self.store().load_wallet(WalletKey::Customer(checked.customer_id)).await?.ok_or(Error::NotFound)?;
            let change = store_card(&wallet, &checked, token.clone(), self.now());
            match self.commit_card(change).await {
                Ok(card) => return Ok(card),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// A card.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_card(&self, actor: &Actor, id: CreditCardId) -> Result<Stored<CreditCard>, Error> {
        visible_card(&*self.load_card(actor, id).await?, actor).cloned()
    }

    /// Changes what is printed on a card, or makes it the default.
    ///
    /// # Errors
    /// As [`update_card`]; [`Error::Unavailable`].
    pub async fn update_card(
        &self,
        actor: &Actor,
        id: CreditCardId,
        draft: &CardDraft,
        mode: UpdateMode,
    ) -> Result<Stored<CreditCard>, Error> {
        let mut retry = self.retry();
        loop {
            let wallet = self.load_card(actor, id).await?;
            let change = update_card(&wallet, actor, draft, mode, self.today())?;
            match self.commit_card(change).await {
                Ok(card) => return Ok(card),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Deletes a card.
    ///
    /// # Errors
    /// As [`delete_card`]; [`Error::Unavailable`].
    pub async fn delete_card(&self, actor: &Actor, id: CreditCardId) -> Result<(), Error> {
        let mut retry = self.retry();
        loop {
            let wallet = self.load_card(actor, id).await?;
            let change = delete_card(&wallet, actor, self.now())?;
            match self.commit_card(change).await {
                Ok(_) => return Ok(()),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// The cards that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn list_cards(
        &self,
        actor: &Actor,
        filter: CardFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<CreditCard>>, Error> {
        let visible_to = own_only(actor, Resource::CreditCard)?;
        Ok(self.store().list_cards(&CardFilter { visible_to, ..filter }, page).await?)
    }

    async fn load_card(&self, actor: &Actor, id: CreditCardId) -> Result<Versioned<Wallet>, Error> {
        actor.require(Resource::CreditCard, Act::Read)?;
        self.store().load_wallet(WalletKey::Card(id)).await?.ok_or(Error::NotFound)
    }

    async fn commit_card(&self, change: WalletChange) -> Result<Stored<CreditCard>, crate::repository::RepositoryError> {
        let id = self.store().commit_wallet(&change, self.claim).await?;
        let (CardChange::Create(value) | CardChange::Update(_, value)) = change.card;
        Ok(Stored { id, value })
    }
}
