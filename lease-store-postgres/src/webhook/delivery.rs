use chrono::{DateTime, Utc};
use lease_core::event::EventRecord;
use lease_core::id::{NewIds, Stored, WebhookDeliveryId, WebhookEndpointId};
use lease_core::model::{WebhookDelivery, WebhookEndpoint};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{ClaimedDelivery, Envelope, RecordedAttempt, RepositoryError, WebhookDeliveryFilter};
use lease_core::webhook::DeliveryChange;
use sqlx::QueryBuilder;

use crate::database::Database;
use crate::list::{self, Branch};
use crate::row::{
    DELIVERY_WRITTEN, Fields, Table as _, attempt_json, delivery_state, parse_optional_id, push_columns, readable, write_delivery,
};
use crate::writing::{Made, Writing, write_expected};

pub(super) async fn list(
    database: &Database,
    filter: &WebhookDeliveryFilter,
    page: PageRequest,
) -> Result<Page<Stored<WebhookDelivery>>, RepositoryError> {
    list::page(
        database,
        &[Branch::all("webhook_deliveries t")],
        |query| {
            query.compare("t.endpoint_id =", filter.endpoint_id.map(WebhookEndpointId::get));
            query.name("t.status", filter.status.map(Into::into));
        },
        page,
    )
    .await
}

pub(crate) async fn commit(database: &Database, change: &DeliveryChange, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    match change {
        DeliveryChange::Create(delivery) => create(database, delivery, envelope).await,
        DeliveryChange::Retry { id, at } => retry(database, *id, *at, envelope).await,
    }
}

async fn create(database: &Database, delivery: &WebhookDelivery, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    let attempts: Vec<String> = delivery.attempts.iter().map(attempt_json).collect::<Result<_, _>>()?;
    let statement = || {
        let mut writing = Writing::begin(envelope);
        let query = writing.write("root").push("insert into webhook_deliveries (").push(DELIVERY_WRITTEN).push(") select ");
        write_delivery(&mut query.separated(", "), delivery, &attempts);
        query.push(" where true");
        writing.only_if_valid().push(" returning id");
        writing.finish(Made::Root, &[])
    };
    let written = write_expected(database, statement).await?;
    let webhook_delivery = parse_optional_id(WebhookDelivery::NAME, written.root)?;
    Ok(NewIds { webhook_delivery, ..NewIds::default() })
}

/// A claim ends, so that a try under way does not undo it.
async fn retry(
    database: &Database,
    id: WebhookDeliveryId,
    at: DateTime<Utc>,
    envelope: &Envelope,
) -> Result<NewIds, RepositoryError> {
    let statement = || {
        let mut writing = Writing::begin(envelope);
        let query = writing
            .write("root")
            .push("update webhook_deliveries set status = 'pending', tries = 0, held_until = null, next_attempt_at = ");
        query.push_bind(at).push(" where id = ").push_bind(id.get());
        writing.only_if_valid().push(" returning id");
        writing.finish(Made::Nothing, &[])
    };
    write_expected(database, statement).await.map(|_| NewIds::default())
}

pub(super) async fn claim(
    database: &Database,
    now: DateTime<Utc>,
    held_until: DateTime<Utc>,
    per_endpoint: u32,
    busy: &[(WebhookEndpointId, u32)],
) -> Result<Vec<ClaimedDelivery>, RepositoryError> {
    let (endpoints, numbers): (Vec<i64>, Vec<i64>) = busy.iter().map(|(id, number)| (id.get(), i64::from(*number))).unzip();
    let statement = || {
        let mut query = QueryBuilder::new(
            "with due as materialized (select next.id from webhook_endpoints e cross join lateral (\
             select d.id from webhook_deliveries d where d.endpoint_id = e.id and d.status = 'pending' and d.next_attempt_at <= ",
        );
        query.push_bind(now).push(" and (d.held_until is null or d.held_until <= ").push_bind(now);
        query.push(") order by d.next_attempt_at, d.id limit greatest(0, ").push_bind(i64::from(per_endpoint));
        query.push(" - (select coalesce(sum(busy.number), 0) from unnest(").push_bind(&endpoints[..]).push(", ");
        query.push_bind(&numbers[..]).push(") as busy (endpoint_id, number) where busy.endpoint_id = e.id))::bigint");
        query.push(" for update of d skip locked) next where e.is_active), ");
        query.push("t as (update webhook_deliveries set held_until = ").push_bind(held_until);
        query.push(" from due where webhook_deliveries.id = due.id returning webhook_deliveries.*) select ");
        push_columns::<WebhookDelivery>(&mut query, "t");
        push_columns::<WebhookEndpoint>(query.push(", e.version, "), "e");
        push_columns::<EventRecord>(query.push(", p.failing_since, "), "v");
        query.push(
            " from t join webhook_endpoints e on e.id = t.endpoint_id join webhook_positions p on p.endpoint_id = e.id \
             left join events v on v.id = t.event_id order by e.id, t.next_attempt_at, t.id",
        );
        query
    };
    let read = |mut fields: Fields<'_>| {
        Ok(ClaimedDelivery {
            delivery: fields.row()?,
            held_until,
            endpoint: fields.versioned()?,
            failing_since: fields.get()?,
            event: fields.joined_row()?,
        })
    };
    let claimed = database.write(statement).await?;
    Ok(readable(claimed.iter().map(|row| read(Fields::of(row)))))
}

/// The positions are written only where an endpoint begins to fail or ends to: they are locked while deliveries are queued.
pub(super) async fn record(database: &Database, attempts: &[RecordedAttempt]) -> Result<(), RepositoryError> {
    let ids: Vec<i64> = attempts.iter().map(|tried| tried.delivery_id.get()).collect();
    let held: Vec<DateTime<Utc>> = attempts.iter().map(|tried| tried.held_until).collect();
    let begun: Vec<DateTime<Utc>> = attempts.iter().map(|tried| tried.attempt.at).collect();
    let texts: Vec<String> = attempts.iter().map(|tried| attempt_json(&tried.attempt)).collect::<Result<_, _>>()?;
    let (statuses, next): (Vec<&str>, Vec<Option<DateTime<Utc>>>) =
        attempts.iter().map(|tried| delivery_state(tried.state)).unzip();
    let statement = || {
        let mut query = QueryBuilder::new("with tried as materialized (select * from unnest(");
        query.push_bind(&ids[..]).push(", ").push_bind(&held[..]).push(", ").push_bind(&begun[..]).push(", ");
        query.push_bind(&texts[..]).push(", ").push_bind(&statuses[..]).push(", ").push_bind(&next[..]);
        query.push(") as tried (id, held_until, at, attempt, status, next_attempt_at)), recorded as (");
        query.push("update webhook_deliveries d set held_until = null, status = tried.status, ");
        query.push("next_attempt_at = tried.next_attempt_at, tries = d.tries + 1, ");
        query.push("attempts = (d.attempts || array[tried.attempt::json])[greatest(1, cardinality(d.attempts) + 2 - ");
        query.push(WebhookDelivery::KEPT_ATTEMPTS).push("):] from tried ");
        query.push("where d.id = tried.id and d.held_until = tried.held_until returning d.endpoint_id, d.status, tried.at");
        query.push("), outcome as materialized (");
        query.push("select endpoint_id, bool_or(status = 'succeeded') as took_one, min(at) as first from recorded ");
        query.push("group by endpoint_id order by endpoint_id) ");
        query.push("update webhook_positions p set failing_since = case when not outcome.took_one then outcome.first end ");
        query.push("from outcome where p.endpoint_id = outcome.endpoint_id ");
        query.push("and outcome.took_one = (p.failing_since is not null)");
        query
    };
    database.write(statement).await.map(drop)
}

pub(super) async fn purge(database: &Database, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
    let not_due =
        "(status <> 'pending' or not exists (select from webhook_endpoints e where e.id = endpoint_id and e.is_active))";
    database.purge(("webhook_deliveries", "id", "created_at", not_due), before, limit).await
}
