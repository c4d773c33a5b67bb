use lease_core::id::Entity;
use lease_core::model::{Annotations, Customer, ExternalId, Trade, User, Vehicle};
use lease_core::repository::{Guarantee, RepositoryError};

use super::table::Table;
use crate::index::{Kind, Term};

/// A value that has annotations. The term of its external id is one of its terms.
pub(crate) trait Annotated: Entity {
    /// Its annotations.
    fn annotations(&self) -> &Annotations;

    /// Whether it has this external id, if one is wanted. Terms of names are hashes, so only this check is exact.
    fn is_called(&self, wanted: Option<&ExternalId>) -> bool {
        wanted.is_none() || self.annotations().external_id.as_ref() == wanted
    }
}

macro_rules! annotated {
    ($($value:ty),+) => {$(
        impl Annotated for $value {
            fn annotations(&self) -> &Annotations {
                &self.annotations
            }
        }
    )+};
}

annotated!(User, Customer, Vehicle, Trade);

/// The term of an external id.
pub(crate) fn called(id: &ExternalId) -> Term {
    Term::name(Kind::ExternalId, id.as_str())
}

impl<T: Annotated> Table<T> {
    /// Succeeds if no other row has the external id of these annotations; `own` is the row that will have it.
    pub(crate) fn external_id_free(&self, own: T::Id, annotations: &Annotations) -> Result<(), RepositoryError> {
        let Some(wanted) = &annotations.external_id else { return Ok(()) };
        let has_it = |id: T::Id| id != own && self.get(id).is_some_and(|row| row.value.is_called(Some(wanted)));
        if self.index.rows(called(wanted)).any(has_it) { Err(RepositoryError::Taken(Guarantee::ExternalId)) } else { Ok(()) }
    }
}
