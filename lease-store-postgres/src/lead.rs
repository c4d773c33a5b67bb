//! Leads, and what becomes of their contacts.

use async_trait::async_trait;
use lease_core::id::{ContactId, Id, LeadId, Stored, Versioned};
use lease_core::model::{Contact, Lead, LeadStatus};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    Change, Claim, ContactFilter, ContactsOfLead, DirectoryRepository, LeadChange, LeadFilter, RepositoryError,
};

use crate::list::{self, Branch, Table};
use crate::row::{At, LeadRow, versioned};
use crate::statement::{Database, claim_arguments};
use crate::{PostgresRepository, contact};

const LEADS: Table = Table {
    from: "leads t",
    columns: "t.id, t.first_name, t.last_name, t.email, t.phone, t.company, t.source, t.status, t.customer_id, t.notes, \
              t.created_at",
};

#[async_trait]
impl DirectoryRepository for PostgresRepository {
    async fn find_contact(&self, id: ContactId) -> Result<Option<Versioned<Stored<Contact>>>, RepositoryError> {
        contact::find(&self.database, id).await
    }

    async fn commit_contact(&self, change: &Change<Contact>, claim: Option<Claim>) -> Result<ContactId, RepositoryError> {
        contact::commit(&self.database, change, claim).await
    }

    async fn list_contacts(&self, filter: &ContactFilter, page: PageRequest) -> Result<Page<Stored<Contact>>, RepositoryError> {
        contact::list(&self.database, filter, page).await
    }

    async fn find_lead(&self, id: LeadId) -> Result<Option<Versioned<Stored<Lead>>>, RepositoryError> {
        let found = self
            .database
            .read(|pool| {
                sqlx::query!(
                    r#"
                select
                    version,
                    row(
                        id, first_name, last_name, email, phone, company, source, status, customer_id, notes, created_at
                    ) as "lead!: LeadRow"
                from leads
                where id = $1
                "#,
                    id.get()
                )
                .fetch_optional(pool)
            })
            .await?;
        found.map(|found| versioned(found.version, found.lead)).transpose()
    }

    async fn commit_lead(&self, change: &LeadChange, claim: Option<Claim>) -> Result<LeadId, RepositoryError> {
        let id = match &change.lead {
            Change::Create(value) => create(&self.database, value, claim).await?,
            Change::Update { id, expected, value } => {
                update(&self.database, id.get(), expected.0, value, change.contacts, claim).await?
            }
            Change::Delete { id, expected } => delete(&self.database, id.get(), expected.0, change.contacts, claim).await?,
        };
        let id = id.ok_or(RepositoryError::Conflict)?;
        At::new("leads", id).id("id", id)
    }

    async fn list_leads(&self, filter: &LeadFilter, page: PageRequest) -> Result<Page<Stored<Lead>>, RepositoryError> {
        list::page::<LeadRow>(
            &self.database,
            &LEADS,
            &[Branch::all(&LEADS)],
            |query| {
                query.name("t.status", filter.status.map(Into::into));
                query.compare("t.customer_id =", filter.customer_id.map(Id::get));
                query.search(filter.search.as_ref());
            },
            page,
        )
        .await
    }
}

async fn create(database: &Database, value: &Lead, claim: Option<Claim>) -> Result<Option<i64>, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let status: &str = LeadStatus::from(value.state).into();
    let made = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                insert into leads (
                    first_name, last_name, email, phone, company, source, status, customer_id, notes, created_at, search_text
                )
                select $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
                from claim
                where claim.held
                returning id
            )
            select root.id, mark_claim($1, root.id) as "marked!"
            from root
            "#,
                key,
                holder,
                value.first_name,
                value.last_name,
                value.email,
                value.phone,
                value.company,
                value.source,
                status,
                value.customer_id().map(Id::get),
                value.notes,
                value.created_at,
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
    value: &Lead,
    contacts: ContactsOfLead,
    claim: Option<Claim>,
) -> Result<Option<i64>, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let status: &str = LeadStatus::from(value.state).into();
    let (moved_to, erased) = contact_arguments(contacts);
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                update leads
                set version = version + 1,
                    first_name = $5,
                    last_name = $6,
                    email = $7,
                    phone = $8,
                    company = $9,
                    source = $10,
                    status = $11,
                    customer_id = $12,
                    notes = $13,
                    search_text = $14,
                    created_at = $17
                from claim
                where leads.id = $3
                    and leads.version = $4
                    and claim.held
                returning leads.id
            ), contacts_moved as (
                update contacts
                set version = version + 1,
                    customer_id = $15,
                    lead_id = null
                from root
                where contacts.lead_id = root.id
                    and $15::bigint is not null
            ), contacts_erased as (
                delete from contacts
                using root
                where contacts.lead_id = root.id
                    and $16
            )
            select root.id, mark_claim($1, null) as "marked!"
            from root
            "#,
                key,
                holder,
                id,
                expected,
                value.first_name,
                value.last_name,
                value.email,
                value.phone,
                value.company,
                value.source,
                status,
                value.customer_id().map(Id::get),
                value.notes,
                value.search_text(),
                moved_to,
                erased,
                value.created_at,
            )
            .fetch_optional(pool)
        })
        .await?;
    Ok(written.map(|written| written.id))
}

async fn delete(
    database: &Database,
    id: i64,
    expected: i64,
    contacts: ContactsOfLead,
    claim: Option<Claim>,
) -> Result<Option<i64>, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let (moved_to, erased) = contact_arguments(contacts);
    let gone = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                delete from leads
                using claim
                where leads.id = $3
                    and leads.version = $4
                    and claim.held
                returning leads.id
            ), contacts_moved as (
                update contacts
                set version = version + 1,
                    customer_id = $5,
                    lead_id = null
                from root
                where contacts.lead_id = root.id
                    and $5::bigint is not null
            ), contacts_erased as (
                delete from contacts
                using root
                where contacts.lead_id = root.id
                    and $6
            )
            select root.id, mark_claim($1, null) as "marked!"
            from root
            "#,
                key,
                holder,
                id,
                expected,
                moved_to,
                erased,
            )
            .fetch_optional(pool)
        })
        .await?;
    Ok(gone.map(|gone| gone.id))
}

/// To whom the contacts go, and whether they are erased.
fn contact_arguments(contacts: ContactsOfLead) -> (Option<i64>, bool) {
    match contacts {
        ContactsOfLead::Keep => (None, false),
        ContactsOfLead::MoveTo(customer) => (Some(customer.get()), false),
        ContactsOfLead::Erase => (None, true),
    }
}
