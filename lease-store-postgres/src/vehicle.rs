//! Vehicles. What trades repeat of a vehicle follows it through their foreign key.

use async_trait::async_trait;
use lease_core::id::{CustomerId, Id, Stored, VehicleId, Version, Versioned};
use lease_core::model::{Vehicle, Vin};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{Change, Claim, RepositoryError, VehicleFilter, VehicleRepository, VehicleSnapshot};

use crate::PostgresRepository;
use crate::list::{self, Branch, Table};
use crate::row::{At, Row as _, VehicleRow};
use crate::statement::{Database, claim_arguments};

const VEHICLES: Table = Table {
    from: "vehicles t",
    columns: "t.id, t.customer_id, t.vin, t.make, t.model, t.year, t.color, t.mileage, t.license_plate, t.description, \
              t.created_at",
};

/// Vehicles as their trades repeat them. Postgres joins the vehicle itself only where a filter asks for what they do not: for
/// few rows then, unless it is the owner.
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
        found.map(|id| At::new("vehicles", id).id("id", id)).transpose()
    }

    async fn commit_vehicle(&self, change: &Change<Vehicle>, claim: Option<Claim>) -> Result<VehicleId, RepositoryError> {
        let id = match change {
            Change::Create(value) => create(&self.database, value, claim).await?,
            Change::Update { id, expected, value } => update(&self.database, id.get(), expected.0, value, claim).await?,
            Change::Delete { id, expected } => delete(&self.database, id.get(), expected.0, claim).await?,
        };
        let id = id.ok_or(RepositoryError::Conflict)?;
        At::new("vehicles", id).id("id", id)
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

/// What a customer may see: their own, those in an open trade, those in a trade they are a party of.
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

async fn create(database: &Database, value: &Vehicle, claim: Option<Claim>) -> Result<Option<i64>, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let made = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                insert into vehicles (
                    customer_id, vin, make, model, year, color, mileage, license_plate, description, created_at, make_key,
                    model_key, search_text
                )
                select $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
                from claim
                where claim.held
                returning id
            )
            select root.id, mark_claim($1, root.id) as "marked!"
            from root
            "#,
                key,
                holder,
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
    claim: Option<Claim>,
) -> Result<Option<i64>, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                update vehicles
                set version = version + 1,
                    customer_id = $5,
                    vin = $6,
                    make = $7,
                    model = $8,
                    year = $9,
                    color = $10,
                    mileage = $11,
                    license_plate = $12,
                    description = $13,
                    make_key = $14,
                    model_key = $15,
                    search_text = $16,
                    created_at = $17
                from claim
                where vehicles.id = $3
                    and vehicles.version = $4
                    and claim.held
                returning vehicles.id
            )
            select root.id, mark_claim($1, null) as "marked!"
            from root
            "#,
                key,
                holder,
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

async fn delete(database: &Database, id: i64, expected: i64, claim: Option<Claim>) -> Result<Option<i64>, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let gone = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                delete from vehicles
                using claim
                where vehicles.id = $3
                    and vehicles.version = $4
                    and claim.held
                returning vehicles.id
            )
            select root.id, mark_claim($1, null) as "marked!"
            from root
            "#,
                key,
                holder,
                id,
                expected,
            )
            .fetch_optional(pool)
        })
        .await?;
    Ok(gone.map(|gone| gone.id))
}
