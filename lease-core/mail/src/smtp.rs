use std::error::Error as _;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lease_core::mail::MailError;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Tls};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::{Category, Code, Detail};
use tokio::time::{Instant, timeout};

use crate::message::Mail;

/// How long the server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How many connections are kept for the next mails, and for how long.
const MAX_IDLE: usize = 4;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends mails to a mail server.
///
/// A connection that is in use belongs to its mail alone. It is kept for the next one only after the server has taken the mail, so
/// an answer that comes too late is never mistaken for the answer to another mail.
pub(crate) struct Smtp {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Tls,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) hello: ClientId,
    pub(crate) timeout: Duration,
    pub(crate) idle: Idle,
}

/// The connections that are not in use, each since when.
pub(crate) type Idle = Mutex<Vec<(AsyncSmtpConnection, Instant)>>;

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Smtp {
    /// Sends a mail.
    ///
    /// # Errors
    /// [`MailError::Refused`] if the server will never take it for this recipient, else [`MailError::Later`].
    pub(crate) async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let sent = timeout(self.timeout, self.deliver(mail)).await;
        sent.unwrap_or_else(|_| Err(MailError::Later(format!("the mail server took longer than {:?}", self.timeout))))
    }

    async fn deliver(&self, mail: &Mail) -> Result<(), MailError> {
        let mut connection = match self.idle_connection().await {
            Some(connection) => connection,
            None => self.connect().await.map_err(|error| MailError::Later(describe("connecting", &error)))?,
        };
        transmit(&mut connection, mail).await?;
        self.keep(connection);
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let server = (self.host.as_str(), self.port);
        let wrapper = if let Tls::Wrapper(parameters) = &self.tls { Some(parameters.clone()) } else { None };
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_TIMEOUT), &self.hello, wrapper, None).await?;
        match &self.tls {
            Tls::Required(parameters) => connection.starttls(parameters.clone(), &self.hello).await?,
            Tls::Opportunistic(parameters) if connection.can_starttls() => {
                connection.starttls(parameters.clone(), &self.hello).await?;
            }
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    /// A connection that was kept, and that the server still answers on.
    async fn idle_connection(&self) -> Option<AsyncSmtpConnection> {
        while let Some(mut connection) = self.take() {
            if connection.test_connected().await {
                return Some(connection);
            }
        }
        None
    }

    fn take(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE_TIMEOUT);
        idle.pop().map(|(connection, _)| connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push((connection, Instant::now()));
        }
    }
}

/// Hands a mail over. What the server says to the sender is about all mails, what it says after that is about this one.
async fn transmit(connection: &mut AsyncSmtpConnection, mail: &Mail) -> Result<(), MailError> {
    let mut options = Vec::new();
    if !mail.to.to_string().is_ascii() {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(MailError::Refused("the mail server takes addresses in ASCII only".to_owned()));
        }
        options.extend([MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)]);
    }
    let sender = connection.command(MailFrom::new(Some(mail.from.clone()), options)).await;
    sender.map_err(|error| MailError::Later(describe("MAIL", &error)))?;
    connection.command(Rcpt::new(mail.to.clone(), Vec::new())).await.map_err(|error| refusal("RCPT", &error))?;
    connection.command(Data).await.map_err(|error| refusal("DATA", &error))?;
    connection.message(&mail.bytes).await.map_err(|error| refusal("the message", &error))?;
    Ok(())
}

/// What the server's refusal of a mail means.
fn refusal(step: &str, error: &Error) -> MailError {
    if error.is_permanent() && error.status().is_some_and(is_about_mail) {
        MailError::Refused(describe(step, error))
    } else {
        MailError::Later(describe(step, error))
    }
}

/// Whether a code is about the mail or its recipient, and not about the connection, who logged in or a command (RFC 5321).
fn is_about_mail(code: Code) -> bool {
    match code.category {
        Category::Connections | Category::Unspecified3 => false,
        // 501 is about what a command names, such as an address.
        Category::Syntax => code.detail == Detail::One,
        _ => true,
    }
}

/// What went wrong, without the server's own words: they may quote what was sent.
fn describe(step: &str, error: &Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}{} to {step}", enhanced_code(error)),
        None if error.is_response() => format!("the mail server gave an answer to {step} that cannot be read"),
        None => format!("{step}: {error}"),
    }
}

/// The code by which a server says more, such as ` 5.1.1` (RFC 3463).
fn enhanced_code(error: &Error) -> String {
    let answer = error.source().map(ToString::to_string).unwrap_or_default();
    let word = answer.split_whitespace().next().unwrap_or_default();
    let is_code =
        word.len() <= 11 && word.split('.').count() == 3 && word.chars().all(|letter| letter == '.' || letter.is_ascii_digit());
    if is_code { format!(" {word}") } else { String::new() }
}
