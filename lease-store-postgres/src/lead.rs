//! Leads, and the contacts that belong to them.

use async_trait::async_trait;
use lease_core::decision::RowChange;
use lease_core::directory::{ContactsOfLead, LeadChange};
use lease_core::id::{ContactId, Id, LeadId, NewIds, Stored, Versioned};
use lease_core::model::{Contact, Lead, LeadStatus};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{ContactFilter, DirectoryRepository, LeadFilter, RepositoryError};
use serde_json::Value;

use crate::list::{self, Branch, Table};
use crate::row::{LeadRow, created, versioned};
use crate::statement::Database;
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

pub(crate) async fn commit(database: &Database, change: &LeadChange, envelope: &Value) -> Result<NewIds, RepositoryError> {
    let id = match &change.lead {
        RowChange::Create(value) => create(database, value, envelope).await?,
        RowChange::Update { id, expected, value } => {
            update(database, id.get(), expected.0, value, change.contacts, envelope).await?
        }
        RowChange::Delete { id, expected } => delete(database, id.get(), expected.0, change.contacts, envelope).await?,
    };
    let id = id.ok_or(RepositoryError::Conflict)?;
    Ok(NewIds { lead: created("leads", &change.lead, id)?, ..NewIds::default() })
}

async fn create(database: &Database, value: &Lead, envelope: &Value) -> Result<Option<i64>, RepositoryError> {
    let status: &str = LeadStatus::from(value.state).into();
    let made = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                insert into leads (
                    first_name, last_name, email, phone, company, source, status, customer_id, notes, created_at, search_text
                )
                select $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
                from started
                where started.begun
                returning id
            )
            select root.id, end_commit($1, root.id) as "marked!"
            from root
            "#,
                envelope,
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
    envelope: &Value,
) -> Result<Option<i64>, RepositoryError> {
    let status: &str = LeadStatus::from(value.state).into();
    let (moved_to, erased) = contact_arguments(contacts);
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                update leads
                set version = version + 1,
                    first_name = $4,
                    last_name = $5,
                    email = $6,
                    phone = $7,
                    company = $8,
                    source = $9,
                    status = $10,
                    customer_id = $11,
                    notes = $12,
                    search_text = $13,
                    created_at = $16
                from started
                where leads.id = $2
                    and leads.version = $3
                    and started.begun
                returning leads.id
            ), contacts_moved as (
                update contacts
                set version = version + 1,
                    customer_id = $14,
                    lead_id = null
                from root
                where contacts.lead_id = root.id
                    and $14::bigint is not null
            ), contacts_erased as (
                delete from contacts
                using root
                where contacts.lead_id = root.id
                    and $15
            )
            select root.id, end_commit($1, null) as "marked!"
            from root
            "#,
                envelope,
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
    envelope: &Value,
) -> Result<Option<i64>, RepositoryError> {
    let (moved_to, erased) = contact_arguments(contacts);
    let gone = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                delete from leads
                using started
                where leads.id = $2
                    and leads.version = $3
                    and started.begun
                returning leads.id
            ), contacts_moved as (
                update contacts
                set version = version + 1,
                    customer_id = $4,
                    lead_id = null
                from root
                where contacts.lead_id = root.id
                    and $4::bigint is not null
            ), contacts_erased as (
                delete from contacts
                using root
                where contacts.lead_id = root.id
                    and $5
            )
            select root.id, end_commit($1, null) as "marked!"
            from root
            "#,
                envelope,
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

/// The new owner of the contacts, and whether they are deleted instead.
fn contact_arguments(contacts: ContactsOfLead) -> (Option<i64>, bool) {
    match contacts {
        ContactsOfLead::Keep => (None, false),
        ContactsOfLead::MoveTo(customer) => (Some(customer.get()), false),
        ContactsOfLead::Delete => (None, true),
    }
}
