//! What the objects are called that others refer to.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::join_all;
use lease_core::id::{CustomerId, InvoiceId, ServiceId, TradeId, UserId, VehicleId};
use lease_core::repository::{Named, Words};
use serde_json::Value;

use super::api::Api;
use super::kinds::{self, Kind};
use super::value::Names;

/// How many objects are read at the same time.
const AT_ONCE: usize = 8;

/// An object: the path of its kind, and its number.
type Reference = (&'static str, i64);

/// The names of these objects of a kind, and of all objects that these fields of them refer to.
pub(super) async fn of(api: &Api, kind: &Kind, objects: &[Value], fields: &[&str]) -> Names {
    let mut wanted: BTreeSet<Reference> = BTreeSet::new();
    for object in objects {
        if kind.path == "customers" {
            wanted.extend(object["id"].as_i64().map(|id| ("customers", id)));
        }
        wanted.extend(fields.iter().flat_map(|field| references(object, field)));
    }
    let mut names: HashMap<Reference, String> = HashMap::new();
    let at_once: HashMap<Named, Reference> = wanted.iter().filter_map(|object| Some((named(*object)?, *object))).collect();
    let found = api.names(&at_once.keys().copied().collect::<Vec<_>>()).await;
    names.extend(found.into_iter().filter_map(|(named, words)| Some((*at_once.get(&named)?, name(named, &words)))));
    let others: Vec<_> = wanted.into_iter().filter(|object| named(*object).is_none()).collect();
    for some in others.chunks(AT_ONCE) {
        let found = join_all(some.iter().map(|(path, id)| read(api, path, *id))).await;
        names.extend(some.iter().copied().zip(found).filter_map(|(object, name)| Some((object, name?))));
    }
    Names(names)
}

/// The objects that a field refers to.
fn references(object: &Value, field: &str) -> Vec<Reference> {
    let to = |field: &str, id: &Value| Some((kinds::referred_by(field)?.path, id.as_i64()?));
    match field {
        "actor" => to("user_id", &object["actor"]["user_id"]).into_iter().collect(),
        "subject" => {
            let kind = object["subject"]["kind"].as_str().and_then(kinds::by_subject);
            kind.zip(object["subject"]["id"].as_i64()).map(|(kind, id)| (kind.path, id)).into_iter().collect()
        }
        "changes" => {
            let changes = object["changes"].as_object().into_iter().flatten();
            changes
                .flat_map(|(name, change)| [&change["from"], &change["to"]].into_iter().filter_map(|id| to(name, id)))
                .collect()
        }
        field => to(field, &object[field]).into_iter().collect(),
    }
}

/// The object among those whose names are read all at once.
fn named((path, id): Reference) -> Option<Named> {
    match path {
        "users" => UserId::new(id).map(Named::User),
        "customers" => CustomerId::new(id).map(Named::Customer),
        "vehicles" => VehicleId::new(id).map(Named::Vehicle),
        "services" => ServiceId::new(id).map(Named::Service),
        "trades" => TradeId::new(id).map(Named::Trade),
        _ => None,
    }
}

/// The words of a name as one text. A trade without a title is called like its vehicle.
fn name(named: Named, words: &Words) -> String {
    let [first, ..] = words;
    if matches!(named, Named::Trade(_)) && !first.is_empty() {
        return first.clone();
    }
    kinds::joined(&words.each_ref().map(String::as_str))
}

/// What another object is called; none if it is gone, or has no name but its number.
async fn read(api: &Api, path: &str, id: i64) -> Option<String> {
    match path {
        "proposals" | "payments" => None,
        "invoices" => InvoiceId::new(id).map(InvoiceId::number),
        path => {
            let kind = kinds::by_path(path)?;
            let object = api.get(&format!("/api/{path}/{id}")).await.ok()?.body;
            Some((kind.name)(&object)).filter(|name| !name.is_empty())
        }
    }
}

/// The first and the last name of a user.
pub(super) fn of_person(user: &Value) -> String {
    kinds::joined(&["first_name", "last_name"].map(|field| kinds::text(user, field)))
}

/// What an object is called above its page and in lists: its name, or else its kind and its number.
pub(super) fn own(kind: &Kind, object: &Value, names: &Names) -> String {
    let id = object["id"].as_i64().unwrap_or_default();
    let name = match kind.path {
        // A customer is called like its user.
        "customers" => names.0.get(&("customers", id)).cloned().unwrap_or_default(),
        _ => (kind.name)(object),
    };
    if name.is_empty() { format!("{} {id}", kind.one) } else { name }
}
