use super::command::no_row;
use super::payments::within_timeout;
use super::{LeaseEngine, RequestContext, visible_to};
use crate::error::Error;
use crate::id::{CreditCardId, NewIds, Stored, Versioned};
use crate::input::UpdateMode;
use crate::model::CreditCard;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{CardFilter, WalletKey};
use crate::wallet::{
    CardChange, CardDraft, Wallet, WalletChange, check_card, delete_card, store_card, update_card, visible_card,
};

impl LeaseEngine {
    /// Has the gateway tokenise a card, and stores the details that may be kept (rule 5.6).
    ///
    /// # Errors
    /// As [`check_card`]; [`Error::Unavailable`] if the gateway gives no response.
    pub async fn create_card(&self, context: impl Into<RequestContext>, draft: &CardDraft) -> Result<Stored<CreditCard>, Error> {
        let context = context.into();
        let checked = check_card(&context.actor, draft, self.today())?;
        let token = within_timeout(self.shared.gateway.tokenize(&checked.details))
            .await
            .map_err(|error| Error::Unavailable(error.into()))?;
        let load = |actor: Actor, _| self.load_own_wallet(actor);
        let done = self.execute(context, load, |wallet, _, now| Ok(store_card(wallet, &checked, token.clone(), now))).await?;
        stored(done.changes, done.ids)
    }

    /// A card.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_card(&self, actor: &Actor, id: CreditCardId) -> Result<Stored<CreditCard>, Error> {
        visible_card(&*self.load_card(*actor, id).await?, actor).cloned()
    }

    /// Changes the expiry or the holder's name of a card, or makes it the default.
    ///
    /// # Errors
    /// As [`update_card`]; [`Error::Unavailable`].
    pub async fn update_card(
        &self,
        context: impl Into<RequestContext>,
        id: CreditCardId,
        draft: &CardDraft,
        mode: UpdateMode,
    ) -> Result<Stored<CreditCard>, Error> {
        let load = |actor, _| self.load_card(actor, id);
        let done =
            self.execute(context, load, |wallet, actor, now| update_card(wallet, actor, draft, mode, now.date_naive())).await?;
        stored(done.changes, done.ids)
    }

    /// Deletes a card.
    ///
    /// # Errors
    /// As [`delete_card`]; [`Error::Unavailable`].
    pub async fn delete_card(&self, context: impl Into<RequestContext>, id: CreditCardId) -> Result<(), Error> {
        let load = |actor, _| self.load_card(actor, id);
        self.execute(context, load, delete_card).await.map(drop)
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
        let visible_to = visible_to(actor, Resource::CreditCard)?;
        Ok(self.store().list_cards(&CardFilter { visible_to, ..filter }, page).await?)
    }

    async fn load_card(&self, actor: Actor, id: CreditCardId) -> Result<Versioned<Wallet>, Error> {
        actor.require(Resource::CreditCard, Act::Read)?;
        self.store().load_wallet(WalletKey::Card(id)).await?.ok_or(Error::NotFound)
    }

    /// The cards of the customer who is acting.
    async fn load_own_wallet(&self, actor: Actor) -> Result<Versioned<Wallet>, Error> {
        let customer = actor.require_customer(Resource::CreditCard, Act::Create)?;
        if let Some(wallet) = self.store().load_wallet(WalletKey::Customer(customer)).await? {
            return Ok(wallet);
        }
        // The user was deactivated or became administrative since: the error depends on their present role.
        self.current_actor(&actor).await?.require_customer(Resource::CreditCard, Act::Create)?;
        Err(Error::NotAuthenticated)
    }
}

fn stored(change: WalletChange, ids: NewIds) -> Result<Stored<CreditCard>, Error> {
    match change.card {
        CardChange::Create(value) => Ok(Stored { id: ids.credit_card.ok_or_else(no_row)?, value }),
        CardChange::Update(id, value) => Ok(Stored { id, value }),
    }
}
