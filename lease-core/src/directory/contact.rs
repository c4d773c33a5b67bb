use chrono::{DateTime, Utc};

use crate::decision::{Decision, RowChange};
use crate::error::Error;
use crate::event::{Audience, Event, EventType, IdRef, NewRow};
use crate::id::{CustomerId, LeadId, Stored, Versioned};
use crate::input::{Field, FieldErrors, Form, Invalid, UpdateMode, draft, some_given};
use crate::model::{Contact, ContactOwner, Email};
use crate::permission::{Act, Actor, Grant, Resource};
use crate::text;

draft! {
    /// The fields for creating or updating a contact. At least one of `email`, `phone` and `address_line1` must not be blank,
    /// and only one of `customer_id` and `lead_id` may be given.
    pub struct ContactDraft as ContactInput {
        /// The customer that the contact belongs to. Customers may leave it out: their contacts always belong to them.
        pub customer_id: Field<CustomerId> as nullable Id,
        /// The lead that the contact belongs to; staff only.
        pub lead_id: Field<LeadId> as nullable Id,
        /// A label for the entry.
        pub label: Field<String> as nullable Line like "Home",
        /// The name of the person or company.
        pub name: Field<String> as nullable Line like "Ada Lovelace",
        /// E-mail address.
        pub email: Field<String> as nullable EmailAddressOrNone like "ada@example.com",
        /// Phone number.
        pub phone: Field<String> as nullable Line like "+1 202 555 0143",
        /// Street and number.
        pub address_line1: Field<String> as nullable Line like "12 Market Street",
        /// The rest of the address, such as an apartment.
        pub address_line2: Field<String> as nullable Line like "Apartment 4",
        /// City.
        pub city: Field<String> as nullable Line like "San Francisco",
        /// State or province.
        pub state: Field<String> as nullable Line like "CA",
        /// Postal code.
        pub postal_code: Field<String> as nullable Line like "94105",
        /// Country.
        pub country: Field<String> as nullable Line like "United States",
    }
}

/// Creates a contact. `owner_exists` says whether the owner that the draft names exists.
///
/// # Errors
/// [`Error::NotAuthenticated`]; invalid fields.
pub fn create_contact(
    actor: &Actor,
    draft: &ContactDraft,
    owner_exists: bool,
    now: DateTime<Utc>,
) -> Result<Decision<RowChange<Contact>>, Error> {
    let grant = actor.require(Resource::Contact, Act::Create)?;
    let mut form = Form::new(UpdateMode::Full);
    let owner = read_owner(&mut form, actor, grant, draft, None, owner_exists);
    let contact = read(&mut form, draft, None, owner, now);
    let Some(contact) = contact else { return Err(form.errors.into()) };
    let event = contact_event(EventType::ContactCreated, NewRow::Contact, &[contact.owner]);
    Ok(Decision::new(RowChange::Create(contact), [event]))
}

/// Changes a contact. Its owner stays the same unless the draft names another; `owner_exists` says whether that one exists.
///
/// # Errors
/// [`Error::NotFound`]; invalid fields.
pub fn update_contact(
    contact: &Versioned<Stored<Contact>>,
    actor: &Actor,
    draft: &ContactDraft,
    mode: UpdateMode,
    owner_exists: bool,
) -> Result<Decision<RowChange<Contact>>, Error> {
    require_visible_contact(contact, actor)?;
    let grant = actor.require(Resource::Contact, Act::Update)?;
    let mut form = Form::new(mode);
    let owner = read_owner(&mut form, actor, grant, draft, Some(contact.owner), owner_exists);
    let value = read(&mut form, draft, Some(contact), owner, contact.created_at);
    let Some(value) = value else { return Err(form.errors.into()) };
    let owners = [value.owner, contact.owner];
    let event = contact_event(EventType::ContactUpdated, contact.id, &owners).changing(&contact.value.value, &value);
    Ok(Decision::new(RowChange::update(contact, value), event.if_changed()))
}

/// Deletes a contact.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete_contact(contact: &Versioned<Stored<Contact>>, actor: &Actor) -> Result<Decision<RowChange<Contact>>, Error> {
    require_visible_contact(contact, actor)?;
    actor.require(Resource::Contact, Act::Delete)?;
    let event = contact_event(EventType::ContactDeleted, contact.id, &[contact.owner]);
    Ok(Decision::new(RowChange::delete(contact), [event]))
}

/// An event about a contact of the first of these owners. All of them who are customers may see it.
fn contact_event(event_type: EventType, id: impl Into<IdRef>, owners: &[ContactOwner]) -> Event {
    let owner = owners.first();
    let mut customers: Vec<IdRef> = owners.iter().filter_map(|owner| owner.customer()).map(IdRef::from).collect();
    customers.dedup();
    Event::new(event_type, id, if customers.is_empty() { Audience::Staff } else { Audience::Customers(customers) })
        .optional_id("customer_id", owner.and_then(|owner| owner.customer()))
        .optional_id("lead_id", owner.and_then(|owner| owner.lead()))
}

/// Succeeds if the actor may see the contact: customers may see their own, and staff may see all.
///
/// # Errors
/// [`Error::NotAuthenticated`], [`Error::NotFound`].
pub fn require_visible_contact(contact: &Contact, actor: &Actor) -> Result<(), Error> {
    actor.require_view(Resource::Contact, |customer| contact.owner == ContactOwner::Customer(customer))
}

/// Reads the owner of the contact. For a customer it is the customer; staff must name exactly one customer or lead, or may leave
/// the present owner.
fn read_owner(
    form: &mut Form,
    actor: &Actor,
    grant: Grant,
    draft: &ContactDraft,
    own: Option<ContactOwner>,
    exists: bool,
) -> Option<ContactOwner> {
    let customer = form.optional("customer_id", &draft.customer_id, None, None, some_given);
    let lead = form.optional("lead_id", &draft.lead_id, None, None, some_given);
    let (customer, lead) = (customer?, lead?);
    if let (Grant::Own, Some(own)) = (grant, actor.customer()) {
        if customer.is_some_and(|named| named != own) {
            return form.wrong("customer_id", Invalid::Unknown { kind: "customer" });
        }
        if lead.is_some() {
            return form.wrong("lead_id", Invalid::Unknown { kind: "lead" });
        }
        return Some(ContactOwner::Customer(own));
    }
    match (customer, lead, own) {
        (Some(_), None, _) if !exists => form.wrong("customer_id", Invalid::Unknown { kind: "customer" }),
        (None, Some(_), _) if !exists => form.wrong("lead_id", Invalid::Unknown { kind: "lead" }),
        (Some(customer), None, _) => Some(ContactOwner::Customer(customer)),
        (None, Some(lead), _) => Some(ContactOwner::Lead(lead)),
        (None, None, Some(own)) => Some(own),
        (Some(_), Some(_), _) | (None, None, None) => {
            form.wrong(FieldErrors::NON_FIELD, Invalid::NotExactlyOne { one: "customer_id", other: "lead_id" })
        }
    }
}

fn read(
    form: &mut Form,
    draft: &ContactDraft,
    current: Option<&Stored<Contact>>,
    owner: Option<ContactOwner>,
    created_at: DateTime<Utc>,
) -> Option<Contact> {
    let mut line = |name, field: &Field<String>, now: Option<&String>| {
        form.optional(name, field, now, String::new(), |line| text::line(line))
    };
    let label = line("label", &draft.label, current.map(|now| &now.label));
    let name = line("name", &draft.name, current.map(|now| &now.name));
    let phone = line("phone", &draft.phone, current.map(|now| &now.phone));
    let address_line1 = line("address_line1", &draft.address_line1, current.map(|now| &now.address_line1));
    let address_line2 = line("address_line2", &draft.address_line2, current.map(|now| &now.address_line2));
    let city = line("city", &draft.city, current.map(|now| &now.city));
    let state = line("state", &draft.state, current.map(|now| &now.state));
    let postal_code = line("postal_code", &draft.postal_code, current.map(|now| &now.postal_code));
    let country = line("country", &draft.country, current.map(|now| &now.country));
    let email = form.optional("email", &draft.email, current.map(|now| &now.email), String::new(), |email| optional_email(email));
    if [&email, &phone, &address_line1].into_iter().all(|way| way.as_ref().is_some_and(String::is_empty)) {
        form.errors.add(FieldErrors::NON_FIELD, Invalid::ContactEmpty);
    }
    let contact = Contact {
        owner: owner?,
        label: label?,
        name: name?,
        email: email?,
        phone: phone?,
        address_line1: address_line1?,
        address_line2: address_line2?,
        city: city?,
        state: state?,
        postal_code: postal_code?,
        country: country?,
        created_at,
    };
    form.errors.is_empty().then_some(contact)
}

/// Reads an e-mail address, which may be blank.
pub(super) fn optional_email(text: &str) -> Result<String, Invalid> {
    if text::is_blank(text) { Ok(String::new()) } else { Email::parse(text).map(|email| email.as_str().to_owned()) }
}
