//! What `manage.py dumpdata` writes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::SourceError;
use crate::cell::{Cell, cells_of_json};
use crate::rows::Rows;

#[derive(serde::Deserialize)]
struct Entry {
    model: String,
    pk: Option<Box<RawValue>>,
    fields: BTreeMap<String, Box<RawValue>>,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Rows, SourceError> {
    let text = decode(bytes)?;
    let entries: Vec<Entry> = serde_json::from_str(&text)?;
    let mut rows = Rows::default();
    let mut is_foreign = true;
    for Entry { model, pk, fields } in entries {
        let mut cells = cells_of_json(fields);
        cells.insert("id".to_owned(), pk.map_or(Cell::Nothing, |pk| Cell::of_json(&pk)));
        is_foreign &= !Rows::MODELS.contains(&model.as_str());
        rows.add(&model, &cells);
    }
    if is_foreign { Err(SourceError::Foreign) } else { Ok(rows) }
}

/// The text, without the byte order mark.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, SourceError> {
    let utf_16 = |units: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = units.as_chunks();
        let text = String::from_utf16(&pairs.iter().copied().map(unit).collect::<Vec<_>>()).ok();
        text.filter(|_| rest.is_empty()).map(Cow::Owned)
    };
    let text = match bytes {
        [0xff, 0xfe, units @ ..] => utf_16(units, u16::from_le_bytes),
        [0xfe, 0xff, units @ ..] => utf_16(units, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] | text => str::from_utf8(text).ok().map(Cow::Borrowed),
    };
    text.ok_or(SourceError::Encoding)
}
