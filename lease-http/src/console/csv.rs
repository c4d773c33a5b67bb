//! Lists as CSV (rule 10.2, RFC 4180), read and sent page by page.

use std::collections::VecDeque;

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;

use super::api::Api;
use super::kinds::{self, Kind};
use super::list::{api_path, pairs};
use super::page::{not_found, refusal};
use super::place::with_query;
use super::visit::Visit;
use crate::layers::Endless;

/// What is left to send of an export.
struct Export {
    api: Api,
    kind: &'static Kind,
    ready: VecDeque<Bytes>,
    /// The path of the next page.
    next: Option<String>,
}

/// Sends everything that the filter says.
pub(super) async fn export(visit: Visit, path: Path<String>) -> Response {
    let Some(kind) = kinds::by_path(&path) else { return not_found(&visit) };
    let mut asked = pairs(&visit, kind);
    asked.retain(|(name, _)| name != "limit" && name != "cursor");
    let list = api_path(kind, &mut asked);
    asked.push(("limit".to_owned(), "100".to_owned()));
    let first = with_query(&list, asked.iter().map(|(name, value)| (name, value)));
    // What is wrong with the filter is said before anything is sent.
    let found = match visit.api.get(&first).await {
        Ok(answer) => answer.body,
        Err(refused) => return refusal(&visit, &refused),
    };
    let mut export = Export { api: visit.api, kind, ready: VecDeque::new(), next: None };
    export.ready.push_back(line(kind.fields.iter().copied()).into());
    export.take(&found);
    let name = format!("attachment; filename=\"{}.csv\"", kind.path);
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present")),
        (CONTENT_DISPOSITION, HeaderValue::try_from(name).unwrap_or(HeaderValue::from_static("attachment"))),
    ];
    let mut response = (headers, Body::from_stream(stream::unfold(export, Export::next).fuse())).into_response();
    // It is sent piece by piece, and so takes no memory for the whole.
    response.extensions_mut().insert(Endless);
    response
}

impl Export {
    /// The next piece. An export that cannot go on ends without its last line, with an error of the connection.
    async fn next(mut self) -> Option<(Result<Bytes, std::io::Error>, Self)> {
        if self.ready.is_empty() {
            let next = self.next.take()?;
            match self.api.get_later(&next).await {
                Ok(answer) => self.take(&answer.body),
                Err(refused) => return Some((Err(std::io::Error::other(refused.detail)), self)),
            }
        }
        let piece = self.ready.pop_front()?;
        Some((Ok(piece), self))
    }

    fn take(&mut self, page: &Value) {
        let rows = page["results"].as_array().map(Vec::as_slice).unwrap_or_default();
        let lines: String = rows.iter().map(|row| line(self.kind.fields.iter().map(|field| text(&row[*field])))).collect();
        self.ready.push_back(lines.into());
        self.next = page["next"].as_str().map(str::to_owned);
    }
}

/// The text of a value. What is made of several is JSON.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A line of these texts.
fn line<T: AsRef<str>>(texts: impl Iterator<Item = T>) -> String {
    let fields: Vec<String> = texts.map(|text| quoted(text.as_ref())).collect();
    fields.join(",") + "\r\n"
}

/// A text in quotes where it needs them. One that a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    // A plus is part of a telephone number, which a spreadsheet would take for a number.
    let is_number = text.parse::<f64>().is_ok() && !text.starts_with('+');
    let text = if is_formula && !is_number { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_and_are_no_formulas() {
        let cases = [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2", "-2"),
            ("+4930123456", "'+4930123456"),
            ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
            ("=\"a\",1", "\"'=\"\"a\"\",1\""),
        ];
        for (text, expected) in cases {
            assert_eq!(quoted(text), expected);
        }
    }
}
