use std::borrow::Cow;

use lease_core::event::{Audience, Event, EventActor, IdRef, NewRow};
use lease_core::repository::{Envelope, RequestId};
use serde_json::{Value, json};
use sqlx::QueryBuilder;
use sqlx::postgres::Postgres;
use sqlx::types::Json;

use crate::row::actor_columns;

/// The events of the proposals that `close_others` has ended, of the part `proposals_changed`: the same as
/// [`TradeChanges::closing_event`](lease_core::lifecycle::TradeChanges::closing_event).
const CLOSED: &str = " || coalesce((select jsonb_agg(jsonb_build_object('type', 'proposal.' || p.status, 'kind', 'proposal', \
     'subject', p.id, 'trade', p.trade_id, \
     'data', jsonb_build_object('proposal_id', p.id, 'trade_id', p.trade_id, 'customer_id', p.customer_id, 'status', p.status), \
     'changes', jsonb_build_object('status', jsonb_build_object('from', 'pending', 'to', p.status), \
     'decided_at', jsonb_build_object('from', null, 'to', rfc3339(p.decided_at))), \
     'audience', case when p.customer_id = p.trade_owner_id then 'members' else 'customers' end, \
     'readers', case when p.customer_id = p.trade_owner_id then '[]' else jsonb_build_array(p.trade_owner_id, p.customer_id) end) \
     || case p.status when 'expired' then jsonb_build_object('at', p.decided_at, 'actor', jsonb_build_array('system')) else '{}' end \
     order by p.id) from proposals_changed p where p.was_pending and p.is_decided is not true), '[]')";

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

/// Adds the insert of the events of an envelope into the inbox, if the root was written.
pub(crate) fn push_events(query: &mut QueryBuilder<Postgres>, envelope: &Envelope, new: &NewEvents) {
    let (kind, user, customer) = actor_columns(EventActor::from(&envelope.actor));
    query.push(
        "insert into event_inbox (at, actor_kind, actor_user_id, actor_customer_id, request_id, events, ids, joined_trade_id, \
         joined_customer_id) select ",
    );
    query.push_bind(envelope.at).push(", '").push(kind).push("', ").push_bind(user).push(", ").push_bind(customer);
    query.push(", ").push_bind(envelope.request_id.as_ref().map(RequestId::as_str)).push(", ");
    query.push_bind(Json(envelope.events.iter().map(written).collect::<Vec<Value>>()));
    query.push(if new.closes_proposals { CLOSED } else { "" }).push(", jsonb_build_object(");
    for (place, (row, id)) in new.ids.iter().enumerate() {
        query.push(if place == 0 { "'" } else { ", '" }).push(name(*row)).push("', ").push(id);
    }
    query.push(if new.admits_members {
        "), party.trade_id, party.customer_id from root left join trade_party party on true where true"
    } else {
        "), null, null from root where true"
    });
    query.push(new.condition);
}

/// The name of a new row in the column `ids`.
fn name(row: NewRow) -> Cow<'static, str> {
    Cow::Borrowed(match row {
        NewRow::User => "user",
        NewRow::Token => "token",
        NewRow::Customer => "customer",
        NewRow::CreditCard => "credit_card",
        NewRow::Contact => "contact",
        NewRow::Lead => "lead",
        NewRow::Vehicle => "vehicle",
        NewRow::Service(place) => return Cow::Owned(format!("service_{place}")),
        NewRow::Trade => "trade",
        NewRow::Proposal => "proposal",
        NewRow::Invoice => "invoice",
        NewRow::Payment => "payment",
        NewRow::Refund => "refund",
    })
}

/// An id as `event_id` in the migrations reads it.
fn reference(id: IdRef) -> Value {
    match id {
        IdRef::Known(id) => id.into(),
        IdRef::New(row) => name(row).into(),
    }
}

fn names(new: &[(&'static str, NewRow)]) -> Value {
    new.iter().map(|(field, row)| ((*field).to_owned(), Value::from(name(*row)))).collect::<serde_json::Map<_, _>>().into()
}

/// An event as `place_events` in the migrations reads it. What is not there is left out.
fn written(event: &Event) -> Value {
    let (audience, readers): (_, &[IdRef]) = match &event.audience {
        Audience::Staff => ("staff", &[]),
        Audience::User(user) => ("user", std::slice::from_ref(user)),
        Audience::Customers(customers) => ("customers", customers),
        Audience::Members => ("members", &[]),
    };
    let kind: &str = event.event_type.subject_kind().into();
    let mut written = json!({
        "type": <&str>::from(event.event_type),
        "kind": kind,
        "data": event.data.known,
        "audience": audience,
    });
    let mut add = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            written[field] = value;
        }
    };
    add("subject", event.subject.map(reference));
    add("trade", event.trade.map(reference));
    add("at", event.occurred_at.map(|at| json!(at)));
    add("actor", event.actor.map(|actor| json!(actor_columns(actor))));
    add("new", (!event.data.new.is_empty()).then(|| names(&event.data.new)));
    add("changes", (!event.changes.is_empty()).then(|| json!(event.changes.known)));
    add("changed", (!event.changes.new.is_empty()).then(|| names(&event.changes.new)));
    add("readers", (!readers.is_empty()).then(|| readers.iter().copied().map(reference).collect()));
    written
}
