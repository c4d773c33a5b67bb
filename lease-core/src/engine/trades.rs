use chrono::{DateTime, Utc};

use super::{LeaseEngine, own_only};
use crate::error::Error;
use crate::id::{Entity, Stored, TradeId, Version, Versioned};
use crate::lifecycle::{
    AmendmentDraft, AvailableAction, TradeChanges, TradeDraft, TradeSnapshot, ViewerHistory, amend, cancel, open,
    require_visible, trade_actions,
};
use crate::model::Trade;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{OpeningSnapshot, RepositoryError, TradeFilter, TradeKey, TradeLoad};

/// A thing as an actor sees it, with what they may do with it now.
#[derive(Clone, Debug, PartialEq)]
pub struct WithActions<T: Entity> {
    /// The thing.
    pub stored: Stored<T>,
    /// What the actor may do with it now.
    pub available_actions: Vec<AvailableAction>,
}

impl LeaseEngine {
    /// Offers a vehicle (spec 4.1).
    ///
    /// # Errors
    /// As [`open`]; [`Error::Unavailable`].
    pub async fn open_trade(&self, actor: &Actor, draft: &TradeDraft) -> Result<WithActions<Trade>, Error> {
        actor.require(Resource::Trade, Act::Create)?;
        let mut retry = self.retry();
        loop {
            let offer = match (draft.vehicle_id.given(), draft.service_id.given()) {
                (Some(vehicle), Some(service)) => Some(self.store().load_opening(*vehicle, *service, actor.customer()).await?),
                // Refused whatever is found, but another's vehicle is forbidden before a missing service is wrong.
                (Some(vehicle), None) => {
                    Some(OpeningSnapshot { vehicle: self.store().load_vehicle(*vehicle, actor.customer()).await?, service: None })
                }
                (None, Some(service)) => {
                    Some(OpeningSnapshot { vehicle: None, service: self.store().find_service(*service).await? })
                }
                (None, None) => None,
            };
            let now = self.now();
            let opening = open(offer.as_ref(), actor, draft, now)?;
            match self.store().open_trade(&opening, self.claim).await {
                Ok(id) => {
                    let service = offer.and_then(|offer| offer.service).ok_or(Error::NotFound)?.value;
                    let snapshot = TradeSnapshot {
                        trade: Stored { id, value: opening.trade },
                        service,
                        invoice: None,
                        has_proposals: false,
                        proposal: None,
                        payment: None,
                        card: None,
                        viewer: ViewerHistory::default(),
                    };
                    return Ok(self.trade_view(snapshot, actor, now));
                }
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// A trade.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_trade(&self, actor: &Actor, id: TradeId) -> Result<WithActions<Trade>, Error> {
        let now = self.now();
        let loaded = self.load_trade(TradeKey::Trade(id), actor, now).await?;
        require_visible(&loaded, actor)?;
        Ok(self.trade_view(loaded.value, actor, now))
    }

    /// Changes the words of a trade (spec 4.12).
    ///
    /// # Errors
    /// As [`amend`]; [`Error::Unavailable`].
    pub async fn amend_trade(&self, actor: &Actor, id: TradeId, draft: &AmendmentDraft) -> Result<WithActions<Trade>, Error> {
        let (snapshot, now) = self.change_trade(TradeKey::Trade(id), actor, |trade, _| amend(trade, actor, draft)).await?;
        Ok(self.trade_view(snapshot, actor, now))
    }

    /// Calls a trade off (spec 4.6).
    ///
    /// # Errors
    /// As [`cancel`]; [`Error::Unavailable`].
    pub async fn cancel_trade(&self, actor: &Actor, id: TradeId) -> Result<WithActions<Trade>, Error> {
        let (snapshot, now) = self.change_trade(TradeKey::Trade(id), actor, |trade, now| cancel(trade, actor, now)).await?;
        Ok(self.trade_view(snapshot, actor, now))
    }

    /// The trades that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn list_trades(
        &self,
        actor: &Actor,
        filter: TradeFilter,
        page: PageRequest,
    ) -> Result<Page<WithActions<Trade>>, Error> {
        let visible_to = own_only(actor, Resource::Trade)?;
        let found = self.store().list_trades(&TradeFilter { visible_to, ..filter }, page).await?;
        let now = self.now();
        let policy = self.policy();
        self.with_actions(
            found,
            actor,
            now,
            |trade| TradeKey::Trade(trade.id),
            |snapshot| trade_actions(snapshot, actor, policy, now),
        )
        .await
    }

    /// Loads, decides and commits a change to a trade; what comes back is the trade after it, and when it was decided.
    pub(super) async fn change_trade(
        &self,
        key: TradeKey,
        actor: &Actor,
        decide: impl Fn(&TradeSnapshot, DateTime<Utc>) -> Result<TradeChanges, Error>,
    ) -> Result<(TradeSnapshot, DateTime<Utc>), Error> {
        let mut retry = self.retry();
        loop {
            let now = self.now();
            let mut loaded = self.load_trade(key, actor, now).await?;
            let changes = decide(&loaded, now)?;
            match self.commit_trade(&mut loaded, &changes).await {
                Ok(()) => return Ok((loaded.value, now)),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Commits, and brings what was loaded up to date.
    pub(super) async fn commit_trade(
        &self,
        loaded: &mut Versioned<TradeSnapshot>,
        changes: &TradeChanges,
    ) -> Result<(), RepositoryError> {
        let expected: Version = loaded.version;
        let ids = self.store().commit_trade(loaded.trade.id, expected, changes, self.claim).await?;
        loaded.value.apply(changes, ids);
        loaded.version = expected.next();
        Ok(())
    }

    pub(super) async fn load_trade(
        &self,
        key: TradeKey,
        actor: &Actor,
        now: DateTime<Utc>,
    ) -> Result<Versioned<TradeSnapshot>, Error> {
        actor.require(Resource::Trade, Act::Read)?;
        let load = TradeLoad { key, viewer: actor.customer(), card: None, now };
        self.store().load_trade(&load).await?.ok_or(Error::NotFound)
    }

    /// Adds to a page what the actor may do with each row, in one more round trip.
    pub(super) async fn with_actions<T: Entity>(
        &self,
        page: Page<Stored<T>>,
        actor: &Actor,
        now: DateTime<Utc>,
        key: impl Fn(&Stored<T>) -> TradeKey,
        actions: impl Fn(&TradeSnapshot) -> Vec<AvailableAction>,
    ) -> Result<Page<WithActions<T>>, Error> {
        let keys: Vec<TradeKey> = page.items.iter().map(key).collect();
        let snapshots = if keys.is_empty() { Vec::new() } else { self.store().load_trades(&keys, actor.customer(), now).await? };
        let mut snapshots = snapshots.into_iter();
        Ok(page.map(|stored| {
            let available_actions = snapshots.next().flatten().map_or_else(Vec::new, |snapshot| actions(&snapshot));
            WithActions { stored, available_actions }
        }))
    }

    fn trade_view(&self, snapshot: TradeSnapshot, actor: &Actor, now: DateTime<Utc>) -> WithActions<Trade> {
        let available_actions = trade_actions(&snapshot, actor, self.policy(), now);
        WithActions { stored: snapshot.trade, available_actions }
    }
}
