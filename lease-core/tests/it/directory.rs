//! Contacts (rule 6.3) and leads (rule 6.4).

use lease_core::Error;
use lease_core::decision::RowChange;
use lease_core::directory::{
    ContactsOfLead, ConversionDraft, LeadChange, convert_lead, create_contact, create_lead, delete_contact, delete_lead,
    require_visible_contact, update_contact, update_lead,
};
use lease_core::id::{Stored, Versioned};
use lease_core::input::{FieldErrors, UpdateMode};
use lease_core::model::{Contact, ContactOwner, Lead, LeadState};
use lease_core::permission::Actor;
use serde_json::{Value, json};

use crate::support::*;

const NON_FIELD: &str = FieldErrors::NON_FIELD;

fn contact(actor: &Actor, json: Value, owner_exists: bool) -> Result<Contact, Error> {
    match create_contact(actor, &draft(json), owner_exists, now())?.changes {
        RowChange::Create(contact) => Ok(contact),
        other => panic!("{other:?}"),
    }
}

fn stored_contact(owner: ContactOwner) -> Versioned<Stored<Contact>> {
    let json = json!({"label": "home", "name": "Ada", "email": "ada@example.com"});
    let contact = Contact { owner, ..contact(&customer(OWNER), json, true).unwrap() };
    first(stored(1, contact))
}

fn lead(state: LeadState) -> Versioned<Stored<Lead>> {
    let LeadChange { lead: RowChange::Create(lead), .. } =
        create_lead(&staff(), &draft(json!({"first_name": "Grace", "phone": "1"})), now()).unwrap().changes
    else {
        panic!("a new lead")
    };
    first(stored(1, Lead { state, ..lead }))
}

fn change_lead(lead: &Versioned<Stored<Lead>>, json: Value) -> Result<Lead, Error> {
    let LeadChange { lead, contacts } = update_lead(lead, &staff(), &draft(json), UpdateMode::Partial)?.changes;
    assert_eq!(contacts, ContactsOfLead::Keep);
    match lead {
        RowChange::Update { value, .. } => Ok(value),
        other => panic!("{other:?}"),
    }
}

/// Rule 6.3: a contact that a customer creates belongs to that customer.
#[test]
fn a_customers_contact_is_their_own() {
    let own = ContactOwner::Customer(id(OWNER));
    assert_eq!(contact(&customer(OWNER), json!({"phone": "1"}), true).unwrap().owner, own);
    assert_eq!(contact(&customer(OWNER), json!({"phone": "1", "customer_id": OWNER}), true).unwrap().owner, own);
    let response = contact(&customer(OWNER), json!({"phone": "1", "customer_id": BUYER}), true);
    assert_eq!(wrong_fields(response), ["customer_id"]);
    assert_eq!(wrong_fields(contact(&customer(OWNER), json!({"phone": "1", "lead_id": 1}), true)), ["lead_id"]);
}

/// Rule 6.3: a contact belongs to either a customer or a lead, and staff name it.
#[test]
fn staff_name_exactly_one_owner() {
    let make = |json, exists| contact(&staff(), json, exists);
    let customers = make(json!({"phone": "1", "customer_id": 5}), true).unwrap();
    assert_eq!(customers.owner, ContactOwner::Customer(id(5)));
    assert_eq!(make(json!({"phone": "1", "lead_id": 5}), true).unwrap().owner, ContactOwner::Lead(id(5)));
    assert_eq!(wrong_fields(make(json!({"phone": "1"}), true)), [NON_FIELD]);
    assert_eq!(wrong_fields(make(json!({"phone": "1", "customer_id": 5, "lead_id": 5}), true)), [NON_FIELD]);
    assert_eq!(wrong_fields(make(json!({"phone": "1", "customer_id": 5}), false)), ["customer_id"]);
    assert_eq!(wrong_fields(make(json!({"phone": "1", "lead_id": 5}), false)), ["lead_id"]);
}

/// Rule 6.3: staff may give a contact to another owner; customers may not.
#[test]
fn only_staff_change_the_owner_of_a_contact() {
    let stored = stored_contact(ContactOwner::Customer(id(OWNER)));
    let change = |actor: &Actor, json: Value, exists: bool| match update_contact(
        &stored,
        actor,
        &draft(json),
        UpdateMode::Partial,
        exists,
    )?
    .changes
    {
        RowChange::Update { value, .. } => Ok(value.owner),
        other => panic!("{other:?}"),
    };
    let own = ContactOwner::Customer(id(OWNER));
    assert_eq!(change(&customer(OWNER), json!({"city": "Bern"}), true).unwrap(), own);
    assert_eq!(change(&staff(), json!({"city": "Bern"}), true).unwrap(), own);
    assert_eq!(change(&staff(), json!({"lead_id": 4}), true).unwrap(), ContactOwner::Lead(id(4)));
    assert_eq!(wrong_fields(change(&staff(), json!({"lead_id": 4}), false)), ["lead_id"]);
    assert_eq!(wrong_fields(change(&staff(), json!({"lead_id": 4, "customer_id": 5}), true)), [NON_FIELD]);
    assert_eq!(wrong_fields(change(&customer(OWNER), json!({"customer_id": BUYER}), true)), ["customer_id"]);
}

/// Rule 6.3: a contact has an e-mail address or a phone number.
#[test]
fn a_contact_has_an_email_a_phone_or_an_address() {
    for field in ["email", "phone", "address_line1"] {
        assert_eq!(code(contact(&customer(OWNER), json!({field: "a@example.com"}), true)), "ok", "{field}");
    }
    for json in [json!({}), json!({"name": "Ada", "city": "Bern"}), json!({"email": "", "phone": null, "address_line1": "  "})] {
        assert_eq!(wrong_fields(contact(&customer(OWNER), json, true)), [NON_FIELD]);
    }
    let stored = stored_contact(ContactOwner::Customer(id(OWNER)));
    let emptied = update_contact(&stored, &customer(OWNER), &draft(json!({"email": null})), UpdateMode::Partial, true);
    assert_eq!(wrong_fields(emptied), [NON_FIELD]);
}

/// Chapter 2, rule 6.3: customers may do everything with their own contacts, staff with all contacts.
#[test]
fn customers_manage_their_own_contacts_and_staff_all() {
    let own = stored_contact(ContactOwner::Customer(id(OWNER)));
    let leads = stored_contact(ContactOwner::Lead(id(OWNER)));
    let cases = [
        (&own, Actor::Anonymous, "not_authenticated"),
        (&own, customer(OWNER), "ok"),
        (&own, customer(BUYER), "not_found"),
        (&own, staff(), "ok"),
        (&leads, customer(OWNER), "not_found"),
        (&leads, staff(), "ok"),
        (&leads, superuser(), "ok"),
    ];
    for (contact, actor, expected) in cases {
        assert_eq!(code(require_visible_contact(contact, &actor)), expected, "{actor:?}");
        let new = draft(json!({"city": "Bern"}));
        assert_eq!(code(update_contact(contact, &actor, &new, UpdateMode::Partial, true)), expected, "{actor:?}");
        assert_eq!(code(delete_contact(contact, &actor)), expected, "{actor:?}");
    }
    assert_eq!(code(contact(&Actor::Anonymous, json!({"phone": "1"}), true)), "not_authenticated");
}

/// Rule 6.6: all wrong fields are reported at once.
#[test]
fn every_wrong_field_of_a_contact_is_named_at_once() {
    let json = json!({"customer_id": "x", "email": "no", "phone": 5, "name": "x".repeat(151), "city": "a\nb"});
    assert_eq!(wrong_fields(contact(&staff(), json, true)), ["city", "customer_id", "email", "name", "phone"]);
}

/// Rule 6.4: a lead has a name or a company.
#[test]
fn a_lead_has_a_name_or_a_way_to_reach_it() {
    let make = |json| create_lead(&staff(), &draft(json), now());
    for field in ["first_name", "last_name", "company", "email", "phone"] {
        assert_eq!(code(make(json!({field: "a@example.com"}))), "ok", "{field}");
    }
    assert_eq!(wrong_fields(make(json!({"source": "fair", "notes": "n", "email": " "}))), [NON_FIELD]);
    assert_eq!(wrong_fields(make(json!({"email": "no", "status": "won", "notes": 1}))), ["email", "notes", "status"]);
}

/// Rule 6.4: only converting a lead sets the status `converted`.
#[test]
fn a_status_is_set_to_any_but_converted() {
    let cases = [
        ("new", Some(LeadState::New)),
        ("contacted", Some(LeadState::Contacted)),
        ("qualified", Some(LeadState::Qualified)),
        ("lost", Some(LeadState::Lost)),
        ("converted", None),
        ("New", None),
    ];
    for (status, expected) in cases {
        let response = change_lead(&lead(LeadState::Contacted), json!({"status": status}));
        match expected {
            Some(state) => assert_eq!(response.unwrap().state, state),
            None => assert_eq!(wrong_fields(response), ["status"], "{status}"),
        }
        assert_eq!(create_lead(&staff(), &draft(json!({"phone": "1", "status": status})), now()).is_ok(), expected.is_some());
    }
}

/// Rule 6.4: a conversion cannot be undone.
#[test]
fn a_converted_lead_stays_converted() {
    let converted = lead(LeadState::Converted(id(7)));
    for json in [json!({"notes": "n"}), json!({"status": "converted"})] {
        assert_eq!(change_lead(&converted, json).unwrap().state, LeadState::Converted(id(7)));
    }
    for status in ["new", "lost", "qualified"] {
        assert_eq!(wrong_fields(change_lead(&converted, json!({"status": status}))), ["status"]);
    }
}

/// Rule 6.4: a conversion cannot be undone by null either.
#[test]
fn a_null_status_does_not_undo_a_conversion() {
    let response = change_lead(&lead(LeadState::Converted(id(7))), json!({"status": null}));
    assert!(response.is_err() || response.is_ok_and(|lead| lead.state == LeadState::Converted(id(7))));
}

/// Rule 6.4: the contacts of a converted lead belong to the customer.
#[test]
fn converting_a_lead_gives_its_contacts_to_the_customer() {
    let draft: ConversionDraft = draft(json!({"customer_id": 7}));
    let open = lead(LeadState::Qualified);
    let change = convert_lead(&open, &staff(), &draft, true).unwrap();
    assert_eq!(change.contacts, ContactsOfLead::MoveTo(id(7)));
    let value = Lead { state: LeadState::Converted(id(7)), ..Lead::clone(&open) };
    assert_eq!(change.lead, RowChange::Update { id: id(1), expected: open.version, value });
    let twice = lead(LeadState::Converted(id(8)));
    assert_eq!(code(convert_lead(&twice, &staff(), &draft, true)), "lead_converted");
    assert_eq!(wrong_fields(convert_lead(&twice, &staff(), &draft, false)), ["customer_id"], "fields before the state");
    assert_eq!(wrong_fields(convert_lead(&open, &staff(), &ConversionDraft::default(), true)), ["customer_id"]);
}

/// Rule 6.4: the contacts of a deleted lead are deleted with it.
#[test]
fn a_lead_is_deleted_with_its_contacts() {
    let change = delete_lead(&lead(LeadState::New), &staff()).unwrap();
    assert_eq!(change.contacts, ContactsOfLead::Delete);
    assert!(matches!(change.lead, RowChange::Delete { .. }));
}

/// Rule 2.3: leads are closed to customers, whatever the request.
#[test]
fn leads_are_for_staff() {
    let lead = lead(LeadState::New);
    let cases =
        [(Actor::Anonymous, "not_authenticated"), (customer(OWNER), "permission_denied"), (staff(), "ok"), (superuser(), "ok")];
    for (actor, expected) in cases {
        let conversion = draft(json!({"customer_id": 7}));
        assert_eq!(code(create_lead(&actor, &draft(json!({"phone": "1"})), now())), expected);
        assert_eq!(code(update_lead(&lead, &actor, &draft(json!({})), UpdateMode::Partial)), expected);
        assert_eq!(code(delete_lead(&lead, &actor)), expected);
        assert_eq!(code(convert_lead(&lead, &actor, &conversion, true)), expected);
    }
}
