//! Vehicles.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::catalog::{LiveTrade, VehicleChange, VehicleSnapshot};
use lease_core::id::{CustomerId, NewIds, Stored, TradeId, VehicleId, Versioned};
use lease_core::model::{ChassisNumber, ExternalId, Trade, Vehicle, VehicleIdentity, Vin};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{RepositoryError, VehicleFilter, VehicleRepository};

use crate::SqliteRepository;
use crate::account;
use crate::error::require;
use crate::list::{self, Branch, Filters};
use crate::sql::{Db, sql};
use crate::table::{self, bump, find_versioned, get, update};
use crate::value::values;

#[async_trait]
impl VehicleRepository for SqliteRepository {
    async fn load_vehicle(
        &self,
        id: VehicleId,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<Option<Versioned<VehicleSnapshot>>, RepositoryError> {
        snapshot(&mut *self.reading().await?, id, viewer, now).await
    }

    async fn find_vehicle(&self, identity: &VehicleIdentity) -> Result<Option<VehicleId>, RepositoryError> {
        let column = match identity {
            VehicleIdentity::Vin(_) => "vin",
            VehicleIdentity::Chassis(_) => "chassis_number",
        };
        let find = sql(format!("select id from vehicles where {column} = ?"), values![identity.as_str()]);
        find.value(&mut *self.reading().await?).await
    }

    async fn list_vehicles(&self, filter: &VehicleFilter, page: PageRequest) -> Result<Page<Stored<Vehicle>>, RepositoryError> {
        let mut db = self.reading().await?;
        let filters = Filters::seen_by(filter.visible_to)
            .compare("t.customer_id =", filter.customer_id)
            .compare("t.make_key =", filter.make.as_deref())
            .compare("t.model_key =", filter.model.as_deref())
            .compare("t.year >=", filter.year_min)
            .compare("t.year <=", filter.year_max)
            .compare("t.vin =", filter.vin.as_ref().map(Vin::as_str))
            .compare("t.chassis_number =", filter.chassis_number.as_ref().map(ChassisNumber::as_str))
            .compare("t.external_id =", filter.external_id.as_ref().map(ExternalId::as_str))
            .search(filter.search.as_ref());
        list::page(&mut db, &branches(filter.visible_to), filters, page).await
    }
}

/// The vehicles that a customer may see: their own, those in an open trade whose owner is active, and those in a trade of which
/// both they and the vehicle's owner are parties.
fn branches(viewer: Option<CustomerId>) -> Vec<Branch> {
    let Some(viewer) = viewer else { return Branch::all::<Vehicle>() };
    let on_offer = "trades o indexed by trades_open join vehicles t on t.id = o.vehicle_id join customers c on c.id = o.customer_id \
                    join users u on u.id = c.user_id where o.status = 'open' and u.is_active";
    let party = |side: &str| {
        let from = format!(
            "trades o join vehicles t on t.id = o.vehicle_id \
             where o.{side} = ? and t.customer_id in (o.customer_id, o.counterparty_id)"
        );
        Branch::new("o.vehicle_id", &from, values![viewer])
    };
    vec![
        Branch::new("t.id", "vehicles t where t.customer_id = ?", values![viewer]),
        Branch::new("o.vehicle_id", on_offer, Vec::new()),
        party("customer_id"),
        party("counterparty_id"),
    ]
}

pub(crate) async fn snapshot(
    db: &mut Db,
    id: VehicleId,
    viewer: Option<CustomerId>,
    now: DateTime<Utc>,
) -> Result<Option<Versioned<VehicleSnapshot>>, RepositoryError> {
    let Some(Versioned { version, value: vehicle }) = find_versioned::<Vehicle>(db, id).await? else { return Ok(None) };
    let party = "select 1 from trades where vehicle_id = ? and ? in (customer_id, counterparty_id) \
                 and ? in (customer_id, counterparty_id)";
    let value = VehicleSnapshot {
        live_trade: live_trade(db, id, now).await?,
        was_traded: sql("select 1 from trades where vehicle_id = ?", values![id]).exists(db).await?,
        viewer_is_party: sql(party, values![id, viewer, vehicle.customer_id]).exists(db).await?,
        vehicle,
    };
    Ok(Some(Versioned { version, value }))
}

async fn live_trade(db: &mut Db, vehicle: VehicleId, now: DateTime<Utc>) -> Result<Option<LiveTrade>, RepositoryError> {
    let live = sql("select id from trades where vehicle_id = ? and status in ('open', 'agreed')", values![vehicle]);
    let Some(id) = live.value::<TradeId>(db).await? else { return Ok(None) };
    let Some(Versioned { version, value: trade }) = find_versioned::<Trade>(db, id).await? else { return Ok(None) };
    let bid = "select 1 from proposals where trade_id = ? and customer_id <> ? and status = 'pending' \
               and (expires_at is null or expires_at > ?)";
    Ok(Some(LiveTrade {
        id,
        version,
        is_open: trade.is_open(),
        owner_is_active: account::is_active(db, trade.customer_id).await?,
        has_bid: sql(bid, values![id, trade.customer_id, now]).exists(db).await?,
    }))
}

/// Writes a change to a vehicle, and to what a trade offers with it.
pub(crate) async fn change(
    db: &mut Db,
    VehicleChange { vehicle, offered_in }: &VehicleChange,
) -> Result<NewIds, RepositoryError> {
    if let Some((id, version)) = offered_in {
        let mut trade = get::<Trade>(db, *id).await?;
        bump::<Trade>(db, *id, *version).await?;
        if let lease_core::decision::RowChange::Update { id: offered, value, .. } = vehicle {
            require(trade.vehicle_id == *offered)?;
            trade.value.offered = value.into();
            update(db, *id, &trade.value).await?;
        }
    }
    Ok(NewIds { vehicle: table::change(db, vehicle).await?, ..NewIds::default() })
}
