//! Contacts and leads.

use async_trait::async_trait;
use lease_core::decision::RowChange;
use lease_core::directory::{ContactsOfLead, LeadChange};
use lease_core::id::{ContactId, LeadId, NewIds, Stored, Versioned};
use lease_core::model::{Contact, Lead};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{ContactFilter, DirectoryRepository, LeadFilter, Named, RepositoryError, Words};

use crate::SqliteRepository;
use crate::list::{self, Branch, Filters};
use crate::sql::{Db, Fields, sql};
use crate::table::{self, find_versioned};
use crate::value::values;

#[async_trait]
impl DirectoryRepository for SqliteRepository {
    async fn find_contact(&self, id: ContactId) -> Result<Option<Versioned<Stored<Contact>>>, RepositoryError> {
        find_versioned(&mut *self.reading().await?, id).await
    }

    async fn list_contacts(&self, filter: &ContactFilter, page: PageRequest) -> Result<Page<Stored<Contact>>, RepositoryError> {
        let mut db = self.reading().await?;
        let filters = Filters::default()
            .compare("t.customer_id =", filter.visible_to)
            .compare("t.customer_id =", filter.customer_id)
            .compare("t.lead_id =", filter.lead_id);
        list::page(&mut db, &Branch::all::<Contact>(), filters, page).await
    }

    async fn find_lead(&self, id: LeadId) -> Result<Option<Versioned<Stored<Lead>>>, RepositoryError> {
        find_versioned(&mut *self.reading().await?, id).await
    }

    async fn list_leads(&self, filter: &LeadFilter, page: PageRequest) -> Result<Page<Stored<Lead>>, RepositoryError> {
        let mut db = self.reading().await?;
        let filters = Filters::default()
            .compare("t.customer_id =", filter.customer_id)
            .named("t.status", filter.status)
            .search(filter.search.as_ref());
        list::page(&mut db, &Branch::all::<Lead>(), filters, page).await
    }

    async fn names(&self, of: &[Named]) -> Result<Vec<(Named, Words)>, RepositoryError> {
        let mut db = self.reading().await?;
        let mut names = Vec::new();
        for named in of {
            let (columns, id) = words_of(*named);
            if let Some(row) = sql(format!("select {columns} = ?"), values![id]).row(&mut db).await? {
                let mut fields = Fields::of(&row, "");
                names.push((*named, [fields.get()?, fields.get()?, fields.get()?]));
            }
        }
        Ok(names)
    }
}

/// Where the words of a name are, and the id of the object. Within a file a statement for each costs little.
fn words_of(named: Named) -> (&'static str, i64) {
    match named {
        Named::User(id) => ("username, '', '' from users where id", id.get()),
        Named::Customer(id) => {
            ("u.first_name, u.last_name, '' from customers c join users u on u.id = c.user_id where c.id", id.get())
        }
        Named::Vehicle(id) => ("make, model, '' from vehicles where id", id.get()),
        Named::Service(id) => ("name, '', '' from services where id", id.get()),
        Named::Trade(id) => ("title, offered_make, offered_model from trades where id", id.get()),
    }
}

pub(crate) async fn change_contact(db: &mut Db, change: &RowChange<Contact>) -> Result<NewIds, RepositoryError> {
    Ok(NewIds { contact: table::change(db, change).await?, ..NewIds::default() })
}

/// Writes a change to a lead, and first to its contacts, so that none refers to a lead that goes.
pub(crate) async fn change_lead(db: &mut Db, change: &LeadChange) -> Result<NewIds, RepositoryError> {
    if let RowChange::Update { id, .. } | RowChange::Delete { id, .. } = &change.lead {
        change_contacts_of(db, *id, change.contacts).await?;
    }
    Ok(NewIds { lead: table::change(db, &change.lead).await?, ..NewIds::default() })
}

async fn change_contacts_of(db: &mut Db, lead: LeadId, change: ContactsOfLead) -> Result<(), RepositoryError> {
    let statement = match change {
        ContactsOfLead::Keep => return Ok(()),
        ContactsOfLead::MoveTo(customer) => sql(
            "update contacts set customer_id = ?, lead_id = null, version = version + 1 where lead_id = ?",
            values![customer, lead],
        ),
        ContactsOfLead::Delete => sql("delete from contacts where lead_id = ?", values![lead]),
    };
    statement.run(db).await.map(drop)
}
