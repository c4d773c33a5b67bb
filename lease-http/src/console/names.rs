//! What the objects are called that others refer to.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::join_all;
use serde_json::Value;

use super::api::Api;
use super::kinds::{self, Kind};
use super::value::Names;

/// How many objects are read at the same time.
const AT_ONCE: usize = 8;
/// The most objects that are read for a page; the others are shown by their numbers.
const MOST: usize = 150;

/// The names of all objects that these fields of the objects refer to.
pub(super) async fn of(api: &Api, objects: &[Value], fields: &[&str]) -> Names {
    let mut wanted: BTreeSet<(&'static str, i64)> = BTreeSet::new();
    for object in objects {
        for field in fields {
            wanted.extend(references(object, field));
        }
    }
    let wanted: Vec<_> = wanted.into_iter().take(MOST).collect();
    let mut names = HashMap::new();
    for some in wanted.chunks(AT_ONCE) {
        let found = join_all(some.iter().map(|(path, id)| name(api, path, *id))).await;
        names.extend(some.iter().copied().zip(found).filter_map(|(object, name)| Some((object, name?))));
    }
    Names(names)
}

/// The objects that a field refers to.
fn references(object: &Value, field: &str) -> Option<(&'static str, i64)> {
    match field {
        "actor" => Some(("users", object["actor"]["user_id"].as_i64()?)),
        "subject" => {
            let kind = kinds::by_subject(object["subject"]["kind"].as_str()?)?;
            Some((kind.path, object["subject"]["id"].as_i64()?))
        }
        _ => Some((kinds::referred_by(field)?.path, object[field].as_i64()?)),
    }
}

/// What an object is called; none if it is gone, or has no name but its number.
async fn name(api: &Api, path: &str, id: i64) -> Option<String> {
    let kind = kinds::by_path(path)?;
    let object = api.get(&format!("/api/{}/{id}", kind.path)).await.ok()?.body;
    Some(of_object(api, kind, &object).await).filter(|name| !name.is_empty())
}

/// The first and the last name of a user.
pub(super) fn of_person(user: &Value) -> String {
    kinds::joined(&["first_name", "last_name"].map(|field| kinds::text(user, field)))
}

/// What this object is called. A customer is called like its user.
pub(super) async fn of_object(api: &Api, kind: &Kind, object: &Value) -> String {
    if kind.path != "customers" {
        return (kind.name)(object);
    }
    let Some(user) = object["user_id"].as_i64() else { return String::new() };
    match api.get(&format!("/api/users/{user}")).await {
        Ok(user) => of_person(&user.body),
        Err(_) => String::new(),
    }
}
