//! Contacts. (The trait that they share with leads is implemented in [`lead`](crate::lead).)

use lease_core::decision::RowChange;
use lease_core::id::{ContactId, Id, NewIds, Stored, Versioned};
use lease_core::model::{Contact, ContactOwner};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{ContactFilter, RepositoryError};
use serde_json::Value;

use crate::list::{self, Branch, Table};
use crate::row::{ContactRow, created, versioned};
use crate::statement::Database;

const CONTACTS: Table = Table {
    from: "contacts t",
    columns: "t.id, t.customer_id, t.lead_id, t.label, t.name, t.email, t.phone, t.address_line1, t.address_line2, t.city, \
              t.state, t.postal_code, t.country, t.created_at",
};

pub(crate) async fn find(database: &Database, id: ContactId) -> Result<Option<Versioned<Stored<Contact>>>, RepositoryError> {
    let found = database
        .read(|pool| {
            sqlx::query!(
                r#"
            select
                version,
                row(
                    id, customer_id, lead_id, label, name, email, phone, address_line1, address_line2, city, state, postal_code,
                    country, created_at
                ) as "contact!: ContactRow"
            from contacts
            where id = $1
            "#,
                id.get()
            )
            .fetch_optional(pool)
        })
        .await?;
    found.map(|found| versioned(found.version, found.contact)).transpose()
}

pub(crate) async fn commit(
    database: &Database,
    change: &RowChange<Contact>,
    envelope: &Value,
) -> Result<NewIds, RepositoryError> {
    let id = match change {
        RowChange::Create(value) => create(database, value, envelope).await?,
        RowChange::Update { id, expected, value } => update(database, id.get(), expected.0, value, envelope).await?,
        RowChange::Delete { id, expected } => delete(database, id.get(), expected.0, envelope).await?,
    };
    let id = id.ok_or(RepositoryError::Conflict)?;
    Ok(NewIds { contact: created("contacts", change, id)?, ..NewIds::default() })
}

fn owner_columns(owner: ContactOwner) -> (Option<i64>, Option<i64>) {
    match owner {
        ContactOwner::Customer(id) => (Some(id.get()), None),
        ContactOwner::Lead(id) => (None, Some(id.get())),
    }
}

async fn create(database: &Database, value: &Contact, envelope: &Value) -> Result<Option<i64>, RepositoryError> {
    let (customer, lead) = owner_columns(value.owner);
    let made = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                insert into contacts (
                    customer_id, lead_id, label, name, email, phone, address_line1, address_line2, city, state, postal_code,
                    country, created_at
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
                customer,
                lead,
                value.label,
                value.name,
                value.email,
                value.phone,
                value.address_line1,
                value.address_line2,
                value.city,
                value.state,
                value.postal_code,
                value.country,
                value.created_at,
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
    value: &Contact,
    envelope: &Value,
) -> Result<Option<i64>, RepositoryError> {
    let (customer, lead) = owner_columns(value.owner);
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                update contacts
                set version = version + 1,
                    customer_id = $4,
                    lead_id = $5,
                    label = $6,
                    name = $7,
                    email = $8,
                    phone = $9,
                    address_line1 = $10,
                    address_line2 = $11,
                    city = $12,
                    state = $13,
                    postal_code = $14,
                    country = $15,
                    created_at = $16
                from started
                where contacts.id = $2
                    and contacts.version = $3
                    and started.begun
                returning contacts.id
            )
            select root.id, end_commit($1, null) as "marked!"
            from root
            "#,
                envelope,
                id,
                expected,
                customer,
                lead,
                value.label,
                value.name,
                value.email,
                value.phone,
                value.address_line1,
                value.address_line2,
                value.city,
                value.state,
                value.postal_code,
                value.country,
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
                delete from contacts
                using started
                where contacts.id = $2
                    and contacts.version = $3
                    and started.begun
                returning contacts.id
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

pub(crate) async fn list(
    database: &Database,
    filter: &ContactFilter,
    page: PageRequest,
) -> Result<Page<Stored<Contact>>, RepositoryError> {
    list::page::<ContactRow>(
        database,
        &CONTACTS,
        &[Branch::all(&CONTACTS)],
        |query| {
            query.compare("t.customer_id =", filter.visible_to.map(Id::get));
            query.compare("t.customer_id =", filter.customer_id.map(Id::get));
            query.compare("t.lead_id =", filter.lead_id.map(Id::get));
        },
        page,
    )
    .await
}
