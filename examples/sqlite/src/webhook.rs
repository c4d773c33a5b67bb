//! Webhook endpoints, and what is delivered to them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::decision::RowChange;
use lease_core::id::{EventId, NewIds, Stored, Versioned, WebhookDeliveryId, WebhookEndpointId};
use lease_core::model::{DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookMessage};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    ClaimedDelivery, EventFilter, RecordedAttempt, RepositoryError, WebhookDeliveryFilter, WebhookEndpointFilter,
    WebhookRepository,
};
use lease_core::webhook::{DeliveryChange, Start, WebhookEndpointChange};

use crate::SqliteRepository;
use crate::error::failure;
use crate::event;
use crate::list::{self, Branch, Filters};
use crate::sql::{Db, sql};
use crate::table::{self, find, find_by, find_versioned, get, insert, update};
use crate::value::values;

#[async_trait]
impl WebhookRepository for SqliteRepository {
    async fn find_endpoint(&self, id: WebhookEndpointId) -> Result<Option<Versioned<Stored<WebhookEndpoint>>>, RepositoryError> {
        find_versioned(&mut *self.reading().await?, id).await
    }

    async fn list_endpoints(
        &self,
        filter: &WebhookEndpointFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<WebhookEndpoint>>, RepositoryError> {
        let mut db = self.reading().await?;
        let filters = Filters::default().compare("t.is_active =", filter.is_active);
        list::page(&mut db, &Branch::all::<WebhookEndpoint>(), filters, page).await
    }

    async fn find_delivery(&self, id: WebhookDeliveryId) -> Result<Option<Stored<WebhookDelivery>>, RepositoryError> {
        find(&mut *self.reading().await?, id).await
    }

    async fn list_deliveries(
        &self,
        filter: &WebhookDeliveryFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<WebhookDelivery>>, RepositoryError> {
        let mut db = self.reading().await?;
        let filters = Filters::default().compare("t.endpoint_id =", filter.endpoint_id).named("t.status", filter.status);
        list::page(&mut db, &Branch::all::<WebhookDelivery>(), filters, page).await
    }

    async fn queue_deliveries(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        let mut db = self.writing().await?;
        let mut taken = 0;
        for endpoint in active_endpoints(&mut db).await? {
            taken += queue_for(&mut db, endpoint, now, limit).await?;
        }
        db.commit().await.map_err(failure)?;
        Ok(taken)
    }

    async fn claim_deliveries(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        per_endpoint: u32,
        busy: &[(WebhookEndpointId, u32)],
    ) -> Result<Vec<ClaimedDelivery>, RepositoryError> {
        let mut db = self.writing().await?;
        let mut claimed = Vec::new();
        for endpoint in active_endpoints(&mut db).await? {
            let busy: u32 = busy.iter().filter(|(id, _)| *id == endpoint).map(|(_, number)| *number).sum();
            for id in due(&mut db, endpoint, now, per_endpoint.saturating_sub(busy)).await? {
                claimed.push(claim(&mut db, id, held_until).await?);
            }
        }
        db.commit().await.map_err(failure)?;
        Ok(claimed)
    }

    async fn record_attempts(&self, attempts: &[RecordedAttempt]) -> Result<(), RepositoryError> {
        let mut db = self.writing().await?;
        // Whether each endpoint took one, and when the first of its tries began.
        let mut outcomes: BTreeMap<WebhookEndpointId, (bool, DateTime<Utc>)> = BTreeMap::new();
        for recorded in attempts {
            let Some(endpoint) = record(&mut db, recorded).await? else { continue };
            let (took, first) = outcomes.entry(endpoint).or_insert((false, recorded.attempt.at));
            *took |= recorded.state == DeliveryState::Succeeded;
            *first = recorded.attempt.at.min(*first);
        }
        for (endpoint, (took, first)) in outcomes {
            let failing = "update webhook_endpoints set failing_since = case when ? then null else coalesce(failing_since, ?) end \
                           where id = ?";
            sql(failing, values![took, first, endpoint]).run(&mut db).await?;
        }
        db.commit().await.map_err(failure)
    }

    async fn first_needed_event(&self) -> Result<Option<EventId>, RepositoryError> {
        let mut db = self.reading().await?;
        let needed = "select min(event_id) from (\
                      select (select min(id) from events where id > e.position) as event_id from webhook_endpoints e where e.is_active = 1 \
                      union all select (select min(event_id) from webhook_deliveries d where d.endpoint_id = e.id \
                      and d.status = 'pending') from webhook_endpoints e where e.is_active)";
        Ok(sql(needed, values![]).value(&mut db).await?.flatten())
    }

    async fn purge_deliveries(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        let mut db = self.writing().await?;
        let old =
            "created_at < ? and (status <> 'pending' or endpoint_id in (select id from webhook_endpoints where not is_active))";
        let purged = table::purge(&mut db, ("webhook_deliveries", "id", "created_at"), old, values![before], limit).await?;
        db.commit().await.map_err(failure)?;
        Ok(purged)
    }
}

async fn active_endpoints(db: &mut Db) -> Result<Vec<WebhookEndpointId>, RepositoryError> {
    sql("select id from webhook_endpoints where is_active = 1 order by id", values![]).column(db).await
}

/// Queues the next events for an endpoint, and moves its position behind them. Returns how many events were taken.
async fn queue_for(db: &mut Db, id: WebhookEndpointId, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
    let endpoint = get::<WebhookEndpoint>(db, id).await?;
    let position: Option<i64> = sql("select position from webhook_endpoints where id = ?", values![id]).value(db).await?;
    let position = position.and_then(EventId::new);
    let events = event::after_event(db, position, limit, &EventFilter::default()).await?;
    for event in events.iter().filter(|event| endpoint.wants(event.event_type)) {
        let delivery = WebhookDelivery {
            endpoint_id: id,
            message: WebhookMessage::Event(event.id, event.event_type),
            state: DeliveryState::Pending { next_attempt_at: now },
            tries: 0,
            attempts: Vec::new(),
            created_at: now,
        };
        insert(db, &delivery).await?;
    }
    if let Some(last) = events.last() {
        sql("update webhook_endpoints set position = ? where id = ?", values![last.id, id]).run(db).await?;
    }
    Ok(events.len() as u64)
}

/// The deliveries to an endpoint that are due and held by nobody, the longest due first.
async fn due(
    db: &mut Db,
    endpoint: WebhookEndpointId,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<WebhookDeliveryId>, RepositoryError> {
    let due = "select id from webhook_deliveries where endpoint_id = ? and status = 'pending' and next_attempt_at <= ? \
               and (held_until is null or held_until <= ?) order by next_attempt_at, id limit ?";
    sql(due, values![endpoint, now, now, limit]).column(db).await
}

async fn claim(db: &mut Db, id: WebhookDeliveryId, held_until: DateTime<Utc>) -> Result<ClaimedDelivery, RepositoryError> {
    sql("update webhook_deliveries set held_until = ? where id = ?", values![held_until, id]).run(db).await?;
    let delivery = get::<WebhookDelivery>(db, id).await?;
    let endpoint = delivery.endpoint_id;
    let failing = sql("select failing_since from webhook_endpoints where id = ?", values![endpoint]).value(db).await?;
    let event = match delivery.message.event_id() {
        Some(event) => find(db, event).await?,
        None => None,
    };
    Ok(ClaimedDelivery {
        held_until,
        endpoint: find_versioned(db, endpoint).await?.ok_or(RepositoryError::Conflict)?,
        failing_since: failing.flatten(),
        event,
        delivery,
    })
}

/// Records a try, if its claim is still that of the caller. Returns the endpoint then.
async fn record(db: &mut Db, recorded: &RecordedAttempt) -> Result<Option<WebhookEndpointId>, RepositoryError> {
    let RecordedAttempt { delivery_id, held_until, attempt, state } = recorded;
    let held = find_by::<WebhookDelivery>(db, "id = ? and held_until = ?", values![delivery_id, held_until]).await?;
    let Some(Stored { value: mut delivery, .. }) = held else { return Ok(None) };
    delivery.attempts.push(attempt.clone());
    let extra = delivery.attempts.len().saturating_sub(WebhookDelivery::KEPT_ATTEMPTS);
    delivery.attempts.drain(..extra);
    delivery.tries = delivery.tries.saturating_add(1);
    delivery.state = *state;
    change_free(db, *delivery_id, &delivery).await?;
    Ok(Some(delivery.endpoint_id))
}

/// Replaces a delivery, which nobody holds from then on.
async fn change_free(db: &mut Db, id: WebhookDeliveryId, delivery: &WebhookDelivery) -> Result<(), RepositoryError> {
    update(db, id, delivery).await?;
    sql("update webhook_deliveries set held_until = null where id = ?", values![id]).run(db).await.map(drop)
}

/// Writes a change to an endpoint. Its deliveries go with it.
pub(crate) async fn change_endpoint(db: &mut Db, change: &WebhookEndpointChange) -> Result<NewIds, RepositoryError> {
    let created = table::change(db, &change.endpoint).await?;
    let id = match change.endpoint {
        RowChange::Update { id, .. } => Some(id),
        _ => created,
    };
    if let (Some(id), Some(Start { after })) = (id, change.start) {
        let start = "update webhook_endpoints set position = ?, failing_since = null where id = ?";
        sql(start, values![after.map_or(0, EventId::get), id]).run(db).await?;
    }
    Ok(NewIds { webhook_endpoint: created, ..NewIds::default() })
}

pub(crate) async fn change_delivery(db: &mut Db, change: &DeliveryChange) -> Result<NewIds, RepositoryError> {
    match change {
        DeliveryChange::Create(delivery) => {
            Ok(NewIds { webhook_delivery: Some(insert(db, delivery).await?), ..NewIds::default() })
        }
        DeliveryChange::Retry { id, at } => {
            let delivery = get::<WebhookDelivery>(db, *id).await?.value;
            let state = DeliveryState::Pending { next_attempt_at: *at };
            change_free(db, *id, &WebhookDelivery { state, tries: 0, ..delivery }).await?;
            Ok(NewIds::default())
        }
    }
}
