//! Events (chapter 8): what happened, and who did it.

mod stream;

use axum::Json;
use chrono::{DateTime, Utc};
use lease_core::event::{EventType, SubjectKind};
use lease_core::id::{EventId, TradeId};
use lease_core::openapi::{EventTypePattern, Id};
use lease_core::permission::Resource;
use lease_core::repository::EventFilter;
use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::routes;

use super::response::ApiResult;
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Engine, PathId};
use crate::query::{Filter, List, Params};
use crate::views::{self, Listing};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(list_events))
        .routes(routes!(stream::stream_events))
        .routes(routes!(get_event))
        .routes(routes!(list_trade_history))
}

/// Something that happened. An event never changes.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is here for its schema: the core writes events")]
struct Event {
    id: Id,
    #[schema(value_type = EventType)]
    r#type: &'static str,
    occurred_at: DateTime<Utc>,
    actor: EventActor,
    /// The id of the request in which it happened.
    #[schema(required, example = "d3b07384-d113-4ec5-a5e2-0d1c2b3a4f5e")]
    request_id: Option<String>,
    subject: EventSubject,
    /// The trade, of trades and what hangs on them.
    #[schema(required)]
    trade_id: Option<Id>,
    data: EventData,
    changes: EventChanges,
}

/// The object that an event is about.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is here for its schema")]
struct EventSubject {
    #[schema(value_type = SubjectKind)]
    kind: &'static str,
    /// Null for several tokens that were revoked at once.
    #[schema(required)]
    id: Option<Id>,
}

/// Whose act it was.
enum EventActor {}

/// One type with fields that only users have: clients find it easier to use than one type for each kind.
impl PartialSchema for EventActor {
    fn schema() -> RefOr<Schema> {
        let kinds = ["user", "system", "gateway", "anonymous"];
        let id = || Ref::from_schema_name(Id::name());
        let null = ObjectBuilder::new().schema_type(Type::Null);
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Whose act it was. The other fields are there if it was that of a user."))
            .property("kind", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(kinds)))
            .property("user_id", id())
            .property(
                "customer_id",
                OneOfBuilder::new().item(id()).item(null).description(Some("The customer of the user, if any.")),
            )
            .property("is_staff", ObjectBuilder::new().schema_type(Type::Boolean))
            .required("kind")
            .into()
    }
}

impl ToSchema for EventActor {}

/// The facts.
enum EventData {}

impl PartialSchema for EventData {
    fn schema() -> RefOr<Schema> {
        let facts = "The facts: the ids of the objects concerned and, where they matter, `amount`, `currency`, `start_date`, \
            `end_date`, `status` and `reason`.";
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(facts))
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .into()
    }
}

impl ToSchema for EventData {}

/// The changes.
enum EventChanges {}

impl PartialSchema for EventChanges {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Each field that changed of an object that was there; a secret is null on both sides."))
            .additional_properties(Some(Ref::from_schema_name(FieldChange::name())))
            .into()
    }
}

impl ToSchema for EventChanges {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((FieldChange::name().into_owned(), FieldChange::schema()));
    }
}

/// What a field was, and what it became.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is here for its schema: the core writes the changes")]
struct FieldChange {
    #[schema(required)]
    from: Value,
    #[schema(required)]
    to: Value,
}

/// A page of events, for the document.
type EventPage = Listing<Event>;
/// A page of events.
type EventViewPage = Listing<views::Event>;

/// The filter of the list, and the id after which it goes forward.
#[derive(Debug)]
struct Query {
    filter: EventFilter,
    after: Option<i64>,
}

impl Filter for Query {
    const RESOURCE: Resource = Resource::Event;

    fn read(params: &mut Params) -> Self {
        let filter = EventFilter {
            types: params.several::<EventType, EventTypePattern>(
                "type",
                "Only events of these types; `trade.*` stands for all about trades. Several are repeated, or between commas.",
                named_types,
            ),
            subject: subject(params),
            trade_id: params.id("trade_id", "Only events of this trade and what hangs on it."),
            actor_user_id: params.id("actor_user_id", "Only acts of this user."),
            since: params.instant("since", "Only what happened at this instant or later."),
            until: params.instant("until", "Only what happened before this instant."),
            ..EventFilter::default()
        };
        let after =
            params.start("after", "Go forward, oldest first: begin after the event with this id, or with 0 at the beginning.");
        Self { filter, after }
    }
}

fn named_types(pattern: &str) -> Result<Vec<EventType>, String> {
    let types = EventType::named(pattern);
    if types.is_empty() { Err("A type of events is required, or a kind such as `trade.*`.".to_owned()) } else { Ok(types) }
}

/// The kind and the id of an object, which belong together.
fn subject(params: &mut Params) -> Option<(SubjectKind, i64)> {
    let kind = params.choice("subject_kind", "Only events about an object of this kind, with the `subject_id`.");
    // Objects of each kind have ids of their own; as a number they are all alike.
    let id = params.id::<EventId>("subject_id", "Only events about the object with this id, of the `subject_kind`.");
    match (kind, id) {
        (Some(_), None) => params.require("subject_id"),
        (None, Some(_)) => params.require("subject_kind"),
        _ => {}
    }
    kind.zip(id.map(EventId::get))
}

/// List events
///
/// Staff see all; a customer sees those about what is theirs, and of trades in which they take part. With `after`, the list goes
/// forward, oldest first, and `next` leads on until all were read. Where events after that id were cleared, start anew with
/// `after=0`.
#[utoipa::path(get, path = "/api/events", tag = "events", params(List<Query>),
    responses((status = 200, description = "A page of events.", body = EventPage)),
    extensions(("x-codes" = json!(["events_gone"]))))]
async fn list_events(engine: Engine, session: Session, list: List<Query>) -> ApiResult<EventViewPage> {
    let (Query { filter, after }, page, links) = list.for_reader(&session.actor)?;
    let found = match after {
        Some(after) => engine.events_forward(&session.actor, EventId::new(after), filter, page).await?,
        None => engine.events(&session.actor, filter, page).await?,
    };
    Ok(links.respond(found, views::Event::from))
}

/// Get an event
#[utoipa::path(get, path = "/api/events/{id}", tag = "events",
    responses((status = 200, description = "The event.", body = Event)))]
async fn get_event(engine: Engine, session: Session, id: PathId<EventId>) -> ApiResult<views::Event> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.get_event(&session.actor, id).await?.into()))
}

/// The history of a trade has no filter.
#[derive(Debug)]
struct History;

impl Filter for History {
    const RESOURCE: Resource = Resource::Event;

    fn read(_: &mut Params) -> Self {
        Self
    }
}

/// List the history of a trade
///
/// Its events that the caller may see, oldest first.
#[utoipa::path(get, path = "/api/trades/{id}/history", tag = "events", params(List<History>),
    responses((status = 200, description = "A page of events, oldest first.", body = EventPage)))]
async fn list_trade_history(
    engine: Engine,
    session: Session,
    trade: PathId<TradeId>,
    list: List<History>,
) -> ApiResult<EventViewPage> {
    let trade = trade.or_not_found(&session.actor)?;
    let (History, page, links) = match list.for_reader(&session.actor) {
        Ok(asked) => asked,
        Err(problem) => {
            // A trade that the actor may not see is not found, whatever is wrong with the parameters.
            engine.get_trade(&session.actor, trade).await?;
            return Err(problem);
        }
    };
    let found = engine.trade_history(&session.actor, trade, page).await?;
    Ok(links.respond(found, views::Event::from))
}
