use chrono::{DateTime, Utc};
use lease_core::event::NewRow;
use lease_core::id::{CustomerId, NewIds, ServiceId, VehicleId};
use lease_core::lifecycle::{Opening, OpeningSnapshot};
use lease_core::model::{Service, Trade, TradeStatus};
use lease_core::repository::{Envelope, RepositoryError};
use sqlx::QueryBuilder;

use crate::database::{Database, Statement, fault};
use crate::row::{Fields, OFFERED, Table as _, parse_optional_id, push_columns, write_annotations};
use crate::vehicle::{push_live_trade, push_vehicle, read_snapshot};
use crate::writing::{Made, ROOT_ID, Writing, push_expected, write_expected};

pub(super) async fn load(
    database: &Database,
    vehicle: Option<VehicleId>,
    service: Option<ServiceId>,
    viewer: Option<CustomerId>,
    now: DateTime<Utc>,
) -> Result<OpeningSnapshot, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new("select s.id is not null, v.id is not null, s.version, ");
        push_columns::<Service>(&mut query, "s");
        push_vehicle(query.push(", "), viewer);
        query.push(" from (values (").push_bind(vehicle.map(VehicleId::get)).push(", ").push_bind(service.map(ServiceId::get));
        query.push(")) as asked (vehicle_id, service_id)");
        query.push(" left join vehicles v on v.id = asked.vehicle_id left join services s on s.id = asked.service_id");
        push_live_trade(&mut query, now);
        query
    };
    let Some(row) = database.read_one(statement).await? else { return Ok(OpeningSnapshot::default()) };
    let mut fields = Fields::of(&row);
    let (has_service, has_vehicle): (bool, bool) = (fields.get()?, fields.get()?);
    let mut of_vehicle = fields;
    of_vehicle.skip(2 + Service::COLUMNS.len());
    Ok(OpeningSnapshot {
        vehicle: has_vehicle.then(|| read_snapshot(&mut of_vehicle)).transpose()?,
        service: has_service.then(|| fields.versioned()).transpose()?,
    })
}

/// Two rows are checked here. The vehicle is locked first; the service is written only if the vehicle is as expected, and the
/// rest only if both are. A service that is already used is not locked: every opening would share the lock, and staff who edit
/// the service would have to wait for a gap. So whether it is active is checked as of the start of the statement.
pub(crate) async fn commit(database: &Database, opening: &Opening, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    if !opening.trade.is_open() || opening.trade.invoice_id.is_some() {
        return Err(fault("a trade begins open and without an invoice"));
    }
    let opened = write_expected(database, || statement(opening, envelope)).await?;
    Ok(NewIds { trade: parse_optional_id(Trade::NAME, opened.root)?, ..NewIds::default() })
}

fn statement(opening: &Opening, envelope: &Envelope) -> Statement {
    let (vehicle, service) = (opening.trade.vehicle_id.get(), opening.trade.service_id.get());
    let mut writing = Writing::begin(envelope);
    let query = writing.part("vehicle").push("select id, ").push(OFFERED.1).push(" from vehicles");
    push_expected(query, vehicle, opening.vehicle_version);
    writing.only_if_valid().push(" for no key update");
    if let Some(version) = opening.first_use_of_service {
        let query = writing.write("service").push("update services set is_used = true, version = version + 1");
        push_expected(query, service, version);
        query.push(" and is_active and exists (select from vehicle) returning id, kind");
    } else {
        let query = writing.part("service").push("select id, kind from services where is_active and id = ");
        query.push_bind(service);
    }
    write_root(&mut writing, &opening.trade);
    writing
        .write("vehicle_moved")
        .push("update vehicles set version = version + 1 from root where vehicles.id = root.vehicle_id");
    writing
        .write("trade_party")
        .push("insert into trade_parties (customer_id, trade_id) select root.customer_id, root.id from root");
    writing
        .write("vehicle_party")
        .push("insert into vehicle_parties (customer_id, vehicle_id) select root.customer_id, root.vehicle_id from root")
        .push(" on conflict do nothing");
    writing.finish(Made::Root, &[])
}

fn write_root(writing: &mut Writing<'_>, trade: &Trade) {
    let query = writing.write("root").push("insert into trades (vehicle_id, service_id, service_kind, ").push(OFFERED.0);
    query.push(
        ", customer_id, title, description, status, created_at, search_text, external_id, metadata) select vehicle.id, service.id, service.kind, ",
    );
    for column in OFFERED.1.split(", ") {
        query.push("vehicle.").push(column).push(", ");
    }
    let mut values = query.separated(", ");
    values
        .push_bind(trade.customer_id.get())
        .push_bind(&trade.title)
        .push_bind(&trade.description)
        .push_bind::<&str>(TradeStatus::Open.into())
        .push_bind(trade.created_at)
        .push_bind(trade.search_text());
    write_annotations(&mut values, &trade.annotations);
    query.push(" from vehicle, service returning id, customer_id, vehicle_id");
    writing.makes(NewRow::Trade, ROOT_ID);
}
