//! Trades (rules 4.1, 4.6, 4.12, 4.14).

use axum::Json;
use lease_core::id::TradeId;
use lease_core::lifecycle::{AmendmentDraft, CancellationDraft, EndDraft, TradeDraft};
use lease_core::model::ServiceKind;
use lease_core::permission::Resource;
use lease_core::repository::TradeFilter;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, created};
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::query::{Filter, List, Params};
use crate::views::{Listing, Trade};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(list_trades))
        .post(routes!(open_trade), Replay::created(get_trade))
        .routes(routes!(get_trade, amend_trade))
        .post(routes!(cancel_trade), Replay::changed(get_trade))
        .post(routes!(end_trade), Replay::changed(get_trade))
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
