//! How the types of the model are stored: the columns of each table, in the order in which they are written and read.

mod account;
mod billing;
mod card;
mod directory;
mod event;
mod mail;
mod service;
mod trade;
mod vehicle;
mod webhook;

use chrono::NaiveDate;
use lease_core::model::{Annotations, ExternalId, Metadata, Period};
use lease_core::repository::RepositoryError;

use crate::sql::Fields;
use crate::value::{Json, ToColumn as _, Value, values};

/// What the company keeps with an object: the columns `external_id` and `metadata`.
fn annotation_values(annotations: &Annotations) -> Vec<Value> {
    values![annotations.external_id.as_ref().map(ExternalId::as_str), Json(annotations.metadata.as_object())]
}

/// Reads [`annotation_values`].
fn read_annotations(fields: &mut Fields<'_>) -> Result<Annotations, RepositoryError> {
    let external_id = fields.get::<Option<String>>()?.map(ExternalId::from_stored);
    let Json(metadata) = fields.get()?;
    Ok(Annotations { external_id, metadata: Metadata::from_stored(metadata) })
}

/// The first day of a period and the day after its last.
fn days(period: Option<Period>) -> [Value; 2] {
    [period.map(Period::start), period.map(Period::end)].map(|day| day.to_column())
}

/// Reads [`days`].
fn read_days(
    fields: &mut Fields<'_>,
    period: fn(NaiveDate, NaiveDate) -> Option<Period>,
) -> Result<Option<Period>, RepositoryError> {
    let days: (Option<NaiveDate>, Option<NaiveDate>) = (fields.get()?, fields.get()?);
    match days {
        (None, None) => Ok(None),
        (Some(start), Some(end)) => fields.some(period(start, end)).map(Some),
        _ => Err(fields.fault("half of a period")),
    }
}

/// The values of several parts of a row.
fn join(parts: impl IntoIterator<Item = Vec<Value>>) -> Vec<Value> {
    parts.into_iter().flatten().collect()
}
