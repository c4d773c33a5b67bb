//! Vehicles (rule 6.2).

use axum::Json;
use axum::http::StatusCode;
use lease_core::catalog::VehicleDraft;
use lease_core::id::VehicleId;
use lease_core::input::UpdateMode;
use lease_core::permission::Resource;
use lease_core::repository::VehicleFilter;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, created};
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::problem::Problem;
use crate::query::{Filter, List, Params};
use crate::schema::{VehiclePatch, one_of_two};
use crate::views::{Listing, Vehicle};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new().routes(routes!(list_vehicles)).post(routes!(create_vehicle), Replay::created(get_vehicle)).routes(routes!(
        get_vehicle,
        replace_vehicle,
        update_vehicle,
        delete_vehicle
    ))
}

/// A page of vehicles.
type VehiclePage = Listing<Vehicle>;

impl Filter for VehicleFilter {
    const RESOURCE: Resource = Resource::Vehicle;

    fn read(params: &mut Params) -> Self {
        Self {
            customer_id: params.id("customer_id", "Only vehicles of this owner."),
            make: params.key("make", "Only vehicles of this make, regardless of case."),
            model: params.key("model", "Only vehicles of this model, regardless of case."),
            year_min: params.year("year_min", "Only vehicles of this model year or later."),
            year_max: params.year("year_max", "Only vehicles of this model year or earlier."),
            vin: params.vin("vin", "Only the vehicle with this VIN."),
            chassis_number: params.chassis_number("chassis_number", "Only the vehicle with this chassis number."),
            external_id: params.external_id(),
            search: params.search("Only vehicles in which each of these words occurs: in the VIN or the chassis number, the make, the model, the colour or the license plate."),
            ..Self::default()
        }
    }
}

/// List vehicles
///
/// A customer sees their own, those in an open trade, and those in a trade that they are a party to.
#[utoipa::path(get, path = "/api/vehicles", tag = "vehicles", params(List<VehicleFilter>),
    responses((status = 200, description = "A page of vehicles.", body = VehiclePage)))]
async fn list_vehicles(engine: Engine, session: Session, list: List<VehicleFilter>) -> ApiResult<VehiclePage> {
    let (filter, page, links) = list.for_reader(&session.actor)?;
    let found = engine.list_vehicles(&session.actor, filter, page).await?;
    Ok(links.respond(found, |vehicle| Vehicle::seen_by(&session.actor, vehicle)))
}

/// Create a vehicle
#[utoipa::path(post, path = "/api/vehicles", tag = "vehicles", request_body = VehicleDraft,
    responses((status = 201, description = "The vehicle is created.", body = Vehicle)),
    extensions(("x-codes" = json!(["permission_denied"])), ("x-rules" = json!([one_of_two("vin", "chassis_number")]))))]
async fn create_vehicle(engine: Engine, session: Session, body: Body<VehicleDraft>) -> Created<Vehicle> {
    let vehicle = body.judge(engine.create_vehicle(&session, &body).await)?;
    Ok(created(vehicle.id, Vehicle::seen_by(&session.actor, vehicle)))
}

/// Get a vehicle
#[utoipa::path(get, path = "/api/vehicles/{id}", tag = "vehicles",
    responses((status = 200, description = "The vehicle.", body = Vehicle)))]
async fn get_vehicle(engine: Engine, session: Session, id: PathId<VehicleId>) -> ApiResult<Vehicle> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(Vehicle::seen_by(&session.actor, engine.get_vehicle(&session.actor, id).await?)))
}

/// Replace a vehicle
#[utoipa::path(put, path = "/api/vehicles/{id}", tag = "vehicles", request_body = VehicleDraft,
    responses((status = 200, description = "The vehicle as it is now.", body = Vehicle)),
    extensions(("x-codes" = json!(["permission_denied", "vehicle_in_trade"])),
        ("x-rules" = json!([one_of_two("vin", "chassis_number")]))))]
async fn replace_vehicle(
    engine: Engine,
    session: Session,
    id: PathId<VehicleId>,
    body: Body<VehicleDraft>,
) -> ApiResult<Vehicle> {
    change(&engine, &session, id, &body, UpdateMode::Full).await
}

/// Change a vehicle
#[utoipa::path(patch, path = "/api/vehicles/{id}", tag = "vehicles", request_body = VehiclePatch,
    responses((status = 200, description = "The vehicle as it is now.", body = Vehicle)),
    extensions(("x-codes" = json!(["permission_denied", "vehicle_in_trade"]))))]
async fn update_vehicle(engine: Engine, session: Session, id: PathId<VehicleId>, body: Body<VehicleDraft>) -> ApiResult<Vehicle> {
    change(&engine, &session, id, &body, UpdateMode::Partial).await
}

/// Delete a vehicle
///
/// A vehicle that has ever been in a trade cannot be deleted.
#[utoipa::path(delete, path = "/api/vehicles/{id}", tag = "vehicles",
    responses((status = 204, description = "The vehicle is deleted.")),
    extensions(("x-codes" = json!(["permission_denied", "vehicle_in_use"]))))]
async fn delete_vehicle(engine: Engine, session: Session, id: PathId<VehicleId>) -> Result<StatusCode, Problem> {
    let id = id.or_not_found(&session.actor)?;
    engine.delete_vehicle(&session, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn change(
    engine: &Engine,
    session: &Session,
    id: PathId<VehicleId>,
    body: &Body<VehicleDraft>,
    mode: UpdateMode,
) -> ApiResult<Vehicle> {
    let id = id.or_not_found(&session.actor)?;
    let vehicle = body.judge(engine.update_vehicle(session, id, body, mode).await)?;
    Ok(Json(Vehicle::seen_by(&session.actor, vehicle)))
}
