//! Services.

use async_trait::async_trait;
use lease_core::catalog::FirstServices;
use lease_core::decision::RowChange;
use lease_core::id::{NewIds, ServiceId, Stored, Versioned};
use lease_core::model::Service;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{Guarantee, RepositoryError, ServiceFilter, ServiceRepository};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::PostgresRepository;
use crate::list::{self, Branch, Table};
use crate::row::{ServiceRow, created, parse_optional_id, versioned};
use crate::statement::{Database, fault};

const SERVICES: Table = Table {
    from: "services t",
    columns: "t.id, t.name, t.kind, t.invoice_on, t.bill_to, t.fee_amount, t.fee_currency, t.payment_due_days, t.description, \
              t.is_active, t.is_used",
};

#[async_trait]
impl ServiceRepository for PostgresRepository {
    async fn find_service(&self, id: ServiceId) -> Result<Option<Versioned<Stored<Service>>>, RepositoryError> {
        let found = self
            .database
            .read(|pool| {
                sqlx::query!(
                    r#"
                select
                    version,
                    row(
                        id, name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, is_active,
                        is_used
                    ) as "service!: ServiceRow"
                from services
                where id = $1
                "#,
                    id.get()
                )
                .fetch_optional(pool)
            })
            .await?;
        found.map(|found| versioned(found.version, found.service)).transpose()
    }

    async fn list_services(&self, filter: &ServiceFilter, page: PageRequest) -> Result<Page<Stored<Service>>, RepositoryError> {
        list::page::<ServiceRow>(
            &self.database,
            &SERVICES,
            &[Branch::all(&SERVICES)],
            |query| {
                match filter.is_active {
                    Some(true) => query.holds("t.is_active"),
                    Some(false) => query.holds("not t.is_active"),
                    None => {}
                }
                query.name("t.kind", filter.kind.map(Into::into));
            },
            page,
        )
        .await
    }
}

pub(crate) async fn commit(
    database: &Database,
    change: &RowChange<Service>,
    envelope: &Value,
) -> Result<NewIds, RepositoryError> {
    let id = match change {
        RowChange::Create(value) => create(database, value, envelope).await?,
        RowChange::Update { id, expected, value } => update(database, id.get(), expected.0, value, envelope).await?,
        RowChange::Delete { .. } => return Err(fault("services are never deleted")),
    };
    let id = id.ok_or(RepositoryError::Conflict)?;
    Ok(NewIds { service: created("services", change, id)?, ..NewIds::default() })
}

async fn create(database: &Database, value: &Service, envelope: &Value) -> Result<Option<i64>, RepositoryError> {
    let (kind, invoice_on, bill_to) = names(value);
    let made = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                insert into services (
                    name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, is_active, is_used
                )
                select $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
                from started
                where started.begun
                returning id
            )
            select root.id, end_commit($1, root.id) as "marked!"
            from root
            "#,
                envelope,
                value.name,
                kind,
                invoice_on,
                bill_to,
                value.fee.amount(),
                value.fee.currency().code(),
                i32::from(value.payment_due_days),
                value.description,
                value.is_active,
                value.is_used,
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
    value: &Service,
    envelope: &Value,
) -> Result<Option<i64>, RepositoryError> {
    let (kind, invoice_on, bill_to) = names(value);
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                update services
                set version = version + 1,
                    name = $4,
                    kind = $5,
                    invoice_on = $6,
                    bill_to = $7,
                    fee_amount = $8,
                    fee_currency = $9,
                    payment_due_days = $10,
                    description = $11,
                    is_active = $12,
                    is_used = $13
                from started
                where services.id = $2
                    and services.version = $3
                    and started.begun
                returning services.id
            )
            select root.id, end_commit($1, null) as "marked!"
            from root
            "#,
                envelope,
                id,
                expected,
                value.name,
                kind,
                invoice_on,
                bill_to,
                value.fee.amount(),
                value.fee.currency().code(),
                i32::from(value.payment_due_days),
                value.description,
                value.is_active,
                value.is_used,
            )
            .fetch_optional(pool)
        })
        .await?;
    Ok(written.map(|written| written.id))
}

pub(crate) async fn create_first(
    database: &Database,
    FirstServices(services): &FirstServices,
    envelope: &Value,
) -> Result<NewIds, RepositoryError> {
    let column = |of: fn(&Service) -> &str| services.iter().map(|service| of(service).to_owned()).collect::<Vec<_>>();
    let names_column = column(|service| &service.name);
    let kinds = column(|service| names(service).0);
    let moments = column(|service| names(service).1);
    let billed = column(|service| names(service).2);
    let currencies = column(|service| service.fee.currency().code());
    let descriptions = column(|service| &service.description);
    let amounts: Vec<Decimal> = services.iter().map(|service| service.fee.amount()).collect();
    let due_days: Vec<i32> = services.iter().map(|service| i32::from(service.payment_due_days)).collect();
    let active: Vec<bool> = services.iter().map(|service| service.is_active).collect();
    let used: Vec<bool> = services.iter().map(|service| service.is_used).collect();
    let made = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), due as materialized (
                select seed_is_due() as is_due
                from started
                where started.begun
            ), root as (
                insert into services (
                    name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, is_active, is_used
                )
                select
                    seed.name, seed.kind, seed.invoice_on, seed.bill_to, seed.fee_amount, seed.fee_currency,
                    seed.payment_due_days, seed.description, seed.is_active, seed.is_used
                from due, unnest(
                    $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::text[], $8::int[], $9::text[],
                    $10::bool[], $11::bool[]
                ) with ordinality as seed (
                    name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, is_active,
                    is_used, place
                )
                where due.is_due
                order by seed.place
                returning id
            )
            select
                (select min(id) from root) as first,
                case when due.is_due then end_commit($1, (select min(id) from root)) end as marked
            from due
            "#,
                envelope,
                &names_column,
                &kinds,
                &moments,
                &billed,
                &amounts,
                &currencies,
                &due_days,
                &descriptions,
                &active,
                &used,
            )
            .fetch_one(pool)
        })
        .await?;
    if made.marked.is_none() {
        return Err(RepositoryError::Taken(Guarantee::FirstServices));
    }
    let service = parse_optional_id("services", made.first)?;
    Ok(NewIds { service, ..NewIds::default() })
}

/// The names of the kind, the moment of invoicing and the billed party.
fn names(service: &Service) -> (&'static str, &'static str, &'static str) {
    (service.kind.into(), service.invoice_on.into(), service.bill_to.into())
}
