use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use std::vec;

use futures_util::stream::{Stream, unfold};
use tokio::sync::watch;
use tokio::time::timeout;

use super::LeaseEngine;
use super::events::viewer;
use super::news::Watcher;
use crate::error::Error;
use crate::event::EventRecord;
use crate::id::{EventId, Stored};
use crate::permission::{Act, Actor, Resource};
use crate::repository::EventFilter;

/// The most events that are read at once. A subscription that nobody reads on keeps them, and one of them may have tens of KiB.
const READ_AT_ONCE: u32 = 20;
/// The time after which a reading that failed is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

impl LeaseEngine {
    /// The id of the newest event, whoever may see it: reading on from it shows what happens from now on. `None` if nothing has
    /// happened yet.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn last_event(&self, actor: &Actor) -> Result<Option<EventId>, Error> {
        actor.require(Resource::Event, Act::Read)?;
        Ok(self.store().last_event().await?)
    }

    /// The events after this id, or from the first on, that the actor may see, in order and without end: each arrives within a second
    /// of its commit, in whichever process that was.
    ///
    /// While nothing happens, a subscription costs the store nothing: one task asks for all those of the engine. Dropped, it ends,
    /// and with the last one the task. It needs not be read all the time, and holds a few events at most.
    ///
    /// While the store is away, a subscription waits. A reading that fails is an error in the stream; whoever reads on tries again,
    /// after a second, and misses nothing. The actor is not asked again who they are: where they may lose their rights, the caller
    /// looks after them.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; in the stream [`Error::Unavailable`].
    pub fn subscribe(
        &self,
        actor: &Actor,
        after: Option<EventId>,
        filter: EventFilter,
    ) -> Result<impl Stream<Item = Result<Stored<EventRecord>, Error>> + Send + use<>, Error> {
        let filter = EventFilter { visible_to: viewer(actor)?, ..filter };
        let subscription = Subscription::new(self.clone(), after, filter);
        Ok(unfold(subscription, async |mut subscription| Some((subscription.next().await, subscription))))
    }
}

/// Reads events as they come. If one of its futures is dropped, nothing is lost.
#[derive(Debug)]
pub(super) struct Subscription {
    engine: LeaseEngine,
    filter: EventFilter,
    /// Everything up to here was read.
    position: Option<EventId>,
    /// What was read, and not taken yet.
    found: vec::IntoIter<Stored<EventRecord>>,
    news: Option<(Arc<Watcher>, watch::Receiver<Option<EventId>>)>,
    has_failed: bool,
}

impl Subscription {
    pub(super) fn new(engine: LeaseEngine, after: Option<EventId>, filter: EventFilter) -> Self {
        Self { engine, filter, position: after, found: vec::IntoIter::default(), news: None, has_failed: false }
    }

    /// Waits for the next event.
    async fn next(&mut self) -> Result<Stored<EventRecord>, Error> {
        loop {
            if let Some(event) = self.advance().await? {
                return Ok(event);
            }
        }
    }

    /// Waits until there is news. Returns the next event; `None` if none of what is new fulfils the filter.
    pub(super) async fn advance(&mut self) -> Result<Option<Stored<EventRecord>>, Error> {
        if self.found.len() == 0 {
            self.read_on().await?;
        }
        Ok(self.found.next())
    }

    /// The id up to which everything was read and taken; `None` while something was read and not taken.
    pub(super) fn position(&self) -> Option<EventId> {
        self.position.filter(|_| self.found.len() == 0)
    }

    /// Passes over everything up to this id.
    pub(super) fn skip_to(&mut self, position: Option<EventId>) {
        self.position = self.position.max(position);
        self.found = self.found.by_ref().filter(|event| Some(event.id) > position).collect::<Vec<_>>().into_iter();
    }

    async fn read_on(&mut self) -> Result<(), Error> {
        if self.has_failed {
            // Nothing tells when it is worth another try.
            let _ = timeout(TRY_AGAIN_AFTER, pending::<()>()).await;
        }
        let read = self.read_news().await;
        self.has_failed = read.is_err();
        read
    }

    async fn read_news(&mut self) -> Result<(), Error> {
        let newest = self.newest().await?;
        let _turn = self.engine.shared.news.turn().await.map_err(Error::internal)?;
        let found = self.engine.kept_events_after(self.position, READ_AT_ONCE, &self.filter).await?;
        let last = found.last().map(|event| event.id);
        // A page that is not full has everything that there was, up to the newest event of all.
        let is_full = found.len() >= READ_AT_ONCE as usize;
        self.position = if is_full { last } else { last.max(newest) };
        self.found = found.into_iter();
        Ok(())
    }

    /// Waits for an event after the position.
    async fn newest(&mut self) -> Result<Option<EventId>, Error> {
        let (_, newest) = self.news.get_or_insert_with(|| {
            let watcher = self.engine.shared.news.watcher(&self.engine.shared.store);
            let newest = watcher.newest();
            (watcher, newest)
        });
        let found = newest.wait_for(|newest| *newest > self.position).await.map(|newest| *newest);
        if found.is_err() {
            self.news = None;
        }
        found.map_err(Error::internal)
    }
}
