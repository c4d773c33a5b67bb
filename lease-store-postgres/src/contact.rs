//! Contacts. (The trait that they share with leads is implemented in [`lead`](crate::lead).)

use lease_core::id::{ContactId, Id, Stored, Versioned};
use lease_core::model::{Contact, ContactOwner};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{Change, Claim, ContactFilter, RepositoryError};

use crate::list::{self, Branch, Table};
use crate::row::{At, ContactRow, versioned};
use crate::statement::{Database, claim_arguments};

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
    change: &Change<Contact>,
    claim: Option<Claim>,
) -> Result<ContactId, RepositoryError> {
    let id = match change {
        Change::Create(value) => create(database, value, claim).await?,
        Change::Update { id, expected, value } => update(database, id.get(), expected.0, value, claim).await?,
        Change::Delete { id, expected } => delete(database, id.get(), expected.0, claim).await?,
    };
    let id = id.ok_or(RepositoryError::Conflict)?;
    At::new("contacts", id).id("id", id)
}

fn owner_columns(owner: ContactOwner) -> (Option<i64>, Option<i64>) {
    match owner {
        ContactOwner::Customer(id) => (Some(id.get()), None),
        ContactOwner::Lead(id) => (None, Some(id.get())),
    }
}

async fn create(database: &Database, value: &Contact, claim: Option<Claim>) -> Result<Option<i64>, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let (customer, lead) = owner_columns(value.owner);
    let made = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                insert into contacts (
                    customer_id, lead_id, label, name, email, phone, address_line1, address_line2, city, state, postal_code,
                    country, created_at
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
    claim: Option<Claim>,
) -> Result<Option<i64>, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let (customer, lead) = owner_columns(value.owner);
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                update contacts
                set version = version + 1,
                    customer_id = $5,
                    lead_id = $6,
                    label = $7,
                    name = $8,
                    email = $9,
                    phone = $10,
                    address_line1 = $11,
                    address_line2 = $12,
                    city = $13,
                    state = $14,
                    postal_code = $15,
                    country = $16,
                    created_at = $17
                from claim
                where contacts.id = $3
                    and contacts.version = $4
                    and claim.held
                returning contacts.id
            )
            select root.id, mark_claim($1, null) as "marked!"
            from root
            "#,
                key,
                holder,
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

async fn delete(database: &Database, id: i64, expected: i64, claim: Option<Claim>) -> Result<Option<i64>, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let gone = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                delete from contacts
                using claim
                where contacts.id = $3
                    and contacts.version = $4
                    and claim.held
                returning contacts.id
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
