//! Vehicles. The columns of a vehicle that are repeated in its trades are kept up to date by a foreign key.

use async_trait::async_trait;
use lease_core::catalog::VehicleSnapshot;
use lease_core::decision::RowChange;
use lease_core::id::{CustomerId, Id, NewIds, Stored, VehicleId, Version, Versioned};
use lease_core::model::{Vehicle, Vin};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{RepositoryError, VehicleFilter, VehicleRepository};
use serde_json::Value;

use crate::PostgresRepository;
use crate::list::{self, Branch, Table};
use crate::row::{Row as _, VehicleRow, created, parse_optional_id};
use crate::statement::Database;

const VEHICLES: Table = Table {
    from: "vehicles t",
    columns: "t.id, t.customer_id, t.vin, t.make, t.model, t.year, t.color, t.mileage, t.license_plate, t.description, \
              t.created_at",
};

/// The columns of vehicles that are repeated in their trades. Postgres joins the vehicle itself only if a filter asks for other
/// columns: then for few rows, unless the filter is the owner.
const TRADED: &str = "(select o.vehicle_id as id, o.status, o.vehicle_make as make_key, o.vehicle_model as model_key, \
                      o.vehicle_year as year, v.vin, v.search_text \
                      from trades o left join vehicles v on v.id = o.vehicle_id) t";

#[async_trait]
impl VehicleRepository for PostgresRepository {
    async fn load_vehicle(
        &self,
        id: VehicleId,
        viewer: Option<CustomerId>,
    ) -> Result<Option<Versioned<VehicleSnapshot>>, RepositoryError> {
        let found = self
            .database
            .read(|pool| {
                sqlx::query!(
                    r#"
                select
                    v.version,
                    row(
                        v.id, v.customer_id, v.vin, v.make, v.model, v.year, v.color, v.mileage, v.license_plate, v.description,
                        v.created_at
                    ) as "vehicle!: VehicleRow",
                    exists (select from trades where vehicle_id = v.id and status = 'open') as "has_open_trade!",
                    exists (select from trades where vehicle_id = v.id and status in ('open', 'agreed')) as "has_live_trade!",
                    exists (select from trades where vehicle_id = v.id) as "was_traded!",
                    exists (select from vehicle_parties where vehicle_id = v.id and customer_id = $2) as "viewer_is_party!"
                from vehicles v
                where v.id = $1
                "#,
                    id.get(),
                    viewer.map(Id::get),
                )
                .fetch_optional(pool)
            })
            .await?;
        found
            .map(|found| {
                let value = VehicleSnapshot {
                    vehicle: found.vehicle.parse()?,
                    has_open_trade: found.has_open_trade,
                    has_live_trade: found.has_live_trade,
                    was_traded: found.was_traded,
                    viewer_is_party: found.viewer_is_party,
                };
                Ok(Versioned { version: Version(found.version), value })
            })
            .transpose()
    }

    async fn find_vin(&self, vin: &Vin) -> Result<Option<VehicleId>, RepositoryError> {
        let found = self
            .database
            .read(|pool| sqlx::query_scalar!("select id from vehicles where vin = $1", vin.as_str()).fetch_optional(pool))
            .await?;
        parse_optional_id("vehicles", found)
    }

    async fn list_vehicles(&self, filter: &VehicleFilter, page: PageRequest) -> Result<Page<Stored<Vehicle>>, RepositoryError> {
        list::page::<VehicleRow>(
            &self.database,
            &VEHICLES,
            &branches(filter),
            |query| {
                query.compare("t.customer_id =", filter.customer_id.map(Id::get));
                query.compare("t.make_key =", filter.make.as_deref());
                query.compare("t.model_key =", filter.model.as_deref());
                query.between("t.year", filter.year_min, filter.year_max);
                query.compare("t.vin =", filter.vin.as_ref().map(Vin::as_str));
                query.search(filter.search.as_ref());
            },
            page,
        )
        .await
    }
}

/// The vehicles that a customer may see: their own, those in an open trade, and those in a trade to which they are a party.
fn branches(filter: &VehicleFilter) -> Vec<Branch> {
    let Some(viewer) = list::viewer(filter.visible_to, filter.customer_id) else { return vec![Branch::all(&VEHICLES)] };
    let open = match filter.customer_id {
        None => Branch::of(TRADED, "t.id", "t.status = 'open'"),
        Some(_) => Branch::of("trades o join vehicles t on t.id = o.vehicle_id", "o.vehicle_id", "o.status = 'open'"),
    };
    vec![
        Branch::of_id(VEHICLES.from, "t.id", "t.customer_id = ", viewer),
        open,
        Branch::of_id("vehicle_parties p join vehicles t on t.id = p.vehicle_id", "p.vehicle_id", "p.customer_id = ", viewer),
    ]
}

pub(crate) async fn commit(
    database: &Database,
    change: &RowChange<Vehicle>,
    envelope: &Value,
) -> Result<NewIds, RepositoryError> {
    let id = match change {
        RowChange::Create(value) => create(database, value, envelope).await?,
        RowChange::Update { id, expected, value } => update(database, id.get(), expected.0, value, envelope).await?,
        RowChange::Delete { id, expected } => delete(database, id.get(), expected.0, envelope).await?,
    };
    let id = id.ok_or(RepositoryError::Conflict)?;
    Ok(NewIds { vehicle: created("vehicles", change, id)?, ..NewIds::default() })
}

async fn create(database: &Database, value: &Vehicle, envelope: &Value) -> Result<Option<i64>, RepositoryError> {
    let made = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                insert into vehicles (
                    customer_id, vin, make, model, year, color, mileage, license_plate, description, created_at, make_key,
                    model_key, search_text
                )
                select $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
                from started
                where started.begun
                returning id
            )
            select root.id, end_commit($1, root.id) as "marked!"
            from root
            "#,
                envelope,
                value.customer_id.get(),
                value.vin.as_str(),
                value.make,
                value.model,
                value.year,
                value.color,
                value.mileage,
                value.license_plate,
                value.description,
                value.created_at,
                value.make_key(),
                value.model_key(),
                value.search_text(),
            )
            .fetch_optional(pool)
        })
        .await?;
    Ok(made.map(|made| made.id))
}

async fn update(
    database: &Database,
    id: i64,
    expected: i64,
    value: &Vehicle,
    envelope: &Value,
) -> Result<Option<i64>, RepositoryError> {
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                update vehicles
                set version = version + 1,
                    customer_id = $4,
                    vin = $5,
                    make = $6,
                    model = $7,
                    year = $8,
                    color = $9,
                    mileage = $10,
                    license_plate = $11,
                    description = $12,
                    make_key = $13,
                    model_key = $14,
                    search_text = $15,
                    created_at = $16
                from started
                where vehicles.id = $2
                    and vehicles.version = $3
                    and started.begun
                returning vehicles.id
            )
            select root.id, end_commit($1, null) as "marked!"
            from root
            "#,
                envelope,
                id,
                expected,
                value.customer_id.get(),
                value.vin.as_str(),
                value.make,
                value.model,
                value.year,
                value.color,
                value.mileage,
                value.license_plate,
                value.description,
                value.make_key(),
                value.model_key(),
                value.search_text(),
                value.created_at,
            )
            .fetch_optional(pool)
        })
        .await?;
    Ok(written.map(|written| written.id))
}

async fn delete(database: &Database, id: i64, expected: i64, envelope: &Value) -> Result<Option<i64>, RepositoryError> {
    let gone = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                delete from vehicles
                using started
                where vehicles.id = $2
                    and vehicles.version = $3
                    and started.begun
                returning vehicles.id
            )
            select root.id, end_commit($1, null) as "marked!"
            from root
            "#,
                envelope,
                id,
                expected,
            )
            .fetch_optional(pool)
        })
        .await?;
    Ok(gone.map(|gone| gone.id))
}
