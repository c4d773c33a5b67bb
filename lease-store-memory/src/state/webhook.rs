use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use lease_core::decision::RowChange;
use lease_core::id::{EventId, WebhookDeliveryId, WebhookEndpointId};
use lease_core::model::{DeliveryState, DeliveryStatus, WebhookDelivery, WebhookEndpoint, WebhookMessage};
use lease_core::repository::{ClaimedDelivery, RecordedAttempt};
use lease_core::webhook::{Start, WebhookEndpointChange};

use super::event::Events;
use super::table::{Indexed, Table};
use crate::index::{Kind, Term};
use crate::walk::{Direction, Query};

/// Webhook endpoints, and what is delivered to them.
#[derive(Debug, Default)]
pub(crate) struct Webhooks {
    pub(crate) endpoints: Table<WebhookEndpoint>,
    pub(crate) deliveries: Table<WebhookDelivery>,
    /// How far each endpoint has come.
    queues: BTreeMap<WebhookEndpointId, Queue>,
    /// Until when deliveries are held. Few are at the same time.
    held: BTreeMap<WebhookDeliveryId, DateTime<Utc>>,
}

/// How far an endpoint has come, and its deliveries.
#[derive(Debug, Default)]
struct Queue {
    /// The last event up to which its deliveries were queued.
    position: Option<EventId>,
    /// The first of the tries that have failed since one succeeded.
    failing_since: Option<DateTime<Utc>>,
    /// The pending deliveries, by when they are tried.
    pending: BTreeSet<(DateTime<Utc>, WebhookDeliveryId)>,
    /// The events of the pending deliveries.
    needed: BTreeSet<(EventId, WebhookDeliveryId)>,
    /// The pending deliveries, by when they were created.
    unfinished: BTreeSet<(DateTime<Utc>, WebhookDeliveryId)>,
    /// The other deliveries, by when they were created.
    finished: BTreeSet<(DateTime<Utc>, WebhookDeliveryId)>,
}

impl Indexed for WebhookEndpoint {
    fn terms(&self) -> Vec<Term> {
        vec![Term::flag(self.is_active())]
    }
}

impl Indexed for WebhookDelivery {
    fn terms(&self) -> Vec<Term> {
        vec![to_endpoint(self.endpoint_id), delivery_status(self.state.into())]
    }
}

/// The term of deliveries to an endpoint.
pub(crate) fn to_endpoint(endpoint: WebhookEndpointId) -> Term {
    Term::id(Kind::Endpoint, endpoint)
}

/// The term of deliveries of a status.
pub(crate) const fn delivery_status(status: DeliveryStatus) -> Term {
    Term::number(Kind::Status, status as i64)
}

impl Webhooks {
    /// Writes a change to an endpoint; `created` is the id of a new one.
    pub(crate) fn write_endpoint(&mut self, change: &WebhookEndpointChange, created: Option<WebhookEndpointId>) {
        self.endpoints.write(&change.endpoint, created);
        match change.endpoint {
            RowChange::Create(_) => created.into_iter().for_each(|id| self.start(id, change.start)),
            RowChange::Update { id, .. } => self.start(id, change.start),
            RowChange::Delete { id, .. } => self.erase_deliveries(id),
        }
    }

    fn start(&mut self, id: WebhookEndpointId, start: Option<Start>) {
        let queue = self.queues.entry(id).or_default();
        if let Some(Start { after }) = start {
            (queue.position, queue.failing_since) = (after, None);
        }
    }

    fn erase_deliveries(&mut self, endpoint: WebhookEndpointId) {
        self.queues.remove(&endpoint);
        let deliveries: Vec<WebhookDeliveryId> = self.deliveries.index.rows(to_endpoint(endpoint)).collect();
        for id in deliveries {
            self.erase(id);
        }
    }

    /// Inserts a new delivery.
    pub(crate) fn insert(&mut self, id: WebhookDeliveryId, delivery: WebhookDelivery) {
        self.queues.entry(delivery.endpoint_id).or_default().note(id, &delivery);
        let terms = delivery.terms();
        self.deliveries.insert(id, delivery, terms);
    }

    /// Makes a delivery pending again, held by nobody, and counts its tries anew.
    pub(crate) fn retry(&mut self, id: WebhookDeliveryId, at: DateTime<Utc>) {
        self.held.remove(&id);
        self.change(id, |delivery| {
            delivery.state = DeliveryState::Pending { next_attempt_at: at };
            delivery.tries = 0;
        });
    }

    /// Queues the next events for each active endpoint, at most `limit` for each. Returns how many events were taken.
    pub(crate) fn queue(&mut self, events: &Events, now: DateTime<Utc>, limit: u32) -> u64 {
        self.active().into_iter().map(|endpoint| self.queue_for(endpoint, events, now, limit)).sum()
    }

    fn queue_for(&mut self, endpoint_id: WebhookEndpointId, events: &Events, now: DateTime<Utc>, limit: u32) -> u64 {
        let mut taken = 0;
        for (event, row) in events.rows.find_after(Query::default(), self.position(endpoint_id)).take(limit as usize) {
            let event_type = row.value.event_type;
            if self.endpoints.get(endpoint_id).is_some_and(|endpoint| endpoint.value.wants(event_type))
                && let Ok(id) = self.deliveries.next_id()
            {
                let message = WebhookMessage::Event(event, event_type);
                let state = DeliveryState::Pending { next_attempt_at: now };
                let attempts = Vec::new();
                self.insert(id, WebhookDelivery { endpoint_id, message, state, tries: 0, attempts, created_at: now });
            }
            self.queues.entry(endpoint_id).or_default().position = Some(event);
            taken += 1;
        }
        taken
    }

    /// Claims deliveries that are due: at most `per_endpoint` for each active endpoint, less its number in `busy`.
    pub(crate) fn claim(
        &mut self,
        events: &Events,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        per_endpoint: u32,
        busy: &[(WebhookEndpointId, u32)],
    ) -> Vec<ClaimedDelivery> {
        let mut claimed = Vec::new();
        for endpoint in self.active() {
            let busy: u32 = busy.iter().filter(|(id, _)| *id == endpoint).map(|(_, number)| *number).sum();
            for id in self.due(endpoint, now, per_endpoint.saturating_sub(busy)) {
                self.held.insert(id, held_until);
                claimed.extend(self.claimed(id, events, held_until));
            }
        }
        claimed
    }

    /// The deliveries to an endpoint that are due and held by nobody, the longest due first.
    fn due(&self, endpoint: WebhookEndpointId, now: DateTime<Utc>, limit: u32) -> Vec<WebhookDeliveryId> {
        let pending = self.queues.get(&endpoint).into_iter().flat_map(|queue| &queue.pending);
        let due = pending.take_while(|(at, _)| *at <= now).map(|(_, id)| *id);
        due.filter(|id| self.held.get(id).is_none_or(|until| *until <= now)).take(limit as usize).collect()
    }

    fn claimed(&self, id: WebhookDeliveryId, events: &Events, held_until: DateTime<Utc>) -> Option<ClaimedDelivery> {
        let delivery = self.deliveries.stored(id)?;
        Some(ClaimedDelivery {
            held_until,
            endpoint: self.endpoints.versioned(delivery.endpoint_id)?,
            failing_since: self.queues.get(&delivery.endpoint_id)?.failing_since,
            event: delivery.message.event_id().and_then(|event| events.rows.stored(event)),
            delivery,
        })
    }

    /// Records those of the tries whose claims are still held.
    pub(crate) fn record(&mut self, attempts: &[RecordedAttempt]) {
        // Whether each endpoint took one, and when the first of its tries began.
        let mut outcomes: BTreeMap<WebhookEndpointId, (bool, DateTime<Utc>)> = BTreeMap::new();
        for recorded in attempts {
            let id = recorded.delivery_id;
            let Some(endpoint) = self.deliveries.get(id).map(|row| row.value.endpoint_id) else { continue };
            if self.held.get(&id) != Some(&recorded.held_until) {
                continue;
            }
            self.held.remove(&id);
            self.change(id, |delivery| note_attempt(delivery, recorded));
            let at = recorded.attempt.at;
            let (took, first) = outcomes.entry(endpoint).or_insert((false, at));
            *took |= recorded.state == DeliveryState::Succeeded;
            *first = at.min(*first);
        }
        for (endpoint, (took, first)) in outcomes {
            let queue = self.queues.entry(endpoint).or_default();
            queue.failing_since = if took { None } else { queue.failing_since.or(Some(first)) };
        }
    }

    /// The first event that an active endpoint still needs.
    pub(crate) fn first_needed(&self, events: &Events) -> Option<EventId> {
        let first = |endpoint| {
            let next = events.rows.find_after(Query::default(), self.position(endpoint)).next().map(|(event, _)| event);
            let pending = self.queues.get(&endpoint).and_then(|queue| queue.needed.first()).map(|(event, _)| *event);
            next.into_iter().chain(pending).min()
        };
        self.active().into_iter().filter_map(first).min()
    }

    /// Deletes at most `limit` deliveries that were created before this instant, without those that are pending to an active endpoint.
    pub(crate) fn purge(&mut self, before: DateTime<Utc>, limit: u32) -> u64 {
        let is_active = |endpoint| self.endpoints.get(endpoint).is_some_and(|row| row.value.is_active());
        let old = |queue: &Queue, is_active: bool| -> Vec<WebhookDeliveryId> {
            let unfinished = queue.unfinished.iter().take_while(|(at, _)| !is_active && *at < before);
            let finished = queue.finished.iter().take_while(|(at, _)| *at < before);
            finished.chain(unfinished).take(limit as usize).map(|(_, id)| *id).collect()
        };
        let all = self.queues.iter().flat_map(|(endpoint, queue)| old(queue, is_active(*endpoint)));
        let purged: Vec<WebhookDeliveryId> = all.take(limit as usize).collect();
        for id in &purged {
            self.erase(*id);
        }
        purged.len() as u64
    }

    fn active(&self) -> Vec<WebhookEndpointId> {
        self.endpoints.find(Query::default().and(Some(Term::flag(true))), Direction::Up).map(|(id, _)| id).collect()
    }

    fn position(&self, endpoint: WebhookEndpointId) -> Option<EventId> {
        self.queues.get(&endpoint)?.position
    }

    fn change(&mut self, id: WebhookDeliveryId, change: impl FnOnce(&mut WebhookDelivery)) {
        let Some(mut delivery) = self.deliveries.get(id).map(|row| row.value.clone()) else { return };
        let queue = self.queues.entry(delivery.endpoint_id).or_default();
        queue.forget(id, &delivery);
        change(&mut delivery);
        queue.note(id, &delivery);
        self.deliveries.replace(id, delivery);
    }

    fn erase(&mut self, id: WebhookDeliveryId) {
        if let Some(row) = self.deliveries.get(id)
            && let Some(queue) = self.queues.get_mut(&row.value.endpoint_id)
        {
            queue.forget(id, &row.value);
        }
        self.held.remove(&id);
        self.deliveries.erase(id);
    }
}

/// Adds a try to a delivery, and sets the state that follows from it.
fn note_attempt(delivery: &mut WebhookDelivery, recorded: &RecordedAttempt) {
    delivery.attempts.push(recorded.attempt.clone());
    let extra = delivery.attempts.len().saturating_sub(WebhookDelivery::KEPT_ATTEMPTS);
    delivery.attempts.drain(..extra);
    delivery.tries = delivery.tries.saturating_add(1);
    delivery.state = recorded.state;
}

impl Queue {
    /// Notes a delivery where those of its state are looked for.
    fn note(&mut self, id: WebhookDeliveryId, delivery: &WebhookDelivery) {
        let created = (delivery.created_at, id);
        let DeliveryState::Pending { next_attempt_at } = delivery.state else {
            self.finished.insert(created);
            return;
        };
        self.unfinished.insert(created);
        self.pending.insert((next_attempt_at, id));
        self.needed.extend(delivery.message.event_id().map(|event| (event, id)));
    }

    /// Takes a delivery away from where it was noted.
    fn forget(&mut self, id: WebhookDeliveryId, delivery: &WebhookDelivery) {
        let created = (delivery.created_at, id);
        self.finished.remove(&created);
        self.unfinished.remove(&created);
        if let DeliveryState::Pending { next_attempt_at } = delivery.state {
            self.pending.remove(&(next_attempt_at, id));
        }
        if let Some(event) = delivery.message.event_id() {
            self.needed.remove(&(event, id));
        }
    }
}
