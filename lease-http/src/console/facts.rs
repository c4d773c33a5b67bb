//! The fields of an object, as its page shows them.

use serde_json::Value;

use super::kinds::Kind;
use super::page::Labelled;
use super::value::{Showing, Shown};
use super::words::{inner, label};

/// The fields of an object. What its page shows above them is not told again.
#[derive(Debug)]
pub(super) struct Facts {
    /// What is set: first what stands side by side, then what takes the whole width.
    pub(super) set: Vec<Labelled>,
    /// The fields that are made of several.
    pub(super) parts: Vec<Labelled>,
    /// The names of the others.
    pub(super) unset: String,
}

impl Facts {
    /// The fields of this object.
    pub(super) fn of(showing: Showing<'_>, kind: &Kind, object: &Value) -> Self {
        let fields = kind.fields.iter().filter(|field| !is_told(kind, object, field));
        let all = fields.map(|field| (label(field), showing.field(object, field)));
        let (unset, set): (Vec<Labelled>, Vec<_>) = all.partition(|(_, shown)| shown.is_nothing());
        let is_part = |(_, shown): &Labelled| matches!(shown, Shown::Fields(_) | Shown::Rows { .. } | Shown::Changes(_));
        let (parts, mut set): (Vec<_>, Vec<_>) = set.into_iter().partition(is_part);
        set.sort_by_key(|(_, shown)| shown.is_wide());
        let unset: Vec<String> = unset.iter().map(|(label, _)| inner(label)).collect();
        Self { set, parts, unset: unset.join(", ") }
    }
}

/// Whether the page tells this field elsewhere: its number and its state in its heading, the currency with its amounts.
fn is_told(kind: &Kind, object: &Value, field: &str) -> bool {
    let is_empty = || object[field].is_null() || object[field].as_object().is_some_and(serde_json::Map::is_empty);
    let has_amount = || kind.fields.iter().any(|field| field.starts_with("amount") && !object[*field].is_null());
    match field {
        "id" | "status" | "is_overdue" | "available_actions" => true,
        "currency" => has_amount(),
        // What a company keeps of its own, if it keeps anything.
        "external_id" | "metadata" => is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::console::kinds::by_path;
    use crate::console::value::Names;

    #[test]
    fn what_is_empty_is_named_in_one_line_and_what_is_long_comes_last() {
        let lead =
            json!({"id": 7, "status": "new", "notes": "one\ntwo", "company": "Example", "created_at": "2026-03-01T12:00:00Z"});
        let names = Names::default();
        let facts = Facts::of(Showing { root: "./", names: &names }, by_path("leads").unwrap(), &lead);
        assert_eq!(facts.set.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(), ["Company", "Created", "Notes"]);
        assert_eq!(facts.unset, "first name, last name, email, phone, source, customer");
    }

    #[test]
    fn an_amount_has_its_currency_and_an_invoice_its_state_once() {
        let invoice = json!({"id": 1, "status": "open", "is_overdue": true, "amount": "49.00", "currency": "USD"});
        let names = Names::default();
        let facts = Facts::of(Showing { root: "./", names: &names }, by_path("invoices").unwrap(), &invoice);
        assert_eq!(facts.set.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(), ["Amount"]);
    }
}
