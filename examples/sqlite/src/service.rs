//! Services.

use async_trait::async_trait;
use lease_core::catalog::FirstServices;
use lease_core::decision::RowChange;
use lease_core::id::{NewIds, ServiceId, Stored, Versioned};
use lease_core::model::Service;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{Guarantee, RepositoryError, ServiceFilter, ServiceRepository};

use crate::SqliteRepository;
use crate::error::fault;
use crate::list::{self, Branch, Filters};
use crate::sql::{Db, sql};
use crate::table::{self, find_versioned, insert};
use crate::value::values;

#[async_trait]
impl ServiceRepository for SqliteRepository {
    async fn find_service(&self, id: ServiceId) -> Result<Option<Versioned<Stored<Service>>>, RepositoryError> {
        find_versioned(&mut *self.reading().await?, id).await
    }

    async fn list_services(&self, filter: &ServiceFilter, page: PageRequest) -> Result<Page<Stored<Service>>, RepositoryError> {
        let mut db = self.reading().await?;
        let filters = Filters::default().compare("t.is_active =", filter.is_active).named("t.kind", filter.kind);
        list::page(&mut db, &Branch::all::<Service>(), filters, page).await
    }
}

pub(crate) async fn change(db: &mut Db, change: &RowChange<Service>) -> Result<NewIds, RepositoryError> {
    if matches!(change, RowChange::Delete { .. }) {
        return Err(fault("services are never deleted"));
    }
    Ok(NewIds { service: table::change(db, change).await?, ..NewIds::default() })
}

pub(crate) async fn create_first(db: &mut Db, FirstServices(services): &FirstServices) -> Result<NewIds, RepositoryError> {
    if sql("select 1 from services", values![]).exists(db).await? {
        return Err(RepositoryError::Taken(Guarantee::FirstServices));
    }
    let mut first = None;
    for service in services {
        let id = insert(db, service).await?;
        first = first.or(Some(id));
    }
    Ok(NewIds { service: first, ..NewIds::default() })
}
