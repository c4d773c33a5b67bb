//! Services.

use async_trait::async_trait;
use lease_core::id::{ServiceId, Stored, Versioned};
use lease_core::model::Service;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{Change, Claim, RepositoryError, ServiceFilter, ServiceRepository};
use rust_decimal::Decimal;

use crate::PostgresRepository;
use crate::list::{self, Branch, Table};
use crate::row::{At, ServiceRow, versioned};
use crate::statement::{Database, claim_arguments, fault};

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

    async fn commit_service(&self, change: &Change<Service>, claim: Option<Claim>) -> Result<ServiceId, RepositoryError> {
        let id = match change {
            Change::Create(value) => create(&self.database, value, claim).await?,
            Change::Update { id, expected, value } => update(&self.database, id.get(), expected.0, value, claim).await?,
            Change::Delete { .. } => return Err(fault("services are never erased")),
        };
        let id = id.ok_or(RepositoryError::Conflict)?;
        At::new("services", id).id("id", id)
    }

    async fn seed_services(&self, services: &[Service]) -> Result<bool, RepositoryError> {
        seed(&self.database, services).await
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

async fn create(database: &Database, value: &Service, claim: Option<Claim>) -> Result<Option<i64>, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let (kind, invoice_on, bill_to) = names(value);
    let made = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                insert into services (
                    name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, is_active, is_used
                )
                select $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
                from claim
                where claim.held
                returning id
            )
            select root.id, mark_claim($1, root.id) as "marked!"
            from root
            "#,
                key,
                holder,
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
    claim: Option<Claim>,
) -> Result<Option<i64>, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let (kind, invoice_on, bill_to) = names(value);
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                update services
                set version = version + 1,
                    name = $5,
                    kind = $6,
                    invoice_on = $7,
                    bill_to = $8,
                    fee_amount = $9,
                    fee_currency = $10,
                    payment_due_days = $11,
                    description = $12,
                    is_active = $13,
                    is_used = $14
                from claim
                where services.id = $3
                    and services.version = $4
                    and claim.held
                returning services.id
            )
            select root.id, mark_claim($1, null) as "marked!"
            from root
            "#,
                key,
                holder,
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

async fn seed(database: &Database, services: &[Service]) -> Result<bool, RepositoryError> {
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
            with due as materialized (
                select seed_is_due() as is_due
            )
            insert into services (
                name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, is_active, is_used
            )
            select
                seed.name, seed.kind, seed.invoice_on, seed.bill_to, seed.fee_amount, seed.fee_currency, seed.payment_due_days,
                seed.description, seed.is_active, seed.is_used
            from due, unnest(
                $1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::text[], $7::int[], $8::text[], $9::bool[],
                $10::bool[]
            ) with ordinality as seed (
                name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, is_active, is_used,
                place
            )
            where due.is_due
            order by seed.place
            "#,
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
            .execute(pool)
        })
        .await?;
    Ok(made.rows_affected() > 0)
}

/// The names of kind, moment of invoicing and billed party.
fn names(service: &Service) -> (&'static str, &'static str, &'static str) {
    (service.kind.into(), service.invoice_on.into(), service.bill_to.into())
}
