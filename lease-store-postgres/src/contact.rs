//! Contacts. (The trait that they share with leads is implemented in [`lead`](crate::lead).)

use lease_core::decision::RowChange;
use lease_core::id::{CustomerId, LeadId, NewIds, Stored};
use lease_core::model::Contact;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{ContactFilter, Envelope, RepositoryError};

use crate::database::Database;
use crate::list::{self, Branch};
use crate::writing::change_row;

pub(crate) async fn list(
    database: &Database,
    filter: &ContactFilter,
    page: PageRequest,
) -> Result<Page<Stored<Contact>>, RepositoryError> {
    list::page(
        database,
        &[Branch::all("contacts t")],
        |query| {
            query.compare("t.customer_id =", filter.visible_to.map(CustomerId::get));
            query.compare("t.customer_id =", filter.customer_id.map(CustomerId::get));
            query.compare("t.lead_id =", filter.lead_id.map(LeadId::get));
        },
        page,
    )
    .await
}

pub(crate) async fn commit(
    database: &Database,
    change: &RowChange<Contact>,
    envelope: &Envelope,
) -> Result<NewIds, RepositoryError> {
    let contact = change_row(database, change, envelope, |_| {}).await?;
    Ok(NewIds { contact, ..NewIds::default() })
}
