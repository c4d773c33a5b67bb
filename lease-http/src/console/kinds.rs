//! The kinds of objects that the console shows: each once, for its list, its page, its forms and its export. The names of fields and
//! the paths are those of the API, from whose description come the types of the fields, the filters and the hints.

mod market;
mod money;
mod people;
mod system;

use lease_core::permission::{Act, Actor, Grant, Resource};
use serde_json::Value;

pub(super) use people::USERS;
pub(super) use system::{DELIVERIES, EVENTS};

/// A kind of objects.
#[derive(Debug)]
pub(super) struct Kind {
    /// Its name in addresses, of the console as of the API.
    pub(super) path: &'static str,
    /// What stands for one of them in events and in the names of fields.
    pub(super) subject: &'static str,
    /// One of them, in words.
    pub(super) one: &'static str,
    /// Several of them, in words.
    pub(super) many: &'static str,
    /// What to do where there are none.
    pub(super) none: &'static str,
    /// All fields, in the order in which they are read.
    pub(super) fields: &'static [&'static str],
    /// The fields that the list shows, after the name.
    pub(super) columns: &'static [&'static str],
    /// What one is called, apart from its number.
    pub(super) name: fn(&Value) -> String,
    /// The lists that hang on one.
    pub(super) related: &'static [Related],
    /// How one is made.
    pub(super) create: Option<&'static Action>,
    /// What can be done with one.
    pub(super) actions: &'static [Action],
}

/// A list that hangs on an object: the objects of another kind whose parameter has the value of a field of this one.
#[derive(Debug)]
pub(super) struct Related {
    pub(super) title: &'static str,
    pub(super) kind: &'static str,
    pub(super) parameter: &'static str,
    pub(super) field: &'static str,
}

impl Related {
    /// The objects of this kind whose parameter is the number of this one.
    const fn to(title: &'static str, kind: &'static str, parameter: &'static str) -> Self {
        Self { title, kind, parameter, field: "id" }
    }
}

/// Something that can be done: a page with a form, which sends a request to the API.
#[derive(Debug)]
pub(super) struct Action {
    /// Its name in addresses.
    pub(super) name: &'static str,
    /// The words on its button.
    pub(super) label: &'static str,
    /// The method and the path of the request.
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// The fields of the form.
    pub(super) fields: &'static [&'static str],
    /// What is sent beside them.
    pub(super) sends: &'static [(&'static str, bool)],
    /// Whether this actor may do it with this object now.
    pub(super) offered: fn(&Actor, &Value) -> bool,
    /// What it means.
    pub(super) meaning: &'static str,
    /// What is said once it is done.
    pub(super) done: &'static str,
    /// Whether it asks to be confirmed, with the facts beside the question.
    pub(super) is_grave: bool,
    /// The fields that are shown to whoever is to confirm it; if there are none, those of the list.
    pub(super) facts: &'static [&'static str],
    /// Whether the console asks for the reason, where the API would do without.
    pub(super) needs_reason: fn(&Value) -> bool,
    /// The kind of the object that it makes, which it leads to; none if it leads to the object that it is done with.
    pub(super) makes: Option<&'static str>,
    /// Whether it cannot be undone.
    pub(super) is_final: bool,
}

impl Action {
    /// An action that changes an object by a form with its fields.
    const fn edit(path: &'static str, fields: &'static [&'static str], offered: fn(&Actor, &Value) -> bool) -> Self {
        Self {
            name: "edit",
            label: "Change",
            method: "PATCH",
            path,
            fields,
            sends: &[],
            offered,
            meaning: "",
            done: "The changes are saved.",
            is_grave: false,
            facts: &[],
            needs_reason: |_| false,
            makes: None,
            is_final: false,
        }
    }

    /// An action that makes an object by a form with its fields.
    const fn create(
        path: &'static str,
        label: &'static str,
        fields: &'static [&'static str],
        offered: fn(&Actor, &Value) -> bool,
    ) -> Self {
        Self { name: "new", label, method: "POST", done: "It is created.", ..Self::edit(path, fields, offered) }
    }

    /// An action for which a button is pressed twice, and with it perhaps a reason given.
    const fn act(
        (name, label): (&'static str, &'static str),
        path: &'static str,
        fields: &'static [&'static str],
        offered: fn(&Actor, &Value) -> bool,
        (meaning, done): (&'static str, &'static str),
    ) -> Self {
        Self { name, label, method: "POST", meaning, done, is_grave: true, ..Self::edit(path, fields, offered) }
    }

    /// The words on the button of its form.
    pub(super) fn button(&self) -> &'static str {
        match self.name {
            "new" => "Create",
            "edit" => "Save",
            _ => self.label,
        }
    }

    /// An action that deletes an object.
    const fn delete(
        (name, label): (&'static str, &'static str),
        path: &'static str,
        offered: fn(&Actor, &Value) -> bool,
        texts: (&'static str, &'static str),
    ) -> Self {
        Self { method: "DELETE", ..Self::act((name, label), path, &[], offered, texts) }
    }

    /// The same action, which cannot be undone.
    const fn for_ever(self) -> Self {
        Self { is_final: true, ..self }
    }
}

/// All kinds, under the headings of the navigation.
pub(super) static GROUPS: [(&str, &[&Kind]); 4] = [
    ("Market", &[&market::TRADES, &market::PROPOSALS, &market::VEHICLES, &market::SERVICES]),
    ("Money", &[&money::INVOICES, &money::PAYMENTS, &money::REFUNDS, &money::CREDIT_CARDS]),
    ("People", &[&people::CUSTOMERS, &people::LEADS, &people::CONTACTS, &people::USERS]),
    ("System", &[&system::EVENTS, &system::ENDPOINTS]),
];

/// The kind with this path.
pub(super) fn by_path(path: &str) -> Option<&'static Kind> {
    all().find(|kind| kind.path == path)
}

/// The kind that an event names so.
pub(super) fn by_subject(subject: &str) -> Option<&'static Kind> {
    all().find(|kind| kind.subject == subject)
}

/// The kind that a field with this name refers to.
pub(super) fn referred_by(field: &str) -> Option<&'static Kind> {
    let subject = field.strip_suffix("_id")?;
    match subject {
        "counterparty" => Some(&people::CUSTOMERS),
        "accepted_proposal" => Some(&market::PROPOSALS),
        "actor_user" => Some(&people::USERS),
        _ => by_subject(subject),
    }
}

/// All kinds.
pub(super) fn all() -> impl Iterator<Item = &'static Kind> {
    GROUPS.iter().flat_map(|(_, kinds)| kinds.iter().copied()).chain([&DELIVERIES])
}

impl Kind {
    /// The path of its list in the API, as it is described. Deliveries are listed below their endpoint.
    pub(super) fn list_path(&self) -> String {
        if self.path == DELIVERIES.path {
            "/api/webhook-endpoints/{id}/deliveries".to_owned()
        } else {
            format!("/api/{}", self.path)
        }
    }
}

/// The address of the list that an object is in, below the console. Deliveries are listed below their endpoint.
pub(super) fn list_of(kind: &Kind, object: &Value) -> String {
    match object["webhook_endpoint_id"].as_i64() {
        Some(endpoint) if kind.path == DELIVERIES.path => format!("{}?webhook_endpoint_id={endpoint}", kind.path),
        _ => kind.path.to_owned(),
    }
}

/// The text of a field.
pub(super) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

/// Whether the engine offers this action on the object.
fn offers(object: &Value, action: &str) -> bool {
    object["available_actions"].as_array().is_some_and(|actions| actions.iter().any(|offered| offered == action))
}

/// Whether the permission table grants this for every object of the kind.
fn may(actor: &Actor, resource: Resource, act: Act) -> bool {
    actor.grant(resource, act) == Grant::All
}

/// The parts that are not blank, with blanks between them.
pub(super) fn joined(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::description::{fields, filters, properties};

    /// Rule 10.3: the page of an object shows all of its fields, and each is one of the API.
    #[test]
    fn all_fields_of_each_kind_are_shown() {
        for kind in all() {
            let mut shown: Vec<_> = kind.fields.iter().map(ToString::to_string).collect();
            shown.sort_unstable();
            assert_eq!(shown, properties(&format!("/api/{}/{{id}}", kind.path)), "{}", kind.many);
            assert!(kind.columns.iter().all(|column| kind.fields.contains(column)), "{}", kind.many);
        }
    }

    #[test]
    fn lists_that_hang_on_an_object_are_filtered_by_a_parameter() {
        for related in all().flat_map(|kind| kind.related) {
            let list = by_path(related.kind).unwrap().list_path();
            let is_known = filters(&list).iter().any(|input| input.name == related.parameter);
            assert!(is_known || related.kind == DELIVERIES.path, "{related:?}");
        }
    }

    #[test]
    fn forms_have_the_fields_of_the_api() {
        for action in all().flat_map(|kind| kind.actions.iter().chain(kind.create)) {
            for input in fields(action.method, action.path, action.fields) {
                assert!(!input.description.is_empty(), "{} {} {}", action.method, action.path, input.name);
            }
        }
    }
}
