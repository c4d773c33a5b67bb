use chrono::{DateTime, Utc};
use strum::VariantArray;

use crate::decision::{Decision, RowChange};
use crate::directory::contact::optional_email;
use crate::error::{Error, Refusal};
use crate::event::{Audience, Event, EventType, IdRef, NewRow};
use crate::id::{CustomerId, Stored, Versioned};
use crate::input::{Field, FieldErrors, Form, Invalid, UpdateMode, draft};
use crate::model::{Lead, LeadState, LeadStatus};
use crate::permission::{Act, Actor, Resource};
use crate::text;

/// A change to a lead.
#[derive(Clone, Debug, PartialEq)]
pub struct LeadChange {
    /// The lead.
    pub lead: RowChange<Lead>,
    /// The change to its contacts. They change together with the lead, so the version of each increases by one.
    pub contacts: ContactsOfLead,
}

/// The change to a lead's contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactsOfLead {
    /// There is no change.
    Keep,
    /// They are moved to this customer.
    MoveTo(CustomerId),
    /// They are deleted with the lead.
    Delete,
}

draft! {
    /// The fields for creating or updating a lead. At least one of `first_name`, `last_name`, `company`, `email` and `phone`
    /// must not be blank.
    pub struct LeadDraft as LeadInput {
        /// Given name.
        pub first_name: Field<String> as nullable Line like "Alan",
        /// Family name.
        pub last_name: Field<String> as nullable Line like "Turing",
        /// E-mail address.
        pub email: Field<String> as nullable EmailAddressOrNone like "alan@example.com",
        /// Phone number.
        pub phone: Field<String> as nullable Line like "+44 20 7946 0958",
        /// Company.
        pub company: Field<String> as nullable Line like "Example Motors",
        /// The source of the lead.
        pub source: Field<String> as nullable Line like "Fair",
        /// The status of the lead. `converted` cannot be set here: converting the lead sets it.
        pub status: Field<String> as optional LeadStatus like "new",
        /// Anything else worth knowing.
        pub notes: Field<String> as nullable FreeText like "Wants to lease out three vans.",
    }
}

draft! {
    /// The fields for converting a lead.
    pub struct ConversionDraft as ConversionInput {
        /// The customer that the lead has become.
        pub customer_id: Field<CustomerId> as required Id,
    }
}

/// Creates a lead.
///
/// # Errors
/// [`Error::PermissionDenied`]; invalid fields.
pub fn create_lead(actor: &Actor, draft: &LeadDraft, now: DateTime<Utc>) -> Result<Decision<LeadChange>, Error> {
    actor.require(Resource::Lead, Act::Create)?;
    let lead = read(draft, UpdateMode::Full, None, now)?;
    let event = lead_event(EventType::LeadCreated, NewRow::Lead, &lead);
    let change = LeadChange { lead: RowChange::Create(lead), contacts: ContactsOfLead::Keep };
    Ok(Decision::new(change, [event]))
}

/// Changes a lead.
///
/// # Errors
/// [`Error::PermissionDenied`]; invalid fields.
pub fn update_lead(
    lead: &Versioned<Stored<Lead>>,
    actor: &Actor,
    draft: &LeadDraft,
    mode: UpdateMode,
) -> Result<Decision<LeadChange>, Error> {
    actor.require(Resource::Lead, Act::Update)?;
    let value = read(draft, mode, Some(lead), lead.created_at)?;
    let event = lead_event(EventType::LeadUpdated, lead.id, &value).changing(&lead.value.value, &value);
    let change = LeadChange { lead: RowChange::update(lead, value), contacts: ContactsOfLead::Keep };
    Ok(Decision::new(change, event.if_changed()))
}

/// Deletes a lead and its contacts.
///
/// # Errors
/// [`Error::PermissionDenied`].
pub fn delete_lead(lead: &Versioned<Stored<Lead>>, actor: &Actor) -> Result<Decision<LeadChange>, Error> {
    actor.require(Resource::Lead, Act::Delete)?;
    let change = LeadChange { lead: RowChange::delete(lead), contacts: ContactsOfLead::Delete };
    Ok(Decision::new(change, [lead_event(EventType::LeadDeleted, lead.id, lead)]))
}

/// Converts the lead to a customer (rule 6.4), and moves its contacts to that customer in the same step. `customer_exists` says
/// whether the customer that the draft names exists.
///
/// # Errors
/// [`Error::PermissionDenied`]; invalid fields; [`Refusal::LeadConverted`].
pub fn convert_lead(
    lead: &Versioned<Stored<Lead>>,
    actor: &Actor,
    draft: &ConversionDraft,
    customer_exists: bool,
) -> Result<Decision<LeadChange>, Error> {
    actor.require(Resource::Lead, Act::Convert)?;
    let mut form = Form::new(UpdateMode::Full);
    let customer = form.required("customer_id", &draft.customer_id, None, |id| {
        if customer_exists { Ok(*id) } else { Err(Invalid::Unknown { kind: "customer" }) }
    });
    let Some(customer) = customer else { return Err(form.errors.into()) };
    if lead.customer_id().is_some() {
        return Err(Refusal::LeadConverted.into());
    }
    let value = Lead { state: LeadState::Converted(customer), ..Lead::clone(lead) };
    let event = lead_event(EventType::LeadConverted, lead.id, &value).changing(&lead.value.value, &value);
    let change = LeadChange { lead: RowChange::update(lead, value), contacts: ContactsOfLead::MoveTo(customer) };
    Ok(Decision::new(change, [event]))
}

/// An event about a lead. It stands for the lead's contacts as well, which a decision does not know.
fn lead_event(event_type: EventType, id: impl Into<IdRef>, lead: &Lead) -> Event {
    Event::new(event_type, id, Audience::Staff)
        .optional_id("customer_id", lead.customer_id())
        .fact("status", <&str>::from(LeadStatus::from(lead.state)))
}

fn read(
    draft: &LeadDraft,
    mode: UpdateMode,
    current: Option<&Versioned<Stored<Lead>>>,
    created_at: DateTime<Utc>,
) -> Result<Lead, FieldErrors> {
    let mut form = Form::new(mode);
    let mut line = |name, field: &Field<String>, now: Option<&String>| {
        form.optional(name, field, now, String::new(), |line| text::line(line))
    };
    let first_name = line("first_name", &draft.first_name, current.map(|now| &now.first_name));
    let last_name = line("last_name", &draft.last_name, current.map(|now| &now.last_name));
    let phone = line("phone", &draft.phone, current.map(|now| &now.phone));
    let company = line("company", &draft.company, current.map(|now| &now.company));
    let source = line("source", &draft.source, current.map(|now| &now.source));
    let email = form.optional("email", &draft.email, current.map(|now| &now.email), String::new(), |email| optional_email(email));
    let notes = form.optional("notes", &draft.notes, current.map(|now| &now.notes), String::new(), |notes| text::free(notes));
    let present = current.map(|now| now.state);
    // Null is not accepted as a status, because it would undo a conversion.
    let state = match (&draft.status, present) {
        (Field::Missing, present) => Some(present.unwrap_or(LeadState::New)),
        (status, present) => form.required("status", status, None, |status| read_status(status, present)),
    };
    let (Some(first_name), Some(last_name), Some(phone), Some(company)) = (first_name, last_name, phone, company) else {
        return Err(form.errors);
    };
    let (Some(source), Some(email), Some(notes), Some(state)) = (source, email, notes, state) else { return Err(form.errors) };
    if [&first_name, &last_name, &company, &email, &phone].into_iter().all(String::is_empty) {
        form.errors.add(FieldErrors::NON_FIELD, Invalid::LeadEmpty);
    }
    form.finish()?;
    Ok(Lead { first_name, last_name, email, phone, company, source, state, notes, created_at })
}

/// Reads a status by its name. A converted lead stays converted, and no other lead can become converted here.
fn read_status(name: &str, present: Option<LeadState>) -> Result<LeadState, Invalid> {
    let settable = || LeadStatus::VARIANTS.iter().filter(|status| **status != LeadStatus::Converted);
    let choices = || settable().map(Into::into).collect();
    let status = name.parse::<LeadStatus>().map_err(|_| Invalid::NotAChoice { choices: choices() })?;
    match (status, present) {
        (LeadStatus::Converted, Some(converted @ LeadState::Converted(_))) => Ok(converted),
        (_, Some(LeadState::Converted(_))) => Err(Invalid::LeadIsConverted),
        (LeadStatus::Converted, _) => Err(Invalid::LeadNotConverted),
        (LeadStatus::New, _) => Ok(LeadState::New),
        (LeadStatus::Contacted, _) => Ok(LeadState::Contacted),
        (LeadStatus::Qualified, _) => Ok(LeadState::Qualified),
        (LeadStatus::Lost, _) => Ok(LeadState::Lost),
    }
}
