use std::borrow::Cow;

use chrono::{DateTime, Utc};
use lease_core::event::{Audience, Event, EventActor, IdRef, NewRow};
use lease_core::repository::{Envelope, RequestId};
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::QueryBuilder;
use sqlx::postgres::Postgres;
use sqlx::types::Json;

use crate::row::actor_columns;

/// The events of the proposals that `close_others` has ended, of the part `proposals_changed`: the same as
/// [`TradeChanges::closing_event`](lease_core::lifecycle::TradeChanges::closing_event).
const CLOSED: &str = " || array(select jsonb_build_object('type', 'proposal.' || p.status, 'kind', 'proposal', \
     'subject', p.id, 'trade', p.trade_id, \
     'data', jsonb_build_object('proposal_id', p.id, 'trade_id', p.trade_id, 'customer_id', p.customer_id, 'status', p.status), \
     'changes', jsonb_build_object('status', jsonb_build_object('from', 'pending', 'to', p.status), \
     'decided_at', jsonb_build_object('from', null, 'to', rfc3339(p.decided_at))), \
     'audience', case when p.customer_id = p.trade_owner_id then 'members' else 'customers' end, \
     'readers', case when p.customer_id = p.trade_owner_id then '[]' else jsonb_build_array(p.trade_owner_id, p.customer_id) end) \
     || case p.status when 'expired' then jsonb_build_object('at', p.decided_at, 'actor_kind', 'system') else '{}' end \
     from proposals_changed p where p.was_pending and p.is_decided is not true order by p.id)";

/// What a statement knows about the events of its commit.
#[derive(Debug, Default)]
pub(crate) struct NewEvents {
    /// The expressions for the ids of the rows that it creates.
    pub(crate) ids: Vec<(NewRow, Cow<'static, str>)>,
    /// Whether its part `proposals_changed` closes proposals.
    pub(crate) closes_proposals: bool,
    /// Whether its part `trade_party` may make somebody a member of the root, a trade.
    pub(crate) admits_members: bool,
    /// A condition for the events, besides that the root was written.
    pub(crate) condition: &'static str,
}

impl NewEvents {
    /// The expression for the id of a new row; null if the statement creates no such row.
    fn id(&self, row: NewRow) -> Cow<'static, str> {
        if self.ids.iter().any(|(made, _)| *made == row) { format!("made.{}", name(row)).into() } else { "null".into() }
    }
}

/// Adds the insert of the events of an envelope into the inbox, if the root was written.
pub(crate) fn push_events(query: &mut QueryBuilder<Postgres>, envelope: &Envelope, new: &NewEvents) {
    let (kind, user, customer) = actor_columns(EventActor::from(&envelope.actor));
    query.push(
        "insert into event_inbox (at, actor_kind, actor_user_id, actor_customer_id, request_id, events, joined_trade_id, \
         joined_customer_id) select ",
    );
    query.push_bind(envelope.at).push(", '").push(kind).push("', ").push_bind(user).push(", ").push_bind(customer);
    query.push(", ").push_bind(envelope.request_id.as_ref().map(RequestId::as_str)).push(", array[");
    for (place, event) in envelope.events.iter().enumerate() {
        query.push(if place == 0 { "" } else { ", " });
        push_event(query, event, new);
    }
    query.push("]::jsonb[]");
    query.push(if new.closes_proposals { CLOSED } else { "" });
    query.push(if new.admits_members {
        ", party.trade_id, party.customer_id from root left join trade_party party on true"
    } else {
        ", null, null from root"
    });
    push_new_ids(query, new);
    query.push(" where true").push(new.condition);
}

/// Adds the ids of the new rows, each of which is looked up once.
fn push_new_ids(query: &mut QueryBuilder<Postgres>, new: &NewEvents) {
    for (place, (row, id)) in new.ids.iter().enumerate() {
        query.push(if place == 0 { " cross join (select " } else { ", " }).push(id).push(" as ").push(name(*row));
    }
    // "offset 0" keeps it one table.
    query.push(if new.ids.is_empty() { "" } else { " offset 0) made" });
}

/// The name of a new row in `made`.
fn name(row: NewRow) -> Cow<'static, str> {
    Cow::Borrowed(match row {
        NewRow::User => "user_id",
        NewRow::Token => "token_id",
        NewRow::Customer => "customer_id",
        NewRow::CreditCard => "credit_card_id",
        NewRow::Contact => "contact_id",
        NewRow::Lead => "lead_id",
        NewRow::Vehicle => "vehicle_id",
        NewRow::Service(place) => return Cow::Owned(format!("service_{place}_id")),
        NewRow::Trade => "trade_id",
        NewRow::Proposal => "proposal_id",
        NewRow::Invoice => "invoice_id",
        NewRow::Payment => "payment_id",
        NewRow::Refund => "refund_id",
        NewRow::WebhookEndpoint => "webhook_endpoint_id",
    })
}

/// What is known of an event before its commit, as `place_events` in the migrations reads it. What is not there is left out.
#[derive(Serialize)]
struct Known<'e> {
    r#type: &'static str,
    kind: &'static str,
    audience: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trade: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_user_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_customer_id: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    readers: Vec<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'e Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<&'e Map<String, Value>>,
}

impl<'e> Known<'e> {
    fn of(event: &'e Event) -> Self {
        let actor = event.actor.map(actor_columns);
        Self {
            r#type: event.event_type.into(),
            kind: event.event_type.subject_kind().into(),
            audience: match event.audience {
                Audience::Staff => "staff",
                Audience::User(_) => "user",
                Audience::Customers(_) => "customers",
                Audience::Members => "members",
            },
            subject: event.subject.and_then(known_id),
            trade: event.trade.and_then(known_id),
            at: event.occurred_at,
            actor_kind: actor.map(|(kind, ..)| kind),
            actor_user_id: actor.and_then(|(_, user, _)| user),
            actor_customer_id: actor.and_then(|(.., customer)| customer),
            readers: readers(event).iter().copied().filter_map(known_id).collect(),
            data: event.data.new.is_empty().then_some(&event.data.known),
            changes: (event.changes.new.is_empty() && !event.changes.is_empty()).then_some(&event.changes.known),
        }
    }
}

const fn known_id(id: IdRef) -> Option<i64> {
    match id {
        IdRef::Known(id) => Some(id),
        IdRef::New(_) => None,
    }
}

fn readers(event: &Event) -> &[IdRef] {
    match &event.audience {
        Audience::User(user) => std::slice::from_ref(user),
        Audience::Customers(customers) => customers,
        Audience::Staff | Audience::Members => &[],
    }
}

/// Adds an event: what is known of it, and the fields with ids that only the commit knows.
fn push_event(query: &mut QueryBuilder<Postgres>, event: &Event, new: &NewEvents) {
    query.push_bind(Json(Known::of(event)));
    let (data, changes, readers) = (&event.data, &event.changes, readers(event));
    let mut ids = event.subject.iter().chain(&event.trade).chain(readers);
    if data.new.is_empty() && changes.new.is_empty() && !ids.any(is_new) {
        return;
    }
    let mut fields = query.push(" || jsonb_build_object(").separated(", ");
    for (field, id) in [("'subject', ", event.subject), ("'trade', ", event.trade)] {
        if let Some(IdRef::New(row)) = id {
            fields.push(field).push_unseparated(new.id(row));
        }
    }
    if readers.iter().any(is_new) {
        fields.push("'readers', jsonb_build_array(");
        for (place, id) in readers.iter().enumerate() {
            fields.push_unseparated(if place == 0 { "" } else { ", " });
            match id {
                IdRef::Known(id) => fields.push_bind_unseparated(*id),
                IdRef::New(row) => fields.push_unseparated(new.id(*row)),
            };
        }
        fields.push_unseparated(")");
    }
    if !data.new.is_empty() {
        let ids = data.new.iter().map(|(field, row)| format!("'{field}', {}", new.id(*row)));
        fields.push("'data', ").push_bind_unseparated(Json(&data.known)).push_unseparated(object_of(ids));
    }
    if !changes.new.is_empty() {
        let ids = changes.new.iter();
        let ids = ids.map(|(field, row)| format!("'{field}', jsonb_build_object('from', null, 'to', {})", new.id(*row)));
        fields.push("'changes', ").push_bind_unseparated(Json(&changes.known)).push_unseparated(object_of(ids));
    }
    query.push(")");
}

fn object_of(fields: impl Iterator<Item = String>) -> String {
    format!(" || jsonb_build_object({})", fields.collect::<Vec<_>>().join(", "))
}

const fn is_new(id: &IdRef) -> bool {
    matches!(id, IdRef::New(_))
}
