//! `/docs` as a person uses it.

use std::cell::Cell;

use serde_json::{Map, Value, json};

use crate::driver::Browser;

/// The dialog for the token.
const DIALOG: &str = ".modal-ux .auth-container";

pub(crate) struct Page {
    pub(crate) browser: Browser,
    url: String,
    is_authorized: Cell<bool>,
}

impl Page {
    /// The page at this address.
    pub(crate) fn new(url: &str) -> Self {
        Self { browser: Browser::start(), url: url.to_owned(), is_authorized: Cell::new(false) }
    }

    /// Enters a token in place of the one before. A reload keeps it.
    pub(crate) fn authorize(&self, token: &str) {
        self.browser.open(&self.url);
        self.browser.click(".auth-wrapper button.authorize");
        if self.is_authorized.replace(true) {
            self.browser.click(&format!("{DIALOG} .auth-btn-wrapper button.auth"));
        }
        self.browser.write(&format!("{DIALOG} input"), token);
        self.browser.click(&format!("{DIALOG} .auth-btn-wrapper button.authorize"));
        self.browser.click(&format!("{DIALOG} .auth-btn-wrapper button.btn-done"));
    }

    /// Loads the page anew and makes a call about the object with this id, if the path names one. The body is the example, but for
    /// these fields. Returns the status and the body of the response.
    pub(crate) fn call(&self, tag: &str, operation: &str, id: Option<i64>, fields: &[(&str, &str)]) -> (String, Value) {
        let here = format!("#operations-{tag}-{operation}");
        self.browser.open(&self.url);
        self.browser.click(&format!("#operations-tag-{tag}"));
        self.browser.click(&format!("{here} .opblock-summary-control"));
        if let Some(id) = id {
            self.browser.write(&format!("{here} tr[data-param-name=id] input"), &id.to_string());
        }
        if !fields.is_empty() {
            self.edit(&format!("{here} textarea.body-param__text"), fields);
        }
        self.browser.click(&format!("{here} button.execute"));
        let status = self.browser.text(&format!("{here} .live-responses-table tbody .response-col_status"));
        let response = self.browser.text(&format!("{here} .live-responses-table tbody .highlight-code code"));
        let response =
            serde_json::from_str(&response).unwrap_or_else(|error| panic!("{operation} {status}: {error}: {response}"));
        (status, response)
    }

    /// Changes these fields of a body, which has all of them.
    fn edit(&self, body: &str, fields: &[(&str, &str)]) {
        let mut edited: Map<String, Value> = serde_json::from_str(&self.browser.value(body)).unwrap();
        for (field, text) in fields {
            assert!(edited.insert((*field).to_owned(), json!(text)).is_some(), "{field} is not in {edited:?}");
        }
        self.browser.write_over(body, &Value::Object(edited).to_string());
    }
}
