use super::command::no_row;
use super::{LeaseEngine, RequestContext, visible_to};
use crate::decision::Decision;
use crate::error::Error;
use crate::gateway::{EnteredCard, Tokenization, TokenizedCard};
use crate::id::{CreditCardId, CustomerId, NewIds, Stored, Versioned};
use crate::input::{FieldErrors, Invalid, UpdateMode};
use crate::invoicing::require_few_declines;
use crate::model::CreditCard;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{CardFilter, WalletKey};
use crate::wallet::{
    CardChange, CardDraft, EnteredCardDraft, RefusedCard, Wallet, WalletChange, check_card, check_entered_card, check_tokenized,
    delete_card, store_card, update_card, visible_card,
};

impl LeaseEngine {
    /// Has the gateway tokenise a card, and stores the details that may be kept (rule 5.6).
    ///
    /// # Errors
    /// As [`check_card`] and [`require_few_declines`]; an invalid `number` if the gateway takes none; [`Error::CardDeclined`] if the
    /// gateway refuses the card; [`Error::Unavailable`] if it gives no response.
    pub async fn create_card(&self, context: impl Into<RequestContext>, draft: &CardDraft) -> Result<Stored<CreditCard>, Error> {
        let context = context.into();
        let gateway = &self.shared.gateway;
        let checked = check_card(&context.actor, draft, &gateway.info(), self.today())?;
        self.require_few_declines(&context.actor).await?;
        match self.ask(gateway.tokenize(&checked.details)).await? {
            Tokenization::Accepted(token) => self.store_card(context, &checked.tokenized(token), checked.wants_default).await,
            Tokenization::Refused { failure_code } => self.refuse_card(context, failure_code).await,
        }
    }

    /// Stores a card that the customer has entered in the browser (rule 5.6).
    ///
    /// # Errors
    /// As [`check_entered_card`] and [`require_few_declines`]; an invalid `payment_method` if the customer has entered no such card;
    /// [`Error::CardDeclined`] if the gateway refuses the card; [`Error::Unavailable`] if it gives no response.
    pub async fn create_entered_card(
        &self,
        context: impl Into<RequestContext>,
        draft: &EnteredCardDraft,
    ) -> Result<Stored<CreditCard>, Error> {
        let context = context.into();
        let named = check_entered_card(&context.actor, draft)?;
        let customer = context.actor.require_customer(Resource::CreditCard, Act::Create)?;
        self.require_few_declines(&context.actor).await?;
        match self.ask(self.shared.gateway.find_card(customer, &named.payment_method)).await? {
            EnteredCard::Accepted(card) => {
                check_tokenized(&card, self.today())?;
                self.store_card(context, &card, named.wants_default).await
            }
            EnteredCard::Refused { failure_code } => self.refuse_card(context, failure_code).await,
            EnteredCard::Unknown => {
                self.count_refused_card(context).await?;
                Err(FieldErrors::one("payment_method", Invalid::CardNotEntered).into())
            }
        }
    }

    /// Stores a card that the app has had tokenised itself, for the customer who is acting. The app vouches that it is theirs.
    ///
    /// # Errors
    /// As [`check_tokenized`]; [`Error::PermissionDenied`]; [`Error::Unavailable`].
    pub async fn add_tokenized_card(
        &self,
        context: impl Into<RequestContext>,
        card: &TokenizedCard,
        wants_default: bool,
    ) -> Result<Stored<CreditCard>, Error> {
        check_tokenized(card, self.today())?;
        self.store_card(context.into(), card, wants_default).await
    }

    async fn store_card(
        &self,
        context: RequestContext,
        card: &TokenizedCard,
        wants_default: bool,
    ) -> Result<Stored<CreditCard>, Error> {
        let load = |actor: Actor, _| self.load_own_wallet(actor);
        let done = self.execute(context, load, |wallet, _, now| Ok(store_card(wallet, card, wants_default, now))).await?;
        stored(done.changes, done.ids)
    }

    async fn refuse_card<T>(&self, context: RequestContext, failure_code: String) -> Result<T, Error> {
        self.count_refused_card(context).await?;
        Err(Error::CardDeclined { failure_code, payment: None })
    }

    /// Counts a card that was refused as a decline. It makes no row, so an idempotency claim stays as it is: if the process dies, the
    /// same request asks the gateway again.
    async fn count_refused_card(&self, context: RequestContext) -> Result<(), Error> {
        let context = RequestContext::new(context.actor).with_request_id(context.request_id);
        let load = |actor: Actor, _| async move { actor.require_customer(Resource::CreditCard, Act::Create) };
        let decide = |customer: &CustomerId, _: &Actor, at| Ok(Decision::new(RefusedCard { customer_id: *customer, at }, []));
        self.execute(context, load, decide).await.map(drop)
    }

    pub(super) async fn require_few_declines(&self, actor: &Actor) -> Result<(), Error> {
        let now = self.now();
        require_few_declines(&self.declines(actor, now).await?, self.policy(), now)
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
