//! Services.

use async_trait::async_trait;
use lease_core::catalog::FirstServices;
use lease_core::decision::RowChange;
use lease_core::event::NewRow;
use lease_core::id::{NewIds, ServiceId, Stored, Versioned};
use lease_core::model::Service;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{Envelope, Guarantee, RepositoryError, ServiceFilter, ServiceRepository};

use crate::PostgresRepository;
use crate::database::{Database, fault};
use crate::list::{self, Branch};
use crate::row::{Table as _, WriteTable as _, parse_optional_id};
use crate::writing::{Made, Writing, change_row, write};

#[async_trait]
impl ServiceRepository for PostgresRepository {
    async fn find_service(&self, id: ServiceId) -> Result<Option<Versioned<Stored<Service>>>, RepositoryError> {
        self.directory.find_versioned(id).await
    }

    async fn list_services(&self, filter: &ServiceFilter, page: PageRequest) -> Result<Page<Stored<Service>>, RepositoryError> {
        list::page(
            &self.directory,
            &[Branch::all("services t")],
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

pub(crate) async fn commit(
    database: &Database,
    change: &RowChange<Service>,
    envelope: &Envelope,
) -> Result<NewIds, RepositoryError> {
    if let RowChange::Delete { .. } = change {
        return Err(fault("services are never deleted"));
    }
    let service = change_row(database, change, envelope, |_| {}).await?;
    Ok(NewIds { service, ..NewIds::default() })
}

/// The services are made in their order, so that the first one has the lowest id.
pub(crate) async fn create_first(
    database: &Database,
    FirstServices(services): &FirstServices,
    envelope: &Envelope,
) -> Result<NewIds, RepositoryError> {
    if services.is_empty() {
        return Ok(NewIds::default());
    }
    let statement = || {
        let mut writing = Writing::begin(envelope);
        writing.part("due").push("select seed_is_due() as is_due where true");
        writing.only_if_valid();
        let query = writing.write("made");
        query.push("insert into services (").push(Service::WRITTEN).push(") select seed.* from due, (values ");
        for (place, service) in services.iter().enumerate() {
            query.push(if place == 0 { "(" } else { ", (" });
            service.write(&mut query.separated(", "));
            query.push(")");
        }
        query.push(") as seed where due.is_due returning id");
        writing.part("root").push("select min(id) as id from made having count(*) > 0");
        for (place, _) in (0_u8..).zip(services) {
            writing.makes(NewRow::Service(place), format!("(select id from made order by id offset {place} limit 1)"));
        }
        writing.finish(Made::Root, &[])
    };
    let made = write(database, statement).await?;
    let service = parse_optional_id(Service::NAME, made.root)?.ok_or(RepositoryError::Taken(Guarantee::FirstServices))?;
    Ok(NewIds { service: Some(service), ..NewIds::default() })
}
