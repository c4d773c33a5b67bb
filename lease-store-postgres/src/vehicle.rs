//! Vehicles. The columns of a vehicle that are repeated in its trades are kept up to date by a foreign key.

use async_trait::async_trait;
use lease_core::catalog::VehicleSnapshot;
use lease_core::decision::RowChange;
use lease_core::id::{CustomerId, NewIds, Stored, VehicleId, Versioned};
use lease_core::model::{ChassisNumber, Vehicle, VehicleIdentity, Vin};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{Envelope, RepositoryError, VehicleFilter, VehicleRepository};
use sqlx::QueryBuilder;
use sqlx::postgres::Postgres;

use crate::PostgresRepository;
use crate::database::Database;
use crate::list::{self, Branch};
use crate::row::{Fields, push_columns};
use crate::writing::change_row;

/// The columns of vehicles that are repeated in their trades, of those whose owner is active. Postgres joins the vehicle itself
/// only if a filter asks for other columns: then for few rows, unless the filter is the owner.
const TRADED: &str = "(select o.vehicle_id as id, o.status, o.vehicle_make as make_key, o.vehicle_model as model_key, \
                      o.vehicle_year as year, v.vin, v.chassis_number, v.search_text \
                      from trades o join customers owner on owner.id = o.customer_id and owner.is_active \
                      left join vehicles v on v.id = o.vehicle_id) t";

#[async_trait]
impl VehicleRepository for PostgresRepository {
    async fn load_vehicle(
        &self,
        id: VehicleId,
        viewer: Option<CustomerId>,
    ) -> Result<Option<Versioned<VehicleSnapshot>>, RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("select ");
            push_snapshot(&mut query, viewer);
            query.push(" from vehicles v where v.id = ").push_bind(id.get());
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
                query.search(filter.search.as_ref());
            },
            page,
        )
        .await
    }
}

/// Adds the columns of a snapshot of the vehicle with the alias `v`.
pub(crate) fn push_snapshot(query: &mut QueryBuilder<Postgres>, viewer: Option<CustomerId>) {
    query.push("v.version, ");
    push_columns::<Vehicle>(query, "v");
    query.push(
        ", exists (select from trades o join customers owner on owner.id = o.customer_id and owner.is_active \
         where o.vehicle_id = v.id and o.status = 'open'), \
         exists (select from trades where vehicle_id = v.id and status in ('open', 'agreed')), \
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

/// Reads the columns of [`push_snapshot`].
pub(crate) fn read_snapshot(fields: &mut Fields<'_>) -> Result<Versioned<VehicleSnapshot>, RepositoryError> {
    let Versioned { version, value: vehicle } = fields.versioned()?;
    let value = VehicleSnapshot {
        vehicle,
        is_on_offer: fields.get()?,
        has_live_trade: fields.get()?,
        was_traded: fields.get()?,
        viewer_is_party: fields.get()?,
    };
    Ok(Versioned { version, value })
}

/// The vehicles that a customer may see: their own, those in an open trade whose owner is active, and those in a trade to which they are a party.
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

pub(crate) async fn commit(
    database: &Database,
    change: &RowChange<Vehicle>,
    envelope: &Envelope,
) -> Result<NewIds, RepositoryError> {
    let vehicle = change_row(database, change, envelope, |_| {}).await?;
    Ok(NewIds { vehicle, ..NewIds::default() })
}
