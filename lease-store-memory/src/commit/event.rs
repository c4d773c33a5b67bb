use lease_core::event::{Audience, ConsumerName, Event, EventRecord};
use lease_core::id::{CustomerId, EventId, NewIds, TradeId};
use lease_core::lifecycle::{TradeChange, TradeMove};
use lease_core::repository::{Change, Commit, RepositoryError};

use crate::MemoryRepository;
use crate::state::State;

/// The events of a commit, which are inserted once its change is written.
#[derive(Debug, Default)]
pub(super) struct NewEvents {
    events: Vec<(EventRecord, Audience)>,
    /// The trade in which members see them, and those who become its members.
    trade: Option<TradeId>,
    newcomers: Vec<CustomerId>,
}

impl State {
    /// The events of a commit that is about to be written.
    pub(super) fn events_of(&self, Commit { envelope, change }: &Commit, ids: &NewIds) -> NewEvents {
        let (trade, closing, newcomers) = match change {
            Change::Trade(change) => (Some(change.id), self.closing_events(change), self.newcomers(change)),
            Change::OpenTrade(_) => (ids.trade, Vec::new(), Vec::new()),
            Change::RevokeToken(revocation) if !self.tokens.is_there(revocation) => return NewEvents::default(),
            _ => (None, Vec::new(), Vec::new()),
        };
        let all = envelope.events.iter().chain(&closing);
        NewEvents { events: all.map(|event| (envelope.record(event, ids), event.audience.clone())).collect(), trade, newcomers }
    }

    pub(super) fn write_events(&mut self, new: &NewEvents, ids: &NewIds) {
        let members = new.trade.map(|trade| self.members(trade)).unwrap_or_default();
        for newcomer in &new.newcomers {
            new.trade.into_iter().for_each(|trade| self.events.admit(trade, *newcomer));
        }
        for (event, audience) in &new.events {
            self.events.insert(event.clone(), audience, ids, &members);
        }
    }

    /// One event for each proposal that the change closes.
    fn closing_events(&self, TradeChange { id, changes, .. }: &TradeChange) -> Vec<Event> {
        let (Some(trade), Some(_)) = (self.trades.rows.get(*id), changes.close_others) else { return Vec::new() };
        let mut pending = self.proposals.pending_in(*id);
        pending.sort_unstable();
        let event =
            |proposal| changes.closing_event(trade.value.customer_id, proposal, &self.proposals.rows.get(proposal)?.value);
        pending.into_iter().filter_map(event).collect()
    }

    /// Those who become members of the trade by this change.
    fn newcomers(&self, TradeChange { id, changes, .. }: &TradeChange) -> Vec<CustomerId> {
        let counterparty = changes.state.as_ref().and_then(TradeMove::agreement).map(|agreement| agreement.counterparty_id);
        let author = changes.new_proposal.as_ref().map(|proposal| proposal.customer_id);
        let coming: Vec<CustomerId> = author.into_iter().chain(counterparty).collect();
        if coming.is_empty() {
            return coming;
        }
        let members = self.members(*id);
        coming.into_iter().filter(|customer| !members.contains(customer)).collect()
    }

    /// The owner of a trade, everybody who has made a proposal in it, and its counterparty.
    fn members(&self, id: TradeId) -> Vec<CustomerId> {
        let Some(row) = self.trades.rows.get(id) else { return Vec::new() };
        let counterparty = row.value.agreement().map(|agreement| agreement.counterparty_id);
        let mut members = self.proposals.authors_of(id);
        members.extend(counterparty.into_iter().chain([row.value.customer_id]));
        members
    }
}

/// The positions of consumers.
impl MemoryRepository {
    pub(crate) fn write_position(&self, name: &ConsumerName, to: EventId) -> Result<EventId, RepositoryError> {
        self.state.write(
            |state| Ok(state.consumers.get(name).map_or(to, |before| to.max(*before))),
            |state, position| {
                state.consumers.insert(name.clone(), *position);
            },
        )
    }

    pub(crate) fn forget_position(&self, name: &ConsumerName) -> Result<bool, RepositoryError> {
        self.state.write(
            |state| Ok(state.consumers.contains_key(name)),
            |state, _| {
                state.consumers.remove(name);
            },
        )
    }
}
