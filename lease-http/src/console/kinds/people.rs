//! Who takes part: users, customers, leads and contacts.

use lease_core::permission::{Act, Actor, Resource};
use serde_json::Value;

use super::{Action, Kind, Related, joined, may, text};

/// Whether this actor may do this to this user: only who may grant roles may touch a superuser.
fn may_touch(actor: &Actor, user: &Value, act: Act) -> bool {
    may(actor, Resource::User, act) && (user["is_superuser"] != true || may(actor, Resource::User, Act::GrantRoles))
}

const USER_FIELDS: &[&str] = &["username", "email", "first_name", "last_name", "password", "is_staff", "is_superuser"];

pub(in crate::console) static USERS: Kind = Kind {
    path: "users",
    subject: "user",
    one: "User",
    many: "Users",
    none: "Create a user, or wait until people register.",
    fields: &[
        "id",
        "username",
        "email",
        "email_verified_at",
        "first_name",
        "last_name",
        "is_active",
        "is_staff",
        "is_superuser",
        "customer_id",
        "date_joined",
        "last_login",
        "external_id",
        "metadata",
    ],
    columns: &["email", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "last_login"],
    name: |user| text(user, "username").to_owned(),
    related: &[],
    create: Some(&Action::create("/api/users", "New user", USER_FIELDS, |actor, _| may(actor, Resource::User, Act::Create))),
    actions: &[
        Action::edit("/api/users/{id}", USER_FIELDS, |actor, user| may_touch(actor, user, Act::Update)),
        Action::delete(
            ("deactivate", "Deactivate"),
            "/api/users/{id}",
            |actor, user| may_touch(actor, user, Act::Delete) && user["is_active"] == true,
            ("They can no longer log in, and all their devices are logged out. Nothing is deleted.", "The user is deactivated."),
        ),
        Action {
            name: "reactivate",
            label: "Reactivate",
            sends: &[("is_active", true)],
            meaning: "They can log in again.",
            done: "The user is active again.",
            ..Action::edit("/api/users/{id}", &[], |actor, user| {
                may_touch(actor, user, Act::Update) && user["is_active"] == false
            })
        },
    ],
};

pub(super) static CUSTOMERS: Kind = Kind {
    path: "customers",
    subject: "customer",
    one: "Customer",
    many: "Customers",
    none: "Customers appear here as soon as people register, or as soon as you create a user who is not staff.",
    fields: &["id", "user_id", "job", "dob", "notes", "created_at", "external_id", "metadata"],
    columns: &["job", "dob", "created_at"],
    name: |_| String::new(),
    related: &[
        Related::to("Vehicles", "vehicles", "customer_id"),
        Related::to("Trades as owner", "trades", "customer_id"),
        Related::to("Trades as counterparty", "trades", "counterparty_id"),
        Related::to("Proposals", "proposals", "customer_id"),
        Related::to("Invoices", "invoices", "customer_id"),
        Related::to("Payments", "payments", "customer_id"),
        Related::to("Refunds", "refunds", "customer_id"),
        Related::to("Credit cards", "credit-cards", "customer_id"),
        Related::to("Contacts", "contacts", "customer_id"),
        Related::to("Leads", "leads", "customer_id"),
    ],
    create: None,
    actions: &[Action::edit("/api/customers/{id}", &["job", "dob", "notes"], |actor, _| {
        may(actor, Resource::Customer, Act::Update)
    })],
};

const LEAD_FIELDS: &[&str] = &["first_name", "last_name", "company", "email", "phone", "source", "status", "notes"];

pub(super) static LEADS: Kind = Kind {
    path: "leads",
    subject: "lead",
    one: "Lead",
    many: "Leads",
    none: "Create a lead for everybody who may become a customer.",
    fields: &[
        "id",
        "first_name",
        "last_name",
        "company",
        "email",
        "phone",
        "source",
        "status",
        "customer_id",
        "notes",
        "created_at",
    ],
    columns: &["status", "company", "email", "phone", "source", "created_at"],
    name: |lead| match joined(&[text(lead, "first_name"), text(lead, "last_name")]) {
        name if name.is_empty() => text(lead, "company").to_owned(),
        name => name,
    },
    related: &[Related::to("Contacts", "contacts", "lead_id")],
    create: Some(&Action::create("/api/leads", "New lead", LEAD_FIELDS, |actor, _| may(actor, Resource::Lead, Act::Create))),
    actions: &[
        Action::edit("/api/leads/{id}", LEAD_FIELDS, |actor, _| may(actor, Resource::Lead, Act::Update)),
        Action::act(
            ("convert", "Convert"),
            "/api/leads/{id}/convert",
            &["customer_id"],
            |actor, lead| may(actor, Resource::Lead, Act::Convert) && lead["status"] != "converted",
            ("The lead becomes this customer, and its contacts become the customer's.", "The lead is converted."),
        ),
        Action::delete(
            ("delete", "Delete"),
            "/api/leads/{id}",
            |actor, _| may(actor, Resource::Lead, Act::Delete),
            ("The lead and its contacts are deleted. This cannot be undone.", "The lead is deleted."),
        )
        .for_ever(),
    ],
};

const CONTACT_FIELDS: &[&str] = &[
    "customer_id",
    "lead_id",
    "label",
    "name",
    "email",
    "phone",
    "address_line1",
    "address_line2",
    "postal_code",
    "city",
    "state",
    "country",
];

pub(super) static CONTACTS: Kind = Kind {
    path: "contacts",
    subject: "contact",
    one: "Contact",
    many: "Contacts",
    none: "Create a contact for a customer or a lead.",
    fields: &[
        "id",
        "label",
        "name",
        "customer_id",
        "lead_id",
        "email",
        "phone",
        "address_line1",
        "address_line2",
        "postal_code",
        "city",
        "state",
        "country",
        "created_at",
    ],
    columns: &["name", "customer_id", "lead_id", "email", "phone", "city"],
    name: |contact| text(contact, "label").to_owned(),
    related: &[],
    create: Some(&Action::create("/api/contacts", "New contact", CONTACT_FIELDS, |actor, _| {
        may(actor, Resource::Contact, Act::Create)
    })),
    actions: &[
        Action::edit("/api/contacts/{id}", CONTACT_FIELDS, |actor, _| may(actor, Resource::Contact, Act::Update)),
        Action::delete(
            ("delete", "Delete"),
            "/api/contacts/{id}",
            |actor, _| may(actor, Resource::Contact, Act::Delete),
            ("The contact is deleted. This cannot be undone.", "The contact is deleted."),
        )
        .for_ever(),
    ],
};
