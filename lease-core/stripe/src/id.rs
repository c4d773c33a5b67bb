use std::fmt;

use serde::Deserialize;

/// The id of an object at Stripe. It has letters, digits and underscores only, so that it can stand in a path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Id(String);

impl Id {
    /// The id that a text is, if it begins with this prefix.
    pub(crate) fn parse(text: &str, prefix: &str) -> Option<Self> {
        Self::try_from(text.to_owned()).ok().filter(|id| id.0.starts_with(prefix))
    }
}

/// Whether this is a token or a reference of Lease's sandbox, with which no money moves.
pub(crate) fn is_of_sandbox(text: &str) -> bool {
    text.starts_with("sandbox_")
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_plain && (1..=255).contains(&text.len()) { Ok(Self(text)) } else { Err("not an id") }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
