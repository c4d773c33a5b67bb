use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::RepositoryError;
use crate::event::{ConsumerName, EventRecord, EventType, SubjectKind, Viewer};
use crate::id::{EventId, Stored, TradeId, UserId};
use crate::page::{Page, PageRequest};

/// Events. They are written by [`commit`](super::Repository::commit) only, and never change.
///
/// **Order** (rule 8.5). Ids ascend in the order in which events can be read: after a reading has returned an id, no later reading,
/// in whatever process, returns another event at or below it, except to somebody who has become a member of its trade since. The
/// events of one commit are in their order, and those of a commit that begins after another one has ended come after that one's.
/// A store may give an id after the commit, but a reading that begins after a commit has ended returns its events. No writer waits
/// for another because of this, and no event for a transaction that has nothing to do with it.
#[async_trait]
pub trait EventRepository {
    /// Lists events, newest first.
    async fn list_events(&self, filter: &EventFilter, page: PageRequest) -> Result<Page<Stored<EventRecord>>, RepositoryError>;

    /// The first events after this id, or from the first on: oldest first, at most `limit`.
    async fn events_after(
        &self,
        after: Option<EventId>,
        limit: u32,
        filter: &EventFilter,
    ) -> Result<Vec<Stored<EventRecord>>, RepositoryError>;

    /// The id of the newest event, those of every commit that ended before the call included. It never becomes smaller, even if events
    /// are deleted. `None` if there has been none.
    async fn last_event(&self) -> Result<Option<EventId>, RepositoryError>;

    /// Gives ids to at most `limit` events that were committed and have none, oldest first. Returns how many. Readings do so by
    /// themselves; to do it all the time keeps them short. A store that gives ids with the commit has nothing to do.
    async fn place_events(&self, limit: u32) -> Result<u64, RepositoryError>;

    /// One event, if this viewer may see it; `None` sees all.
    async fn find_event(&self, id: EventId, visible_to: Option<Viewer>) -> Result<Option<Stored<EventRecord>>, RepositoryError>;

    /// The position of a consumer: the event up to which all are done. `None` if it has none.
    async fn consumer_position(&self, name: &ConsumerName) -> Result<Option<EventId>, RepositoryError>;

    /// Moves the position of a consumer forward, and never back. Returns the position that it has then.
    async fn move_consumer(&self, name: &ConsumerName, to: EventId) -> Result<EventId, RepositoryError>;

    /// Forgets the position of a consumer. Returns whether it had one.
    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, RepositoryError>;
}

/// The filter for events; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those that this user and their customer may see: by the event's [`Audience`](crate::event::Audience).
    pub visible_to: Option<Viewer>,
    /// Of one of these types, if there are any.
    pub types: Vec<EventType>,
    /// About this object.
    pub subject: Option<(SubjectKind, i64)>,
    /// Of this trade and what hangs on it.
    pub trade_id: Option<TradeId>,
    /// By this user.
    pub actor_user_id: Option<UserId>,
    /// That happened at this instant or later.
    pub since: Option<DateTime<Utc>>,
    /// That happened before this instant.
    pub until: Option<DateTime<Utc>>,
}

impl EventFilter {
    /// Whether an event fulfils all conditions but that on who may see it.
    #[must_use]
    pub fn matches(&self, event: &EventRecord) -> bool {
        (self.types.is_empty() || self.types.contains(&event.event_type))
            && self.subject.is_none_or(|(kind, id)| (event.event_type.subject_kind(), event.subject_id) == (kind, Some(id)))
            && self.trade_id.is_none_or(|trade| event.trade_id == Some(trade))
            && self.actor_user_id.is_none_or(|user| event.actor.user_id() == Some(user))
            && self.since.is_none_or(|since| event.occurred_at >= since)
            && self.until.is_none_or(|until| event.occurred_at < until)
    }
}
