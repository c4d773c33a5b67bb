//! The description of the API, from which the console takes the filters of its lists and the fields of its forms.

use std::sync::LazyLock;

use serde_json::Value;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(crate::document()).unwrap_or_default());

/// What an input takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// One line of text.
    Line,
    /// Text of any number of lines.
    Lines,
    /// Several words, each on a line of its own.
    Words,
    /// A password.
    Password,
    /// An e-mail address.
    Email,
    /// A whole number.
    Number,
    /// An exact decimal.
    Amount,
    /// A date.
    Date,
    /// A date and a time.
    Instant,
    /// Yes or no.
    Flag,
    /// One of these words.
    Choice(Vec<String>),
}

/// An input: a field of a body, or a parameter of a list.
#[derive(Clone, Debug)]
pub(super) struct Input {
    /// The name in the API.
    pub(super) name: String,
    /// What it is for.
    pub(super) description: String,
    /// What it takes.
    pub(super) takes: Takes,
    /// Whether it must be given.
    pub(super) is_required: bool,
}

/// The parameters that filter this list.
pub(super) fn filters(path: &str) -> Vec<Input> {
    let parameters = DOCUMENT["paths"][path]["get"]["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_filter = |parameter: &&Value| {
        parameter["in"] == "query" && !["limit", "cursor", "after"].iter().any(|other| parameter["name"] == *other)
    };
    let input = |parameter: &'static Value| Input {
        name: parameter["name"].as_str().unwrap_or_default().to_owned(),
        description: parameter["description"].as_str().unwrap_or_default().to_owned(),
        takes: takes(&parameter["schema"]),
        is_required: false,
    };
    parameters.iter().filter(is_filter).map(input).collect()
}

/// These fields of the body of a request.
pub(super) fn fields(method: &str, path: &str, names: &[&str]) -> Vec<Input> {
    let operation = &DOCUMENT["paths"][path][method.to_ascii_lowercase()];
    let body = resolved(&operation["requestBody"]["content"]["application/json"]["schema"]);
    let required = body["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let input = |name: &&str| {
        let schema = &body["properties"][*name];
        Input {
            name: (*name).to_owned(),
            description: schema["description"].as_str().unwrap_or_default().to_owned(),
            takes: takes(schema),
            is_required: required.iter().any(|other| other == name),
        }
    };
    names.iter().map(input).collect()
}

/// The fields of the object that is read at this path.
#[cfg(test)]
pub(super) fn properties(path: &str) -> Vec<String> {
    let object = resolved(&DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]);
    object["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// The schema that this one refers to; of several the first that is not null.
fn resolved(schema: &'static Value) -> &'static Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return resolved(&DOCUMENT["components"]["schemas"][name]);
    }
    let several = schema["oneOf"].as_array().into_iter().flatten();
    match several.map(resolved).find(|one| one["type"] != "null") {
        Some(first) => first,
        None => schema,
    }
}

fn takes(schema: &'static Value) -> Takes {
    let named = schema["$ref"].as_str().or(schema["oneOf"][0]["$ref"].as_str()).unwrap_or_default();
    let schema = resolved(schema);
    if let Some(words) = schema["enum"].as_array() {
        return Takes::Choice(words.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("boolean"), _) => Takes::Flag,
        (Some("integer"), _) => Takes::Number,
        (Some("array"), _) => Takes::Words,
        (_, Some("date")) => Takes::Date,
        (_, Some("date-time")) => Takes::Instant,
        (_, Some("password")) => Takes::Password,
        _ if named.contains("EmailAddress") => Takes::Email,
        _ if named.ends_with("AmountInput") || named.ends_with("PriceInput") => Takes::Amount,
        _ if schema["maxLength"].as_u64().is_some_and(|most| (2_100..100_000).contains(&most)) => Takes::Lines,
        _ => Takes::Line,
    }
}
