//! Vehicles. A change to a vehicle changes what its live trade offers, in the same statement.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::catalog::{LiveTrade, VehicleChange, VehicleSnapshot};
use lease_core::decision::RowChange;
use lease_core::id::{CustomerId, NewIds, Stored, TradeId, VehicleId, Version, Versioned};
use lease_core::model::{ChassisNumber, ExternalId, Vehicle, VehicleIdentity, Vin};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{Envelope, RepositoryError, VehicleFilter, VehicleRepository};
use sqlx::QueryBuilder;
use sqlx::postgres::Postgres;

use crate::PostgresRepository;
use crate::database::{Database, Statement};
use crate::list::{self, Branch};
use crate::row::{Fields, OFFERED, push_columns};
use crate::writing::{Made, Writing, change_row, push_expected, push_update, write_expected};

/// The columns of vehicles that are repeated in their trades, of those whose owner is active. Postgres joins the vehicle itself
/// only if a filter asks for other columns: then for few rows, unless the filter is the owner.
const TRADED: &str = "(select o.vehicle_id as id, o.status, o.vehicle_make as make_key, o.vehicle_model as model_key, \
                      o.vehicle_year as year, v.vin, v.chassis_number, v.external_id, v.search_text \
                      from trades o join customers owner on owner.id = o.customer_id and owner.is_active \
                      left join vehicles v on v.id = o.vehicle_id) t";

#[async_trait]
impl VehicleRepository for PostgresRepository {
    async fn load_vehicle(
        &self,
        id: VehicleId,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<Option<Versioned<VehicleSnapshot>>, RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("select ");
            push_vehicle(&mut query, viewer);
            query.push(" from vehicles v");
            push_live_trade(&mut query, now);
            query.push(" where v.id = ").push_bind(id.get());
            query
        };
        let found = self.trading.read_one(statement).await?;
        found.map(|row| read_snapshot(&mut Fields::of(&row))).transpose()
    }

    async fn find_vehicle(&self, identity: &VehicleIdentity) -> Result<Option<VehicleId>, RepositoryError> {
        let column = match identity {
            VehicleIdentity::Vin(_) => "vin",
            VehicleIdentity::Chassis(_) => "chassis_number",
        };
        let statement = || {
            let mut query = QueryBuilder::new("select id from vehicles where ");
            query.push(column).push(" = ").push_bind(identity.as_str());
            query
        };
        let found = self.trading.read_one(statement).await?;
        found.map(|row| Fields::of(&row).id()).transpose()
    }

    async fn list_vehicles(&self, filter: &VehicleFilter, page: PageRequest) -> Result<Page<Stored<Vehicle>>, RepositoryError> {
        list::page(
            &self.trading,
            &branches(filter),
            |query| {
                query.compare("t.customer_id =", filter.customer_id.map(CustomerId::get));
                query.compare("t.make_key =", filter.make.as_deref());
                query.compare("t.model_key =", filter.model.as_deref());
                query.between("t.year", filter.year_min, filter.year_max);
                query.compare("t.vin =", filter.vin.as_ref().map(Vin::as_str));
                query.compare("t.chassis_number =", filter.chassis_number.as_ref().map(ChassisNumber::as_str));
                query.compare("t.external_id =", filter.external_id.as_ref().map(ExternalId::as_str));
                query.search(filter.search.as_ref());
            },
            page,
        )
        .await
    }
}

/// Adds the columns of a snapshot of the vehicle with the alias `v`, with the join of [`push_live_trade`].
pub(crate) fn push_vehicle(query: &mut QueryBuilder<Postgres>, viewer: Option<CustomerId>) {
    query.push("v.version, ");
    push_columns::<Vehicle>(query, "v");
    query.push(
        ", live.id, live.version, live.status = 'open', live.owner_is_active, live.has_bid, \
         exists (select from trades where vehicle_id = v.id), ",
    );
    match viewer {
        None => query.push("false"),
        Some(viewer) => query
            .push("exists (select from vehicle_parties where vehicle_id = v.id and customer_id = ")
            .push_bind(viewer.get())
            .push(")"),
    };
}

/// Adds the join of the open or agreed trade of the vehicle `v`.
pub(crate) fn push_live_trade(query: &mut QueryBuilder<Postgres>, now: DateTime<Utc>) {
    query.push(
        " left join lateral (select o.id, o.version, o.status, owner.is_active as owner_is_active, exists (select from proposals b where b.trade_id = o.id \
         and b.status = 'pending' and b.customer_id <> o.customer_id and (b.expires_at is null or b.expires_at > ",
    );
    query
        .push_bind(now)
        .push(")) as has_bid from trades o join customers owner on owner.id = o.customer_id where o.vehicle_id = v.id and o.status in ('open', 'agreed')) live on true");
}

/// Reads the columns of [`push_vehicle`].
pub(crate) fn read_snapshot(fields: &mut Fields<'_>) -> Result<Versioned<VehicleSnapshot>, RepositoryError> {
    let Versioned { version, value: vehicle } = fields.versioned()?;
    let value = VehicleSnapshot {
        vehicle,
        live_trade: read_live_trade(fields)?,
        was_traded: fields.get()?,
        viewer_is_party: fields.get()?,
    };
    Ok(Versioned { version, value })
}

fn read_live_trade(fields: &mut Fields<'_>) -> Result<Option<LiveTrade>, RepositoryError> {
    let Some(id) = fields.optional_id()? else {
        fields.skip(4);
        return Ok(None);
    };
    let version = fields.version()?;
    Ok(Some(LiveTrade { id, version, is_open: fields.get()?, owner_is_active: fields.get()?, has_bid: fields.get()? }))
}

/// The vehicles that a customer may see: their own, those in an open trade whose owner is active, and those in a trade to which they
/// and the vehicle's owner are parties.
fn branches(filter: &VehicleFilter) -> Vec<Branch> {
    let all = "vehicles t";
    let Some(viewer) = list::viewer(filter.visible_to, filter.customer_id) else { return vec![Branch::all(all)] };
    let open = match filter.customer_id {
        None => Branch::of(TRADED, "t.id", "t.status = 'open'"),
        Some(_) => Branch::of(
            "trades o join customers owner on owner.id = o.customer_id and owner.is_active join vehicles t on t.id = o.vehicle_id",
            "o.vehicle_id",
            "o.status = 'open'",
        ),
    };
    vec![
        Branch::of_id(all, "t.id", "t.customer_id = ", viewer),
        open,
        Branch::of_id("vehicle_parties p join vehicles t on t.id = p.vehicle_id", "p.vehicle_id", "p.customer_id = ", viewer),
    ]
}

pub(crate) async fn commit(database: &Database, change: &VehicleChange, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    match (&change.vehicle, change.offered_in) {
        (RowChange::Update { id, expected, value }, Some(offered_in)) => {
            write_expected(database, || update_offered(envelope, *id, *expected, value, offered_in)).await?;
            Ok(NewIds::default())
        }
        (vehicle, _) => {
            let vehicle = change_row(database, vehicle, envelope, |_| {}).await?;
            Ok(NewIds { vehicle, ..NewIds::default() })
        }
    }
}

/// Two rows are checked here: the vehicle is locked first, as when a trade is opened, and then the trade that offers it.
fn update_offered(
    envelope: &Envelope,
    id: VehicleId,
    expected: Version,
    value: &Vehicle,
    (trade, trade_version): (TradeId, Version),
) -> Statement {
    let mut writing = Writing::begin(envelope);
    push_expected(writing.part("vehicle").push("select id from vehicles"), id.get(), expected);
    writing.only_if_valid().push(" for no key update");
    let query = writing.part("offer").push("select id from trades");
    push_expected(query, trade.get(), trade_version);
    query.push(" and vehicle_id in (select id from vehicle) for no key update");
    let query = writing.write("root");
    push_update(query, id.get(), expected, value);
    query.push(" and exists (select from offer) returning id, ").push(OFFERED.1);
    let query = writing.write("offer_changed").push("update trades set version = version + 1, (").push(OFFERED.0);
    query.push(") = row(");
    let mut columns = query.separated(", ");
    for column in OFFERED.1.split(", ") {
        columns.push(format_args!("root.{column}"));
    }
    query.push(") from root where trades.id = ").push_bind(trade.get());
    writing.finish(Made::Nothing, &[])
}
