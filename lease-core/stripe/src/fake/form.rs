use serde_json::{Map, Value};

use super::problem::Problem;

/// The parameters of a request.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn require(&self, name: &str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| Problem::invalid("parameter_missing", name))
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let parse = |value: &str| value.parse().map_err(|_| Problem::invalid("parameter_invalid_integer", name));
        self.get(name).map(parse).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Refuses parameters that are none of these, as Stripe does.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        let top = |name: &str| name.split('[').next().unwrap_or_default().to_owned();
        match self.0.iter().find(|(name, _)| !known.contains(&top(name).as_str())) {
            Some((name, _)) => Err(Problem::invalid("parameter_unknown", name)),
            None => Ok(()),
        }
    }

    pub(super) fn metadata(&self) -> Value {
        let key = |name: &str| name.strip_prefix("metadata[")?.strip_suffix(']').map(str::to_owned);
        let pairs = self.0.iter().filter_map(|(name, value)| Some((key(name)?, Value::from(value.as_str()))));
        Value::Object(pairs.collect::<Map<_, _>>())
    }
}
