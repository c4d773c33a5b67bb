use async_trait::async_trait;

use super::RepositoryError;
use crate::id::{ServiceId, Stored, Versioned};
use crate::model::{Service, ServiceKind};
use crate::page::{Page, PageRequest};

/// Services. The first trade opened under a service increases the service's version, since it sets `is_used`.
#[async_trait]
pub trait ServiceRepository {
    /// One service.
    async fn find_service(&self, id: ServiceId) -> Result<Option<Versioned<Stored<Service>>>, RepositoryError>;

    /// Lists services.
    async fn list_services(&self, filter: &ServiceFilter, page: PageRequest) -> Result<Page<Stored<Service>>, RepositoryError>;
}

/// The filter for a list of services; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceFilter {
    /// Active or not.
    pub is_active: Option<bool>,
    /// Of this kind.
    pub kind: Option<ServiceKind>,
}
