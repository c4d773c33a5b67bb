use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use lease_core::event::{Audience, EventRecord, EventType, SubjectKind, Viewer};
use lease_core::id::{CustomerId, EventId, NewIds, TradeId, UserId};
use lease_core::repository::EventFilter;

use super::table::Table;
use super::trade::public;
use crate::index::{Kind, Term};
use crate::walk::Query;

/// Events. The lock of the store gives them their order.
///
/// The term of everybody (`Public`) is set by events for all members of their trade, beside those of its present members.
#[derive(Debug, Default)]
pub(crate) struct Events {
    pub(crate) rows: Table<EventRecord>,
    /// For each row from the first on, the terms of those who may see it.
    readers: VecDeque<Vec<Term>>,
}

/// The term of events of a type.
const fn of_type(event_type: EventType) -> Term {
    Term::number(Kind::Status, event_type as i64)
}

/// The term of events about an object.
const fn about(kind: SubjectKind, id: i64) -> Term {
    Term::number(Kind::Subject, id.wrapping_mul(64).wrapping_add(kind as i64))
}

fn in_trade(trade: TradeId) -> Term {
    Term::id(Kind::Trade, trade)
}

fn read_by(customer: CustomerId) -> Term {
    Term::id(Kind::Audience, customer)
}

/// The terms of what a viewer may see.
fn seen_by(viewer: Viewer) -> impl Iterator<Item = Term> {
    viewer.customer.map(read_by).into_iter().chain([Term::id(Kind::Reader, viewer.user)])
}

/// The query for a filter. The filter must be asked as well.
pub(crate) fn query(filter: &EventFilter) -> Query {
    let query = Query::default()
        .and(filter.subject.map(|(kind, id)| about(kind, id)))
        .and(filter.trade_id.map(in_trade))
        .and(filter.actor_user_id.map(|user| Term::id(Kind::Actor, user)));
    let query = if filter.types.is_empty() { query } else { query.and_any(filter.types.iter().copied().map(of_type)) };
    match filter.visible_to {
        Some(viewer) => query.and_any(seen_by(viewer)),
        None => query,
    }
}

/// The terms of an event, without those of who may see it.
fn terms(event: &EventRecord) -> impl Iterator<Item = Term> + use<> {
    let subject = event.subject_id.map(|id| about(event.event_type.subject_kind(), id));
    let actor = event.actor.user_id().map(|user| Term::id(Kind::Actor, user));
    let trade = event.trade_id.map(in_trade);
    [of_type(event.event_type)].into_iter().chain(subject).chain(trade).chain(actor)
}

impl Events {
    /// Inserts an event; `members` are those of its trade.
    pub(crate) fn insert(&mut self, event: EventRecord, audience: &Audience, ids: &NewIds, members: &[CustomerId]) {
        // There are fewer ids than memory has room for events.
        let Ok(id) = self.rows.next_id() else { return };
        let readers: Vec<Term> = match audience {
            Audience::Staff => Vec::new(),
            Audience::User(user) => {
                user.resolve(ids).and_then(UserId::new).map(|user| Term::id(Kind::Reader, user)).into_iter().collect()
            }
            Audience::Customers(readers) => {
                readers.iter().filter_map(|reader| CustomerId::new(reader.resolve(ids)?)).map(read_by).collect()
            }
            Audience::Members => members.iter().copied().map(read_by).chain([public()]).collect(),
        };
        let terms: Vec<Term> = terms(&event).chain(readers.iter().copied()).collect();
        self.readers.push_back(readers);
        self.rows.insert(id, event, terms);
    }

    /// The events of a trade that its members see become those of a new member, too.
    pub(crate) fn admit(&mut self, trade: TradeId, member: CustomerId) {
        let query = Query::default().and(Some(in_trade(trade))).and(Some(public()));
        let earlier: Vec<EventId> = self.rows.find_after(query, None).map(|(id, _)| id).collect();
        let cleared = self.cleared();
        for id in earlier {
            self.rows.index.insert(read_by(member), id);
            let place = id.get() - cleared.map_or(0, EventId::get) - 1;
            if let Some(readers) = usize::try_from(place).ok().and_then(|place| self.readers.get_mut(place)) {
                readers.push(read_by(member));
            }
        }
    }

    /// Deletes at most `limit` of the first events, up to the first that happened at `before` or later. Returns how many.
    pub(crate) fn clear(&mut self, before: DateTime<Utc>, limit: u32) -> u64 {
        let mut cleared = 0;
        while cleared < limit && self.rows.first().is_some_and(|event| event.occurred_at < before) {
            let Some((id, event)) = self.rows.take_first() else { break };
            let readers = self.readers.pop_front().unwrap_or_default();
            terms(&event).chain(readers).for_each(|term| self.rows.index.remove(term, id));
            cleared += 1;
        }
        cleared.into()
    }

    /// The last event that was cleared.
    pub(crate) fn cleared(&self) -> Option<EventId> {
        self.rows.last_taken()
    }

    /// Whether a viewer may see an event.
    pub(crate) fn is_seen_by(&self, id: EventId, viewer: Viewer) -> bool {
        seen_by(viewer).any(|term| self.rows.index.contains(term, id))
    }
}
