use chrono::{DateTime, Duration, Utc};

use super::LeaseEngine;
use super::subscription::Subscription;
use crate::error::Error;
use crate::event::{ConsumerName, EventRecord};
use crate::id::{EventId, Stored};
use crate::repository::EventFilter;

/// A consumer whose position is so many events behind what it has read stores it, even if there was nothing for it to do.
const MOST_BEHIND: i64 = 1_000;
/// A consumer that has not stored its position for so long does so, too.
const STORED_EVERY: Duration = Duration::minutes(1);

impl LeaseEngine {
    /// The consumer of this name, for an app that reacts to each event at least once (rule 8.7): it goes on after the last event that
    /// was [`done`](EventConsumer::done); a new one begins with the first event. It sees all events that fulfil the filter, as the
    /// system does.
    ///
    /// ```no_run
    /// # use lease_core::event::EventType;
    /// # use lease_core::repository::EventFilter;
    /// # async fn react(engine: lease_core::LeaseEngine) -> Result<(), Box<dyn std::error::Error>> {
    /// let accepted = EventFilter { types: vec![EventType::ProposalAccepted], ..EventFilter::default() };
    /// let mut consumer = engine.consumer(&"contracts".parse()?, accepted).await?;
    /// loop {
    ///     let event = consumer.next().await?;
    ///     // Draw up the contract here. If the process dies before the next line, the event comes again.
    ///     consumer.done(&event).await?;
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn consumer(&self, name: &ConsumerName, filter: EventFilter) -> Result<EventConsumer, Error> {
        let stored = self.store().consumer_position(name).await?;
        let filter = EventFilter { visible_to: None, ..filter };
        let subscription = Subscription::new(self.clone(), stored, filter);
        let (engine, stored_at) = (self.clone(), self.now());
        Ok(EventConsumer { engine, name: name.clone(), subscription, stored, stored_at, taken: None })
    }

    /// Forgets the position of a consumer. Returns whether there was one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, Error> {
        Ok(self.store().remove_consumer(name).await?)
    }
}

/// Reacts to events, each at least once: [`LeaseEngine::consumer`]. One process at a time should have a consumer of one name; if two
/// have, both get each event.
#[derive(Debug)]
pub struct EventConsumer {
    engine: LeaseEngine,
    name: ConsumerName,
    subscription: Subscription,
    /// The position in the store.
    stored: Option<EventId>,
    /// When it was stored.
    stored_at: DateTime<Utc>,
    /// The last event that was handed out.
    taken: Option<EventId>,
}

impl EventConsumer {
    /// Waits for the next event. After an error, it can be called again: it then waits a second, and misses nothing. If the future is
    /// dropped, nothing is missed either.
    ///
    /// # Errors
    /// [`Error::EventsGone`] if events after the position were cleared; [`skip_to`](Self::skip_to) goes on behind them.
    /// [`Error::Unavailable`].
    pub async fn next(&mut self) -> Result<Stored<EventRecord>, Error> {
        loop {
            if let Some(event) = self.subscription.advance().await? {
                self.taken = Some(event.id);
                return Ok(event);
            }
            self.keep_up().await?;
        }
    }

    /// Stores that this event, and all before it, need not come again. An event that was not done comes again after the next start.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn done(&mut self, event: &Stored<EventRecord>) -> Result<(), Error> {
        let is_last = Some(event.id) >= self.taken;
        let read = self.subscription.position().filter(|_| is_last);
        self.move_to(read.map_or(event.id, |read| read.max(event.id))).await
    }

    /// Passes over everything up to this event: for a new consumer that is to begin with what happens
    /// [from now on](LeaseEngine::last_event).
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn skip_to(&mut self, last: EventId) -> Result<(), Error> {
        self.move_to(last).await?;
        self.subscription.skip_to(self.stored);
        Ok(())
    }

    /// Stores how far it has read now and then where nothing was for it to do, so that old events can be cleared.
    async fn keep_up(&mut self) -> Result<(), Error> {
        let number = |id: Option<EventId>| id.map_or(0, EventId::get);
        let is_done = self.taken <= self.stored;
        let Some(read) = self.subscription.position().filter(|read| is_done && Some(*read) > self.stored) else { return Ok(()) };
        let is_due = self.engine.now() - self.stored_at >= STORED_EVERY;
        if is_due || read.get() - number(self.stored) >= MOST_BEHIND { self.move_to(read).await } else { Ok(()) }
    }

    async fn move_to(&mut self, position: EventId) -> Result<(), Error> {
        self.stored = Some(self.engine.store().move_consumer(&self.name, position).await?);
        self.stored_at = self.engine.now();
        Ok(())
    }
}
