use chrono::{DateTime, Utc};

use super::command::Outcome;
use super::{LeaseEngine, RequestContext, visible_to};
use crate::decision::Decision;
use crate::error::Error;
use crate::guard::GuardedAct;
use crate::id::{CustomerId, Entity, NewIds, Stored, TradeId, Versioned};
use crate::input::{FieldErrors, Invalid};
use crate::lifecycle::{
    AmendmentDraft, AvailableAction, CancellationDraft, EndDraft, OpeningSnapshot, TradeChange, TradeChanges, TradeDraft,
    TradeSnapshot, ViewerHistory, amend, cancel, end, open, require_visible, trade_actions,
};
use crate::model::{ExternalId, Trade, TradeState};
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource, can_view_days};
use crate::repository::{TradeFilter, TradeKey, TradeLoad};

/// A trade, a proposal or a payment, with the actions that an actor may take on it now.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(bound(serialize = "Stored<T>: serde::Serialize")))]
#[cfg_attr(feature = "serde", serde(bound(deserialize = "Stored<T>: serde::de::DeserializeOwned")))]
#[non_exhaustive]
pub struct WithActions<T: Entity> {
    /// The trade, the proposal or the payment.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub stored: Stored<T>,
    /// The actions that the actor may take on it now.
    pub available_actions: Vec<AvailableAction>,
}

/// A trade after a change, with the actor and the instant of the decision.
pub(super) struct ChangedTrade {
    pub(super) snapshot: TradeSnapshot,
    pub(super) actor: Actor,
    pub(super) at: DateTime<Utc>,
}

impl LeaseEngine {
    /// Opens a trade: offers a vehicle under a service (rule 4.1).
    ///
    /// # Errors
    /// As [`open`]; [`Error::RefusedByGuard`]; [`Error::Unavailable`].
    pub async fn open_trade(&self, context: impl Into<RequestContext>, draft: &TradeDraft) -> Result<WithActions<Trade>, Error> {
        let load = |actor: Actor, now| async move {
            actor.require(Resource::Trade, Act::Create)?;
            let (vehicle, service) = (draft.vehicle_id.given().copied(), draft.service_id.given().copied());
            let opening = self.store().load_opening(vehicle, service, actor.customer(), now).await?;
            Ok((opening, self.trade_with(draft.annotations().wanted_id(), now).await?))
        };
        let decide = |(opening, taken_by): &(OpeningSnapshot, Option<TradeId>), actor: &Actor, now| {
            let decision = open(opening, actor, draft, *taken_by, now)?;
            self.ask_guard(actor, GuardedAct::open(opening, &decision.trade), now)?;
            Ok(decision)
        };
        let done = self.execute(context, load, decide).await?;
        let (Some(id), Some(service)) = (done.ids.trade, done.snapshot.0.service) else {
            return Err(Error::internal("an opened trade has no id or no service"));
        };
        let snapshot = TradeSnapshot {
            trade: Stored { id, value: done.changes.trade },
            owner_is_active: true,
            service: service.value,
            invoice: None,
            has_proposals: false,
            proposal: None,
            payment: None,
            refund: None,
            card: None,
            viewer: ViewerHistory::default(),
        };
        Ok(self.trade_view(ChangedTrade { snapshot, actor: done.actor, at: done.at }))
    }

    /// A trade.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_trade(&self, actor: &Actor, id: TradeId) -> Result<WithActions<Trade>, Error> {
        let at = self.now();
        let snapshot = self.load_trade(TradeKey::Trade(id), actor, at).await?.value;
        require_visible(&snapshot, actor)?;
        Ok(self.trade_view(ChangedTrade { snapshot, actor: *actor, at }))
    }

    /// Changes the title and the description of a trade (rule 4.14), and what the company keeps with it.
    ///
    /// # Errors
    /// As [`amend`]; [`Error::Unavailable`].
    pub async fn amend_trade(
        &self,
        context: impl Into<RequestContext>,
        id: TradeId,
        draft: &AmendmentDraft,
    ) -> Result<WithActions<Trade>, Error> {
        let load = |actor: Actor, now| async move {
            let loaded = self.load_trade(TradeKey::Trade(id), &actor, now).await?;
            Ok((loaded, self.trade_with(draft.annotations().wanted_id(), now).await?))
        };
        let decide = |(loaded, taken_by): &(Versioned<TradeSnapshot>, Option<TradeId>), actor: &Actor, _| {
            Ok(amend(loaded, actor, draft, *taken_by)?.map(|changes| at(loaded, changes)))
        };
        let done = self.execute(context, load, decide).await?;
        let snapshot = applied(done.snapshot.0, &done.changes, done.ids).value;
        Ok(self.trade_view(ChangedTrade { snapshot, actor: done.actor, at: done.at }))
    }

    /// Cancels a trade (rule 4.6).
    ///
    /// # Errors
    /// As [`cancel`]; [`Error::Unavailable`].
    pub async fn cancel_trade(
        &self,
        context: impl Into<RequestContext>,
        id: TradeId,
        draft: &CancellationDraft,
    ) -> Result<WithActions<Trade>, Error> {
        // An agreed trade is cancelled together with its accepted proposal.
        let load = |actor: Actor, now| async move {
            let loaded = self.load_trade(TradeKey::Trade(id), &actor, now).await?;
            match loaded.trade.state {
                TradeState::Agreed(agreement) => self.load_trade(TradeKey::Proposal(agreement.proposal_id), &actor, now).await,
                _ => Ok(loaded),
            }
        };
        let decide = |trade: &TradeSnapshot, actor: &Actor, now| cancel(trade, actor, draft, now);
        Ok(self.trade_view(self.change_loaded_trade(context, load, decide).await?))
    }

    /// Ends the agreed days of a trade early (rule 4.12).
    ///
    /// # Errors
    /// As [`end`]; [`Error::Unavailable`].
    pub async fn end_trade(
        &self,
        context: impl Into<RequestContext>,
        id: TradeId,
        draft: &EndDraft,
    ) -> Result<WithActions<Trade>, Error> {
        let decide = |trade: &TradeSnapshot, actor: &Actor, _| end(trade, actor, draft);
        Ok(self.trade_view(self.change_trade(context, TradeKey::Trade(id), decide).await?))
    }

    /// The trades that the actor may see. Prices are compared in [`Policy::currency`](crate::policy::Policy::currency) if the filter
    /// names no other.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; an invalid `cursor`, if it is of a list in another order; [`Error::Unavailable`].
    pub async fn list_trades(
        &self,
        actor: &Actor,
        filter: TradeFilter,
        page: PageRequest,
    ) -> Result<Page<WithActions<Trade>>, Error> {
        let visible_to = visible_to(actor, Resource::Trade)?;
        if page.cursor().is_some_and(|cursor| !filter.sort.has_given(cursor)) {
            return Err(FieldErrors::one("cursor", Invalid::CursorOfAnotherOrder).into());
        }
        let currency = filter.currency.or_else(|| filter.compares_prices().then_some(self.policy().currency));
        let at = self.now();
        let found = self.store().list_trades(&TradeFilter { visible_to, currency, ..filter }, page, at).await?;
        Ok(found.map(|snapshot| self.trade_view(ChangedTrade { snapshot, actor: *actor, at })))
    }

    /// The trade that has this external id.
    async fn trade_with(&self, external_id: Option<ExternalId>, now: DateTime<Utc>) -> Result<Option<TradeId>, Error> {
        let Some(external_id) = external_id else { return Ok(None) };
        let filter = TradeFilter { external_id: Some(external_id), ..TradeFilter::default() };
        Ok(self.store().list_trades(&filter, PageRequest::default(), now).await?.items.first().map(|found| found.trade.id))
    }

    /// Loads, decides and commits a change to a trade.
    pub(super) async fn change_trade(
        &self,
        context: impl Into<RequestContext>,
        key: TradeKey,
        decide: impl Fn(&TradeSnapshot, &Actor, DateTime<Utc>) -> Result<Decision<TradeChanges>, Error>,
    ) -> Result<ChangedTrade, Error> {
        self.change_loaded_trade(context, |actor, now| async move { self.load_trade(key, &actor, now).await }, decide).await
    }

    /// The same as [`change_trade`](Self::change_trade), with a load of its own.
    async fn change_loaded_trade<F>(
        &self,
        context: impl Into<RequestContext>,
        load: impl FnMut(Actor, DateTime<Utc>) -> F,
        decide: impl Fn(&TradeSnapshot, &Actor, DateTime<Utc>) -> Result<Decision<TradeChanges>, Error>,
    ) -> Result<ChangedTrade, Error>
    where
        F: Future<Output = Result<Versioned<TradeSnapshot>, Error>>,
    {
        let decide = |loaded: &Versioned<TradeSnapshot>, actor: &Actor, now| {
            Ok(decide(loaded, actor, now)?.map(|changes| at(loaded, changes)))
        };
        let done = self.execute(context, load, decide).await?;
        let snapshot = applied(done.snapshot, &done.changes, done.ids).value;
        Ok(ChangedTrade { snapshot, actor: done.actor, at: done.at })
    }

    /// Records what a gateway said of a trade that is loaded, and loads it anew each time that it has changed in the meantime. Returns
    /// the trade as it is then.
    pub(super) async fn settle_trade(
        &self,
        context: RequestContext,
        loaded: Versioned<TradeSnapshot>,
        key: TradeKey,
        decide: impl Fn(&TradeSnapshot, DateTime<Utc>) -> Result<Option<Decision<TradeChanges>>, Error>,
    ) -> Result<Versioned<TradeSnapshot>, Error> {
        let mut loaded = Some(loaded);
        let load = |_, _| {
            let known = loaded.take();
            async move {
                match known {
                    Some(loaded) => Ok(loaded),
                    None => self.load_for_gateway(key).await,
                }
            }
        };
        let decide = |loaded: &Versioned<TradeSnapshot>, _: &Actor, now| {
            Ok(decide(loaded, now)?.map(|decision| decision.map(|changes| at(loaded, changes))))
        };
        // On the heap, since it is part of long commands.
        match Box::pin(self.execute_if_needed(context, load, decide)).await? {
            Outcome::Committed(done) => Ok(applied(done.snapshot, &done.changes, done.ids)),
            Outcome::NothingToDo(loaded) => Ok(loaded),
        }
    }

    /// Loads a trade for an act at the gateway: for no viewer, and whoever acts.
    pub(super) async fn load_for_gateway(&self, key: TradeKey) -> Result<Versioned<TradeSnapshot>, Error> {
        self.load_for(key, None, self.now()).await
    }

    pub(super) async fn load_trade(
        &self,
        key: TradeKey,
        actor: &Actor,
        now: DateTime<Utc>,
    ) -> Result<Versioned<TradeSnapshot>, Error> {
        actor.require(Resource::Trade, Act::Read)?;
        self.load_for(key, actor.customer(), now).await
    }

    async fn load_for(
        &self,
        key: TradeKey,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<Versioned<TradeSnapshot>, Error> {
        let load = TradeLoad { key, viewer, with_pending: false, card: None, now };
        self.store().load_trade(&load).await?.ok_or(Error::NotFound)
    }

    fn trade_view(&self, ChangedTrade { snapshot, actor, at }: ChangedTrade) -> WithActions<Trade> {
        let available_actions = trade_actions(&snapshot, &actor, self.policy(), at);
        let available_actions = self.unrefused(available_actions, &snapshot, &actor, at);
        let Stored { id, value: mut trade } = snapshot.trade;
        trade.asking = trade.asking_at(at);
        let hides_days = actor.customer().is_some_and(|customer| !can_view_days(customer, &trade));
        let value = if hides_days { trade.without_days() } else { trade };
        WithActions { stored: Stored { id, value }, available_actions }
    }
}

/// A change that makes these changes to a trade as it was loaded.
pub(super) fn at(loaded: &Versioned<TradeSnapshot>, changes: TradeChanges) -> TradeChange {
    TradeChange { id: loaded.trade.id, expected: loaded.version, changes }
}

/// The snapshot after a commit: what a load would return now.
pub(super) fn applied(mut loaded: Versioned<TradeSnapshot>, change: &TradeChange, ids: NewIds) -> Versioned<TradeSnapshot> {
    loaded.value.apply(&change.changes, ids);
    loaded.version = loaded.version.next();
    loaded
}
