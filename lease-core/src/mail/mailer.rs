use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::model::MailKind;

/// Sends mails: it finds the words for a letter, and hands it to a mail server.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Mailer: fmt::Debug + Send + Sync + 'static {
    /// Sends a letter. A call that takes longer than 30 seconds is dropped, and counts as [`MailError::Later`].
    ///
    /// # Errors
    /// [`MailError`].
    async fn send(&self, letter: &Letter) -> Result<(), MailError>;
}

/// What a mail says, and to whom, without the words.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The same each time that it is tried to send this letter, and that of no other: for the `Message-ID`.
    pub id: String,
    /// What it says.
    pub kind: MailKind,
    /// The address.
    pub to: String,
    /// The name of the recipient.
    pub name: String,
    /// What it is about.
    pub facts: Map<String, Value>,
    /// The token for the link in it, of a letter that has one.
    pub token: Option<SecretString>,
    /// When what it says happened, or was asked for.
    pub at: DateTime<Utc>,
}

/// The reason why a letter was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// It will never be taken, such as one to an address that does not exist.
    #[error("the mail was refused: {0}")]
    Refused(String),
    /// It may be taken later.
    #[error("the mail could not be sent: {0}")]
    Later(String),
}
