use std::collections::BTreeMap;

use lease_core::mail::Letter;
use lease_core::model::MailKind;
use minijinja::value::{Serde, Value};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::address::one_line;

/// The most characters of a subject.
const MAX_SUBJECT: usize = 200;

/// What a mail says, in words.
pub(crate) struct Content {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// The variables of a template.
pub(crate) type Variables = BTreeMap<String, Value>;

/// Makes the links in mails.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    pub(crate) public_url: Option<Url>,
}

impl Links {
    /// The link that a letter with a token has, where the address of the platform's pages is known.
    fn of(&self, kind: MailKind, token: &SecretString) -> Option<String> {
        let page = match kind {
            MailKind::PasswordReset => "password-reset",
            MailKind::EmailVerification => "verify-email",
            _ => return None,
        };
        let mut url = self.public_url.clone()?;
        url.path_segments_mut().ok()?.pop_if_empty().push(page);
        url.query_pairs_mut().append_pair("token", token.expose_secret());
        Some(url.into())
    }
}

/// What the templates of a letter may use: its facts, each text in one line, and what all letters have.
pub(crate) fn variables(letter: &Letter, platform_name: &str, links: &Links) -> Variables {
    let mut variables: Variables = letter.facts.iter().map(|(name, fact)| (name.clone(), variable(fact))).collect();
    if let Some(trade) = trade(letter) {
        variables.insert("trade".to_owned(), trade.into());
    }
    if let Some(token) = &letter.token {
        // A URL holds nothing that would have to be escaped.
        let link = links.of(letter.kind, token).map(Value::from_safe_string);
        variables.insert("link".to_owned(), link.into());
        variables.insert("token".to_owned(), token.expose_secret().into());
    }
    variables.insert("name".to_owned(), one_line(&letter.name).into());
    variables.insert("platform_name".to_owned(), platform_name.into());
    variables.insert("at".to_owned(), letter.at.format("%Y-%m-%d %H:%M UTC").to_string().into());
    variables
}

fn variable(fact: &serde_json::Value) -> Value {
    match fact {
        serde_json::Value::String(text) => one_line(text).into(),
        other => Serde(other).into(),
    }
}

/// What a trade is called: its title, or else the vehicle.
fn trade(letter: &Letter) -> Option<String> {
    let fact = |name| letter.facts.get(name).and_then(serde_json::Value::as_str).map(one_line);
    fact("trade_title").filter(|title| !title.is_empty()).or_else(|| fact("vehicle"))
}

/// The subject of a mail, which begins with whose it is.
pub(crate) fn subject(platform_name: &str, text: &str) -> String {
    let subject = one_line(&format!("[{platform_name}] {text}"));
    if subject.chars().count() <= MAX_SUBJECT { subject } else { subject.chars().take(MAX_SUBJECT - 1).chain(['…']).collect() }
}
