//! The cells of Django's tables, and what can be read from one. A source may hold anything: what makes no sense is none.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use lease_core::clock::to_micros;
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde_json::value::RawValue;

/// A cell. Numbers are kept as they were written, so that none goes through a float.
pub(crate) enum Cell {
    Nothing,
    Flag(bool),
    Number(String),
    Text(String),
}

/// A row: its cells by the names of their columns.
pub(crate) type Cells = BTreeMap<String, Cell>;

impl Cell {
    pub(crate) fn of_json(json: &RawValue) -> Self {
        match json.get() {
            "true" => Self::Flag(true),
            "false" => Self::Flag(false),
            text if text.starts_with('"') => serde_json::from_str(text).map_or(Self::Nothing, Self::Text),
            text if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => Self::Number(text.to_owned()),
            _ => Self::Nothing,
        }
    }
}

/// The cells of a JSON object.
pub(crate) fn cells_of_json(object: BTreeMap<String, Box<RawValue>>) -> Cells {
    object.into_iter().map(|(name, json)| (name, Cell::of_json(&json))).collect()
}

/// The first of these columns that the row has.
fn find<'a>(cells: &'a Cells, names: &[&str]) -> &'a Cell {
    names.iter().find_map(|name| cells.get(*name)).unwrap_or(&Cell::Nothing)
}

pub(crate) fn text(cells: &Cells, names: &[&str]) -> Option<String> {
    match find(cells, names) {
        Cell::Text(text) | Cell::Number(text) => Some(text.clone()),
        Cell::Flag(_) | Cell::Nothing => None,
    }
}

pub(crate) fn secret(cells: &Cells, names: &[&str]) -> Option<SecretString> {
    text(cells, names).map(SecretString::from)
}

pub(crate) fn decimal(cells: &Cells, names: &[&str]) -> Option<Decimal> {
    parse_decimal(text(cells, names)?.trim())
}

fn parse_decimal(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) { Decimal::from_scientific(&text.replace('+', "")).ok() } else { text.parse().ok() }
}

pub(crate) fn integer(cells: &Cells, names: &[&str]) -> Option<i64> {
    match find(cells, names) {
        Cell::Flag(flag) => Some((*flag).into()),
        Cell::Number(text) | Cell::Text(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| parse_decimal(text).filter(Decimal::is_integer)?.try_into().ok())
        }
        Cell::Nothing => None,
    }
}

pub(crate) fn flag(cells: &Cells, names: &[&str]) -> Option<bool> {
    match text(cells, names).as_deref() {
        Some("t" | "true" | "True") => Some(true),
        Some("f" | "false" | "False") => Some(false),
        _ => integer(cells, names).map(|number| number != 0),
    }
}

/// An instant with an offset, or in UTC without one.
pub(crate) fn instant(cells: &Cells, names: &[&str]) -> Option<DateTime<Utc>> {
    let text = text(cells, names)?.trim().replace(' ', "T");
    let with_offset = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%z"];
    let offset = with_offset.iter().find_map(|format| DateTime::parse_from_str(&text, format).ok());
    let in_utc = || NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|naive| naive.and_utc());
    offset.map(|instant| instant.to_utc()).or_else(in_utc).map(to_micros)
}

pub(crate) fn date(cells: &Cells, names: &[&str]) -> Option<NaiveDate> {
    text(cells, names)?.trim().get(..10)?.parse().ok()
}
