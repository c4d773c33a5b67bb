use lease_core::model::{Annotations, ExternalId, Metadata};
use lease_core::repository::RepositoryError;
use sqlx::types::Json;

use super::{Fields, Values};

/// The columns that [`write_annotations`] writes and [`read_annotations`] reads.
pub(crate) const ANNOTATIONS: &str = "external_id, metadata";

/// Reads the [`ANNOTATIONS`].
pub(super) fn read_annotations(fields: &mut Fields<'_>) -> Result<Annotations, RepositoryError> {
    Ok(Annotations {
        external_id: fields.get::<Option<String>>()?.map(ExternalId::from_stored),
        metadata: Metadata::from_stored(fields.get::<Json<_>>()?.0),
    })
}

/// Writes the [`ANNOTATIONS`].
pub(crate) fn write_annotations(values: &mut Values<'_>, annotations: &Annotations) {
    values
        .push_bind(annotations.external_id.as_ref().map(|id| id.as_str().to_owned()))
        .push_bind(Json(annotations.metadata.as_object().clone()));
}
