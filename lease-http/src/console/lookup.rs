//! Objects by what people call them: forms and filters take a name or an e-mail address where the API takes a number.

use std::collections::BTreeMap;

use serde_json::Value;

use super::api::Api;
use super::kinds::{self, Kind};
use super::names;
use super::object::results;
use super::place::with_query;

/// The objects that are offered where several are called so.
const OFFERED: usize = 5;

/// Puts the numbers into the fields that refer to other objects, and says what is wrong beside each field that refers to none.
pub(super) async fn resolve(api: &Api, fields: &mut [(String, String)]) -> BTreeMap<String, Vec<String>> {
    let mut wrong = BTreeMap::new();
    for (name, text) in fields {
        match number(api, name, text).await {
            None => {}
            Some(Ok(id)) => *text = id,
            Some(Err(message)) => drop(wrong.insert(name.clone(), vec![message])),
        }
    }
    wrong
}

/// The number of the object that a field refers to by this text, or what is wrong with it; none if the text may stay.
async fn number(api: &Api, field: &str, text: &str) -> Option<Result<String, String>> {
    let text = text.trim();
    let kind = kinds::referred_by(field)?;
    let (list, id) = searched(kind)?;
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        return None;
    }
    let path = with_query(list, [("search", text), ("limit", "100")]);
    let found = match api.get(&path).await {
        Ok(answer) => answer.body,
        Err(refused) => return Some(Err(refused.detail)),
    };
    let found: Vec<&Value> = results(&found).iter().filter(|object| object[id].is_i64()).collect();
    Some(one_of(kind, &found, id, text))
}

/// The list that is searched for objects of this kind, and the field of its objects that has their number. Customers are called like
/// their users.
fn searched(kind: &Kind) -> Option<(&'static str, &'static str)> {
    match kind.path {
        "customers" => Some(("/api/users", "customer_id")),
        "users" => Some(("/api/users", "id")),
        "leads" => Some(("/api/leads", "id")),
        "vehicles" => Some(("/api/vehicles", "id")),
        "trades" => Some(("/api/trades", "id")),
        _ => None,
    }
}

fn one_of(kind: &Kind, found: &[&Value], id: &str, text: &str) -> Result<String, String> {
    let is_exact =
        |object: &&&Value| ["username", "email"].iter().any(|field| kinds::text(object, field).eq_ignore_ascii_case(text));
    match found {
        [] => Err(format!("No {} is called so.", kind.one.to_lowercase())),
        [object] => Ok(object[id].to_string()),
        several => {
            if let Some(object) = several.iter().find(is_exact) {
                return Ok(object[id].to_string());
            }
            let offered = several.iter().take(OFFERED).map(|object| format!("{} ({})", object[id], called(kind, object)));
            let more = if several.len() > OFFERED { ", and others" } else { "" };
            let offered = offered.collect::<Vec<_>>().join(", ");
            Err(format!("Several are called so: {offered}{more}. Give the number."))
        }
    }
}

/// What tells an object from others of the same name.
fn called(kind: &Kind, object: &Value) -> String {
    match kind.path {
        "customers" | "users" => kinds::joined(&[&names::of_person(object), kinds::text(object, "email")]),
        _ => (kind.name)(object),
    }
}

/// Whether a field takes a name in place of a number.
pub(super) fn takes_names(field: &str) -> bool {
    kinds::referred_by(field).and_then(searched).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::description::filters;

    #[test]
    fn what_is_looked_up_can_be_searched() {
        for (list, _) in kinds::all().filter_map(searched) {
            assert!(filters(list).iter().any(|input| input.name == "search"), "{list}");
        }
    }
}
