//! Trades (rules 4.1, 4.6, 4.12, 4.14).

use axum::Json;
use chrono::{DateTime, NaiveDate, Utc};
use lease_core::engine::WithActions;
use lease_core::id::{Stored, TradeId, VehicleId};
use lease_core::lifecycle::{AmendmentDraft, AvailableAction, CancellationDraft, EndDraft, TradeDraft};
use lease_core::model::{self, Period, ServiceKind, TradeStatus};
use lease_core::openapi::MetadataInput;
use lease_core::permission::{Actor, Resource};
use lease_core::repository::TradeFilter;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::annotations::Seen;
use super::response::{ApiResult, Created, created};
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::query::{Filter, List, Listing, Params};
use crate::schema::{Amount, Currency, Id};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(list_trades))
        .post(routes!(open_trade), Replay::created(get_trade))
        .routes(routes!(get_trade, amend_trade))
        .post(routes!(cancel_trade), Replay::changed(get_trade))
        .post(routes!(end_trade), Replay::changed(get_trade))
}

/// One vehicle offered under one service.
#[derive(Serialize, ToSchema)]
struct Trade {
    id: Id,
    vehicle_id: Id,
    service_id: Id,
    /// The owner of the vehicle, who offers it.
    customer_id: Id,
    /// The other party, once the trade is agreed, even if it was cancelled since.
    #[schema(required)]
    counterparty_id: Option<Id>,
    title: String,
    description: String,
    #[schema(value_type = TradeStatus)]
    status: &'static str,
    /// The proposal that was accepted. It is rescinded once the trade is cancelled.
    #[schema(required)]
    accepted_proposal_id: Option<Id>,
    #[schema(required)]
    invoice_id: Option<Id>,
    /// The first of the agreed days; null where there are none, and for customers who are not a party to it.
    #[schema(required)]
    start_date: Option<NaiveDate>,
    /// The day after the last of the agreed days. It is `start_date` if they were ended on the first.
    #[schema(required)]
    end_date: Option<NaiveDate>,
    /// The reason why it was cancelled; empty unless one was given.
    #[schema(example = "")]
    cancel_reason: String,
    /// What is offered: the vehicle as it is while the trade is open, and as it was then from there on.
    vehicle: OfferedVehicle,
    /// What the owner asks for; null if they have no pending proposal, and once the trade is no longer open.
    #[schema(required)]
    asking: Option<Asking>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    agreed_at: Option<DateTime<Utc>>,
    #[schema(required)]
    completed_at: Option<DateTime<Utc>>,
    #[schema(required)]
    cancelled_at: Option<DateTime<Utc>>,
    /// The actions that the caller may take now.
    #[schema(value_type = Vec<AvailableAction>)]
    available_actions: Vec<&'static str>,
    /// What another system calls it, or null. Shown to administrative users alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 255, example = "crm-1042")]
    external_id: Option<Value>,
    /// What the company keeps with it. Shown to administrative users alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = MetadataInput, required = false)]
    metadata: Option<Value>,
}

/// A vehicle as a trade offers it.
#[derive(Serialize, ToSchema)]
struct OfferedVehicle {
    id: Id,
    /// The VIN; null for a vehicle that has a chassis number instead.
    #[schema(required, min_length = 17, max_length = 17, example = "1HGCM82633A004352")]
    vin: Option<String>,
    #[schema(required, min_length = 5, max_length = 20, example = json!(null))]
    chassis_number: Option<String>,
    #[schema(example = "Honda")]
    make: String,
    #[schema(example = "Accord")]
    model: String,
    #[schema(example = 2003)]
    year: i32,
    #[schema(example = "Silver")]
    color: String,
    #[schema(required, minimum = 0, example = 88_000)]
    mileage: Option<i64>,
    #[schema(example = "7ABC123")]
    license_plate: String,
    #[schema(example = "One owner, serviced every year.")]
    description: String,
}

impl OfferedVehicle {
    fn new(id: VehicleId, offered: model::OfferedVehicle) -> Self {
        Self {
            id: id.into(),
            vin: offered.vin().map(|vin| vin.as_str().to_owned()),
            chassis_number: offered.chassis_number().map(|number| number.as_str().to_owned()),
            make: offered.make,
            model: offered.model,
            year: offered.year,
            color: offered.color,
            mileage: offered.mileage,
            license_plate: offered.license_plate,
            description: offered.description,
        }
    }
}

/// The terms of the owner's pending proposal.
#[derive(Serialize, ToSchema)]
struct Asking {
    proposal_id: Id,
    /// The price of a sale, or the monthly price of a lease.
    amount: Amount,
    currency: Currency,
    #[schema(required)]
    start_date: Option<NaiveDate>,
    /// The day after the last day.
    #[schema(required)]
    end_date: Option<NaiveDate>,
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
}

impl From<model::Asking> for Asking {
    fn from(asking: model::Asking) -> Self {
        Self {
            proposal_id: asking.proposal_id.into(),
            amount: asking.amount.into(),
            currency: asking.amount.into(),
            start_date: asking.period.map(Period::start),
            end_date: asking.period.map(Period::end),
            expires_at: asking.expires_at,
        }
    }
}

impl Trade {
    /// As this actor sees it.
    fn seen_by(actor: &Actor, seen: WithActions<model::Trade>) -> Self {
        let WithActions { stored: Stored { id, value: mut trade }, available_actions, .. } = seen;
        let Seen { external_id, metadata } = Seen::by(actor, std::mem::take(&mut trade.annotations));
        let agreement = trade.agreement().copied();
        let (days, status) = (trade.days(), TradeStatus::from(&trade.state).into());
        let (cancelled_at, cancel_reason) = trade.state.cancelled().unzip();
        Self {
            id: id.into(),
            vehicle_id: trade.vehicle_id.into(),
            service_id: trade.service_id.into(),
            customer_id: trade.customer_id.into(),
            counterparty_id: agreement.map(|agreement| agreement.counterparty_id.into()),
            title: trade.title,
            description: trade.description,
            status,
            accepted_proposal_id: agreement.map(|agreement| agreement.proposal_id.into()),
            invoice_id: trade.invoice_id.map(Id::from),
            start_date: days.map(Period::start),
            end_date: days.map(Period::end),
            cancel_reason: cancel_reason.unwrap_or_default().to_owned(),
            vehicle: OfferedVehicle::new(trade.vehicle_id, trade.offered),
            asking: trade.asking.map(Asking::from),
            created_at: trade.created_at,
            agreed_at: agreement.map(|agreement| agreement.agreed_at),
            completed_at: trade.state.completed_at(),
            cancelled_at,
            available_actions: available_actions.into_iter().map(Into::into).collect(),
            external_id,
            metadata,
        }
    }
}

/// A page of trades.
type TradePage = Listing<Trade>;

impl Filter for TradeFilter {
    const RESOURCE: Resource = Resource::Trade;
    const HAS_PRICES: bool = true;

    fn read(params: &mut Params) -> Self {
        Self {
            status: params.choice("status", "Only trades with this status."),
            service_id: params.id("service_id", "Only trades under this service."),
            vehicle_id: params.id("vehicle_id", "Only trades of this vehicle."),
            customer_id: params.id("customer_id", "Only trades of this owner."),
            counterparty_id: params.id("counterparty_id", "Only trades with this counterparty."),
            kind: params.choice::<ServiceKind>("kind", "Only trades under a service of this kind."),
            make: params.key("make", "Only trades of a vehicle of this make, regardless of case."),
            model: params.key("model", "Only trades of a vehicle of this model, regardless of case."),
            year_min: params.year("year_min", "Only trades of a vehicle of this model year or later."),
            year_max: params.year("year_max", "Only trades of a vehicle of this model year or earlier."),
            mileage_max: params.mileage("mileage_max", "Only trades of a vehicle with this odometer reading or a lower one."),
            currency: params.currency(
                "currency",
                "Only trades with an asking price in this currency. Prices are compared in it, or else in that of the standard services.",
            ),
            price_min: params.amount("price_min", "Only trades with this asking price or a higher one."),
            price_max: params.amount("price_max", "Only trades with this asking price or a lower one."),
            sort: params.choice("sort", "The order: the newest first (default), or by asking price, of which there must be one.").unwrap_or_default(),
            external_id: params.external_id(),
            search: params.search("Only trades in which each of these words occurs: in the title or the description."),
            ..Self::default()
        }
    }
}

/// List trades
///
/// A customer sees open trades, and those that they are a party to or have made a proposal in.
#[utoipa::path(get, path = "/api/trades", tag = "trades", params(List<TradeFilter>),
    responses((status = 200, description = "A page of trades.", body = TradePage)))]
async fn list_trades(engine: Engine, session: Session, list: List<TradeFilter>) -> ApiResult<TradePage> {
    let (filter, page, links) = list.for_reader(&session.actor)?;
    let found = engine.list_trades(&session.actor, filter, page).await?;
    Ok(links.respond(found, |trade| Trade::seen_by(&session.actor, trade)))
}

/// Open a trade
///
/// For the owner of the vehicle. A vehicle has at most one trade that is open or agreed.
#[utoipa::path(post, path = "/api/trades", tag = "trades", request_body = TradeDraft,
    responses((status = 201, description = "The trade is open.", body = Trade)),
    extensions(("x-codes" = json!(["permission_denied", "vehicle_in_trade", "vehicle_unidentified"]))))]
async fn open_trade(engine: Engine, session: Session, body: Body<TradeDraft>) -> Created<Trade> {
    let trade = body.judge(engine.open_trade(&session, &body).await)?;
    Ok(created(trade.stored.id, Trade::seen_by(&session.actor, trade)))
}

/// Get a trade
#[utoipa::path(get, path = "/api/trades/{id}", tag = "trades",
    responses((status = 200, description = "The trade.", body = Trade)))]
async fn get_trade(engine: Engine, session: Session, id: PathId<TradeId>) -> ApiResult<Trade> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(Trade::seen_by(&session.actor, engine.get_trade(&session.actor, id).await?)))
}

/// Change the title and description of a trade
///
/// For its owner, while it is open. Administrative users change `external_id` and `metadata`, at any time.
#[utoipa::path(patch, path = "/api/trades/{id}", tag = "trades", request_body = AmendmentDraft,
    responses((status = 200, description = "The trade as it is now.", body = Trade)),
    extensions(("x-codes" = json!(["permission_denied", "trade_not_open"]))))]
async fn amend_trade(engine: Engine, session: Session, id: PathId<TradeId>, body: Body<AmendmentDraft>) -> ApiResult<Trade> {
    let id = id.or_not_found(&session.actor)?;
    let trade = body.judge(engine.amend_trade(&session, id, &body).await)?;
    Ok(Json(Trade::seen_by(&session.actor, trade)))
}

/// Cancel a trade
///
/// For its owner or staff, while it is open: pending proposals are closed. Also for staff while it is agreed, with a reason: the
/// accepted proposal is rescinded, and its days are free again. An invoice remains as it is.
#[utoipa::path(post, path = "/api/trades/{id}/cancel", tag = "trades", request_body = Option<CancellationDraft>,
    responses((status = 200, description = "The trade as it is now.", body = Trade)),
    extensions(("x-codes" = json!(["permission_denied", "trade_not_open"]))))]
async fn cancel_trade(
    engine: Engine,
    session: Session,
    id: PathId<TradeId>,
    body: Option<Body<CancellationDraft>>,
) -> ApiResult<Trade> {
    let id = id.or_not_found(&session.actor)?;
    let body = body.unwrap_or_default();
    let trade = body.judge(engine.cancel_trade(&session, id, &body).await)?;
    Ok(Json(Trade::seen_by(&session.actor, trade)))
}

/// End the agreed days of a trade early
///
/// For staff, whether it is agreed or completed. The days from the new end on are free for others.
#[utoipa::path(post, path = "/api/trades/{id}/end", tag = "trades", request_body = EndDraft,
    responses((status = 200, description = "The trade as it is now.", body = Trade)),
    extensions(("x-codes" = json!(["permission_denied", "trade_has_no_days"]))))]
async fn end_trade(engine: Engine, session: Session, id: PathId<TradeId>, body: Body<EndDraft>) -> ApiResult<Trade> {
    let id = id.or_not_found(&session.actor)?;
    let trade = body.judge(engine.end_trade(&session, id, &body).await)?;
    Ok(Json(Trade::seen_by(&session.actor, trade)))
}
