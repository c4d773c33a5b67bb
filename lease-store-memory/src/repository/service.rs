use async_trait::async_trait;
use lease_core::id::{ServiceId, Stored, Versioned};
use lease_core::model::Service;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{RepositoryError, ServiceFilter, ServiceRepository};

use crate::MemoryRepository;
use crate::index::Term;
use crate::state::service_kind;
use crate::walk::Query;

#[async_trait]
impl ServiceRepository for MemoryRepository {
    async fn find_service(&self, id: ServiceId) -> Result<Option<Versioned<Stored<Service>>>, RepositoryError> {
        Ok(self.state.read(|state| state.services.versioned(id)))
    }

    async fn list_services(&self, filter: &ServiceFilter, page: PageRequest) -> Result<Page<Stored<Service>>, RepositoryError> {
        let query = Query::default().and(filter.is_active.map(Term::flag)).and(filter.kind.map(service_kind));
        Ok(self.state.read(|state| state.services.list(query, page, |_, _| true)))
    }
}
