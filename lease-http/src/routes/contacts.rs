//! Contacts (rule 6.3).

use axum::Json;
use axum::http::StatusCode;
use lease_core::directory::ContactDraft;
use lease_core::id::ContactId;
use lease_core::input::UpdateMode;
use lease_core::permission::Resource;
use lease_core::repository::ContactFilter;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, created};
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::problem::Problem;
use crate::query::{Filter, List, Params};
use crate::schema::any_said;
use crate::views::{Contact, Listing};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new().routes(routes!(list_contacts)).post(routes!(create_contact), Replay::created(get_contact)).routes(routes!(
        get_contact,
        replace_contact,
        update_contact,
        delete_contact
    ))
}

/// A page of contacts.
type ContactPage = Listing<Contact>;

impl Filter for ContactFilter {
    const RESOURCE: Resource = Resource::Contact;

    fn read(params: &mut Params) -> Self {
        Self {
            customer_id: params.id("customer_id", "Only contacts of this customer."),
            lead_id: params.id("lead_id", "Only contacts of this lead."),
            ..Self::default()
        }
    }
}

/// List contacts
///
/// A customer sees their own.
#[utoipa::path(get, path = "/api/contacts", tag = "contacts", params(List<ContactFilter>),
    responses((status = 200, description = "A page of contacts.", body = ContactPage)))]
async fn list_contacts(engine: Engine, session: Session, list: List<ContactFilter>) -> ApiResult<ContactPage> {
    let (filter, page, links) = list.for_reader(&session.actor)?;
    let found = engine.list_contacts(&session.actor, filter, page).await?;
    Ok(links.respond(found, Contact::from))
}

/// Create a contact
#[utoipa::path(post, path = "/api/contacts", tag = "contacts", request_body = ContactDraft,
    responses((status = 201, description = "The contact is created.", body = Contact)),
    extensions(("x-rules" = json!([
        any_said(&["email", "phone", "address_line1"]),
        { "anyOf": [{ "properties": { "customer_id": { "type": "null" } } }, { "properties": { "lead_id": { "type": "null" } } }] },
    ]))))]
async fn create_contact(engine: Engine, session: Session, body: Body<ContactDraft>) -> Created<Contact> {
    let contact = body.judge(engine.create_contact(&session, &body).await)?;
    Ok(created(contact.id, contact.into()))
}

/// Get a contact
#[utoipa::path(get, path = "/api/contacts/{id}", tag = "contacts",
    responses((status = 200, description = "The contact.", body = Contact)))]
async fn get_contact(engine: Engine, session: Session, id: PathId<ContactId>) -> ApiResult<Contact> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.get_contact(&session.actor, id).await?.into()))
}

/// Replace a contact
#[utoipa::path(put, path = "/api/contacts/{id}", tag = "contacts", request_body = ContactDraft,
    responses((status = 200, description = "The contact as it is now.", body = Contact)))]
async fn replace_contact(
    engine: Engine,
    session: Session,
    id: PathId<ContactId>,
    body: Body<ContactDraft>,
) -> ApiResult<Contact> {
    change(&engine, &session, id, &body, UpdateMode::Full).await
}

/// Change a contact
#[utoipa::path(patch, path = "/api/contacts/{id}", tag = "contacts", request_body = ContactDraft,
    responses((status = 200, description = "The contact as it is now.", body = Contact)))]
async fn update_contact(engine: Engine, session: Session, id: PathId<ContactId>, body: Body<ContactDraft>) -> ApiResult<Contact> {
    change(&engine, &session, id, &body, UpdateMode::Partial).await
}

/// Delete a contact
#[utoipa::path(delete, path = "/api/contacts/{id}", tag = "contacts", responses((status = 204, description = "The contact is deleted.")))]
async fn delete_contact(engine: Engine, session: Session, id: PathId<ContactId>) -> Result<StatusCode, Problem> {
    let id = id.or_not_found(&session.actor)?;
    engine.delete_contact(&session, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn change(
    engine: &Engine,
    session: &Session,
    id: PathId<ContactId>,
    body: &Body<ContactDraft>,
    mode: UpdateMode,
) -> ApiResult<Contact> {
    let id = id.or_not_found(&session.actor)?;
    let contact = body.judge(engine.update_contact(session, id, body, mode).await)?;
    Ok(Json(contact.into()))
}
