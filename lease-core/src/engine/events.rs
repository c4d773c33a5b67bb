use super::LeaseEngine;
use crate::error::Error;
use crate::event::{EventRecord, Viewer};
use crate::id::{EventId, Stored, TradeId};
use crate::lifecycle::require_visible;
use crate::page::{Cursor, Page, PageRequest};
use crate::permission::{Act, Actor, Grant, Resource};
use crate::repository::{EventFilter, TradeKey};

/// The most events that one call reads forward.
const MOST_EVENTS: u32 = 1_000;

impl LeaseEngine {
    /// The events that the actor may see, newest first (rule 8.4).
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn events(
        &self,
        actor: &Actor,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<EventRecord>>, Error> {
        let visible_to = viewer(actor)?;
        Ok(self.store().list_events(&EventFilter { visible_to, ..filter }, page).await?)
    }

    /// An event.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_event(&self, actor: &Actor, id: EventId) -> Result<Stored<EventRecord>, Error> {
        self.store().find_event(id, viewer(actor)?).await?.ok_or(Error::NotFound)
    }

    /// The first events after this id, or from the first on, that the actor may see: oldest first, at most `limit` of them and at
    /// most 1,000. Whoever reads on from the last id misses nothing (rule 8.5).
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::EventsGone`] if events after this id were cleared; [`Error::Unavailable`].
    pub async fn events_after(
        &self,
        actor: &Actor,
        after: Option<EventId>,
        limit: u32,
        filter: EventFilter,
    ) -> Result<Vec<Stored<EventRecord>>, Error> {
        let visible_to = viewer(actor)?;
        self.kept_events_after(after, limit.min(MOST_EVENTS), &EventFilter { visible_to, ..filter }).await
    }

    /// The first events after this id that fulfil the filter, if none after it were cleared.
    pub(super) async fn kept_events_after(
        &self,
        after: Option<EventId>,
        limit: u32,
        filter: &EventFilter,
    ) -> Result<Vec<Stored<EventRecord>>, Error> {
        let events = self.store().events_after(after, limit, filter).await?;
        self.require_kept(after.map_or(0, EventId::get)).await?;
        Ok(events)
    }

    /// A page of the events after this id, or from the first on, that the actor may see: a list in the other direction, oldest
    /// first, so its next page has newer events.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::EventsGone`] if events after this id, or after the last page, were cleared;
    /// [`Error::Unavailable`].
    pub async fn events_forward(
        &self,
        actor: &Actor,
        after: Option<EventId>,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<EventRecord>>, Error> {
        let found = self.oldest_first(actor, after, filter, page).await?;
        match page.cursor() {
            None => self.require_kept(after.map_or(0, EventId::get)).await?,
            Some(Cursor::After(last)) => self.require_kept(last.id).await?,
            // The way back leads to what is still there.
            Some(Cursor::Before(_)) => {}
        }
        Ok(found)
    }

    async fn oldest_first(
        &self,
        actor: &Actor,
        after: Option<EventId>,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<EventRecord>>, Error> {
        let filter = EventFilter { visible_to: viewer(actor)?, ..filter };
        let start = after.map_or(0, EventId::get);
        let mut found = self.store().list_events(&filter, page.reversed_from(start)).await?.reversed(page);
        let fetched = found.items.len();
        found.items.retain(|event| event.id.get() > start);
        if found.items.len() < fetched {
            // The way back ends where the list begins.
            found.previous = None;
        }
        Ok(found)
    }

    /// Refuses to go on from an id if events after it were cleared (rule 8.9). Asked once the reading has ended, so that no event is
    /// cleared between the two. From 0 on, a reading begins with the first that is still there.
    async fn require_kept(&self, after: i64) -> Result<(), Error> {
        if after > 0 && self.store().cleared_events().await?.is_some_and(|cleared| after < cleared.get()) {
            return Err(Error::EventsGone);
        }
        Ok(())
    }

    /// The events of a trade that the actor may see and that were not cleared, in pages as of
    /// [`events_forward`](Self::events_forward).
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn trade_history(&self, actor: &Actor, id: TradeId, page: PageRequest) -> Result<Page<Stored<EventRecord>>, Error> {
        actor.require(Resource::Event, Act::Read)?;
        let trade = self.load_trade(TradeKey::Trade(id), actor, self.now()).await?;
        require_visible(&trade, actor)?;
        let filter = EventFilter { trade_id: Some(id), ..EventFilter::default() };
        self.oldest_first(actor, None, filter, page).await
    }
}

/// The user to whom events are limited: `None` for an actor who may see all.
pub(super) fn viewer(actor: &Actor) -> Result<Option<Viewer>, Error> {
    if actor.require(Resource::Event, Act::Read)? == Grant::All {
        return Ok(None);
    }
    let user = actor.user().ok_or(Error::NotAuthenticated)?;
    Ok(Some(Viewer { user, customer: actor.customer() }))
}
