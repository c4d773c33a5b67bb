use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lease_core::clock::{Clock, SystemClock};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

use crate::address::{one_line, parse_sender};
use crate::content::Links;
use crate::folder::Folder;
use crate::smtp::{Idle, Smtp};
use crate::templates::{TemplateError, Templates};
use crate::{LeaseMailer, Transport};

/// How long sending one mail may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How mails are signed, unless the platform has a name of its own.
const PLATFORM_NAME: &str = "Lease";

/// How mails are written, and where they go. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct MailerConfig {
    url: SecretString,
    from: String,
    public_url: Option<Url>,
    platform_name: String,
    templates: Option<PathBuf>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl MailerConfig {
    /// Mails by this sender, such as `Lease <no-reply@example.com>`, through the mail server or into the folder at this URL.
    #[must_use]
    pub fn new(url: SecretString, from: String) -> Self {
        Self {
            url,
            from,
            public_url: None,
            platform_name: PLATFORM_NAME.to_owned(),
            templates: None,
            timeout: TIMEOUT,
            clock: Arc::new(SystemClock),
        }
    }

    /// The same, with links to the pages below this address. Without it, a mail shows the token that the link would hold.
    #[must_use]
    pub fn with_public_url(self, url: Url) -> Self {
        Self { public_url: Some(url), ..self }
    }

    /// The same for a platform of another name than `Lease`.
    #[must_use]
    pub fn with_platform_name(self, name: String) -> Self {
        Self { platform_name: name, ..self }
    }

    /// The same, with the texts in this folder in place of those of the same names.
    #[must_use]
    pub fn with_templates(self, folder: PathBuf) -> Self {
        Self { templates: Some(folder), ..self }
    }

    /// The same with another limit than 15 seconds to how long sending one mail may take.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The same with another clock, for tests: it names the files of a folder.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The mailer. Nothing is sent before it is used, but every template is tried out.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn build(self) -> Result<LeaseMailer, ConfigError> {
        let platform_name = one_line(&self.platform_name);
        if platform_name.is_empty() {
            return Err(ConfigError::PlatformName);
        }
        if !self.public_url.as_ref().is_none_or(is_page) {
            return Err(ConfigError::PublicUrl);
        }
        let from = parse_sender(&self.from).ok_or(ConfigError::From)?;
        let links = Links { public_url: self.public_url.clone() };
        let templates = Templates::load(self.templates.as_deref())?;
        templates.try_out(&platform_name, &links)?;
        Ok(LeaseMailer { from, platform_name, links, templates, transport: self.transport()? })
    }

    fn transport(self) -> Result<Transport, ConfigError> {
        let url = self.url.expose_secret();
        if let Some(path) = url.strip_prefix("file:") {
            let path =
                Some(PathBuf::from(path)).filter(|path| path.file_name().is_some()).ok_or(ConfigError::Url("names no folder"))?;
            let folder = Folder::open(path.clone(), self.clock);
            return folder.map(Transport::Folder).map_err(|error| ConfigError::Folder { path, error });
        }
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "smtp" | "smtps")).ok_or(ConfigError::Scheme)?;
        smtp(&url, self.timeout).map(Transport::Smtp)
    }
}

/// The public address with which links begin, out of its text.
///
/// # Errors
/// [`ConfigError::PublicUrl`].
pub fn parse_public_url(text: &str) -> Result<Url, ConfigError> {
    text.trim().parse().ok().filter(is_page).ok_or(ConfigError::PublicUrl)
}

/// Whether pages can stand below an address. What is in it is in every mail, so it has no password.
fn is_page(url: &Url) -> bool {
    let has_user = !url.username().is_empty() || url.password().is_some();
    matches!(url.scheme(), "http" | "https") && !has_user && url.query().is_none() && url.fragment().is_none()
}

/// The mail server at a URL: `smtp[s]://user:password@host:port/name-of-this-host?tls=required`.
fn smtp(url: &Url, timeout: Duration) -> Result<Smtp, ConfigError> {
    let host = url.host_str().and_then(|host| Host::parse(host).ok()).ok_or(ConfigError::Url("names no host"))?;
    let is_here = is_this_machine(&host);
    let host = match host {
        Host::Ipv6(address) => address.to_string(),
        host => host.to_string(),
    };
    let (tls, port) = tls(url, &host)?;
    let credentials = credentials(url)?;
    if credentials.is_some() && !is_here && matches!(tls, Tls::None | Tls::Opportunistic(_)) {
        return Err(ConfigError::Url("has a password that could be sent unencrypted: use smtps:// or ?tls=required"));
    }
    let port = url.port().unwrap_or(port);
    Ok(Smtp { host, port, tls, credentials, hello: hello(url)?, timeout, idle: Idle::default() })
}

/// How a connection is encrypted, and the port for that.
fn tls(url: &Url, host: &str) -> Result<(Tls, u16), ConfigError> {
    let parameters = || TlsParameters::new(host.to_owned()).map_err(|_| ConfigError::Certificates);
    let query: Vec<_> = url.query_pairs().collect();
    let query: Vec<_> = query.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    match (url.scheme(), query.as_slice()) {
        ("smtps", []) => Ok((Tls::Wrapper(parameters()?), SUBMISSIONS_PORT)),
        ("smtp", []) => Ok((Tls::None, SMTP_PORT)),
        ("smtp", [("tls", "required")]) => Ok((Tls::Required(parameters()?), SUBMISSION_PORT)),
        ("smtp", [("tls", "opportunistic")]) => Ok((Tls::Opportunistic(parameters()?), SUBMISSION_PORT)),
        _ => Err(ConfigError::Url("takes no parameter but tls=required or tls=opportunistic, after smtp:// only")),
    }
}

fn credentials(url: &Url) -> Result<Option<Credentials>, ConfigError> {
    match (decoded(url.username())?, url.password().map(decoded).transpose()?) {
        (user, Some(password)) => Ok(Some(Credentials::new(user, password))),
        (user, None) if user.is_empty() => Ok(None),
        _ => Err(ConfigError::Url("has a user without a password")),
    }
}

/// By which name this host introduces itself: its own, unless the URL has one.
fn hello(url: &Url) -> Result<ClientId, ConfigError> {
    match url.path().trim_matches('/') {
        "" => Ok(ClientId::default()),
        name => match Host::parse(name) {
            Ok(Host::Domain(name)) => Ok(ClientId::Domain(name)),
            _ => Err(ConfigError::Url("has a path that is no name of a host")),
        },
    }
}

fn decoded(text: &str) -> Result<String, ConfigError> {
    let text =
        percent_decode_str(text).decode_utf8().map_err(|_| ConfigError::Url("has a user or password that is not in UTF-8"))?;
    Ok(text.into_owned())
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// What is wrong with a [`MailerConfig`]. No message contains the URL of the mail server, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The URL is not one of a mail server or a folder.
    #[error("the URL of the mail server begins with smtp://, smtps:// or file:")]
    Scheme,
    /// The URL cannot be used.
    #[error("the URL of the mail server {0}")]
    Url(&'static str),
    /// The system's certificates, by which the mail server is recognised, cannot be read.
    #[error("the system's certificates cannot be read")]
    Certificates,
    /// The folder for mails cannot be made.
    #[error("the folder for mails {path} cannot be made: {error}", path = .path.display())]
    Folder {
        /// Its path.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// The sender is none.
    #[error("the sender of mails is an address in ASCII, such as Lease <no-reply@example.com>")]
    From,
    /// Links cannot begin with the public address.
    #[error("the public address begins with http:// or https://, and has no user, password, query or fragment")]
    PublicUrl,
    /// The name of the platform is blank.
    #[error("the name of the platform is blank")]
    PlatformName,
    /// A template cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
}
