use lease_core::decision::RowChange;
use lease_core::id::{EventId, NewIds, Stored};
use lease_core::model::WebhookEndpoint;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{Envelope, RepositoryError, WebhookEndpointFilter};
use lease_core::webhook::{Start, WebhookEndpointChange};

use crate::database::Database;
use crate::list::{self, Branch};
use crate::writing::{Writing, change_row};

pub(super) async fn list(
    database: &Database,
    filter: &WebhookEndpointFilter,
    page: PageRequest,
) -> Result<Page<Stored<WebhookEndpoint>>, RepositoryError> {
    list::page(
        database,
        &[Branch::all("webhook_endpoints t")],
        |query| match filter.is_active {
            Some(true) => query.holds("t.is_active"),
            Some(false) => query.holds("not t.is_active"),
            None => {}
        },
        page,
    )
    .await
}

pub(crate) async fn commit(
    database: &Database,
    change: &WebhookEndpointChange,
    envelope: &Envelope,
) -> Result<NewIds, RepositoryError> {
    let webhook_endpoint = change_row(database, &change.endpoint, envelope, |writing| push_position(writing, change)).await?;
    Ok(NewIds { webhook_endpoint, ..NewIds::default() })
}

/// Adds the position of a new endpoint, or of one that starts anew. That of one that is deleted goes with it.
fn push_position(writing: &mut Writing<'_>, change: &WebhookEndpointChange) {
    let last = change.start.and_then(|Start { after }| after).map_or(0, EventId::get);
    match &change.endpoint {
        RowChange::Create(_) => {
            let query =
                writing.write("position").push("insert into webhook_positions (endpoint_id, last_event_id) select root.id, ");
            query.push_bind(last).push(" from root");
        }
        RowChange::Update { .. } if change.start.is_some() => {
            let query = writing.write("position").push("update webhook_positions set failing_since = null, last_event_id = ");
            query.push_bind(last).push(" from root where webhook_positions.endpoint_id = root.id");
        }
        RowChange::Update { .. } | RowChange::Delete { .. } => {}
    }
}
