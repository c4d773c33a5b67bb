use lease_core::catalog::VehicleSnapshot;
use lease_core::id::{CustomerId, Id, NewIds, ServiceId, VehicleId, Version, Versioned};
use lease_core::lifecycle::Opening;
use lease_core::lifecycle::OpeningSnapshot;
use lease_core::model::{Trade, TradeStatus};
use lease_core::repository::RepositoryError;
use serde_json::Value;

use crate::row::{Row as _, ServiceRow, VehicleRow, parse_id, versioned};
use crate::statement::{Database, fault};

pub(super) async fn load(
    database: &Database,
    vehicle: Option<VehicleId>,
    service: Option<ServiceId>,
    viewer: Option<CustomerId>,
) -> Result<OpeningSnapshot, RepositoryError> {
    let found = database
        .read(|pool| {
            sqlx::query!(
                r#"
            select
                v.version as "vehicle_version?",
                case
                    when v.id is not null
                    then row(
                        v.id, v.customer_id, v.vin, v.make, v.model, v.year, v.color, v.mileage, v.license_plate, v.description,
                        v.created_at
                    )
                end as "vehicle?: VehicleRow",
                exists (select from trades where vehicle_id = v.id and status = 'open') as "has_open_trade!",
                exists (select from trades where vehicle_id = v.id and status in ('open', 'agreed')) as "has_live_trade!",
                exists (select from trades where vehicle_id = v.id) as "was_traded!",
                exists (select from vehicle_parties where vehicle_id = v.id and customer_id = $3) as "viewer_is_party!",
                s.version as "service_version?",
                case
                    when s.id is not null
                    then row(
                        s.id, s.name, s.kind, s.invoice_on, s.bill_to, s.fee_amount, s.fee_currency, s.payment_due_days,
                        s.description, s.is_active, s.is_used
                    )
                end as "service?: ServiceRow"
            from (values ($1::bigint, $2::bigint)) as asked (vehicle_id, service_id)
            left join vehicles v on v.id = asked.vehicle_id
            left join services s on s.id = asked.service_id
            "#,
                vehicle.map(Id::get),
                service.map(Id::get),
                viewer.map(Id::get),
            )
            .fetch_one(pool)
        })
        .await?;
    let vehicle = match found.vehicle.zip(found.vehicle_version) {
        None => None,
        Some((row, version)) => {
            let value = VehicleSnapshot {
                vehicle: row.parse()?,
                has_open_trade: found.has_open_trade,
                has_live_trade: found.has_live_trade,
                was_traded: found.was_traded,
                viewer_is_party: found.viewer_is_party,
            };
            Some(Versioned { version: Version(version), value })
        }
    };
    let service = found.service.zip(found.service_version).map(|(row, version)| versioned(version, row)).transpose()?;
    Ok(OpeningSnapshot { vehicle, service })
}

/// Two rows are checked here. The vehicle is locked first; the service is written only if the vehicle is as expected, and the
/// rest only if both are. A service that is already used is not locked: every opening would share the lock, and staff who edit
/// the service would have to wait for a gap. So whether it is active is checked as of the start of the statement.
pub(crate) async fn commit(database: &Database, opening: &Opening, envelope: &Value) -> Result<NewIds, RepositoryError> {
    let trade: &Trade = &opening.trade;
    if !trade.is_open() || trade.invoice_id.is_some() {
        return Err(fault("a trade begins open and without an invoice"));
    }
    let status: &str = TradeStatus::Open.into();
    let opened = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), vehicle as materialized (
                select v.id, v.make_key, v.model_key, v.year
                from vehicles v, started
                where v.id = $2
                    and v.version = $3
                    and started.begun
                for no key update of v
            ), service_used as (
                update services
                set is_used = true,
                    version = version + 1
                from vehicle
                where services.id = $4
                    and services.version = $5
                    and services.is_active
                returning services.id
            ), ready as materialized (
                select vehicle.id, vehicle.make_key, vehicle.model_key, vehicle.year
                from vehicle
                where exists (select from service_used)
                    or ($5::bigint is null and exists (select from services where id = $4 and is_active))
            ), vehicle_moved as (
                update vehicles
                set version = version + 1
                from ready
                where vehicles.id = ready.id
            ), root as (
                insert into trades (
                    vehicle_id, vehicle_make, vehicle_model, vehicle_year, service_id, service_kind, customer_id, title,
                    description, status, created_at, search_text
                )
                select ready.id, ready.make_key, ready.model_key, ready.year, s.id, s.kind, $6, $7, $8, $9, $10, $11
                from ready, services s
                where s.id = $4
                returning id
            ), trade_party as (
                insert into trade_parties (customer_id, trade_id)
                select $6, root.id
                from root
            ), vehicle_party as (
                insert into vehicle_parties (customer_id, vehicle_id)
                select $6, $2
                from root
                on conflict do nothing
            )
            select
                root.id as "id?",
                case when root.id is not null then end_commit($1, root.id) end as marked,
                ensure_whole(root.id is not null) as "whole!"
            from ready
            left join root on true
            "#,
                envelope,
                trade.vehicle_id.get(),
                opening.vehicle_version.0,
                trade.service_id.get(),
                opening.first_use_of_service.map(|version| version.0),
                trade.customer_id.get(),
                trade.title,
                trade.description,
                status,
                trade.created_at,
                trade.search_text(),
            )
            .fetch_optional(pool)
        })
        .await?;
    let id = opened.and_then(|opened| opened.id).ok_or(RepositoryError::Conflict)?;
    Ok(NewIds { trade: Some(parse_id("trades", id)?), ..NewIds::default() })
}
