use std::error::Error;
use std::io;
use std::iter::successors;
use std::time::Duration;

use lease_core::input::Invalid;

/// Why there was no answer, in words for the operator of the endpoint. They contain neither a URL nor a secret.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The URL breaks a rule.
    #[error(transparent)]
    Url(Invalid),
    #[error("the request cannot be made")]
    Request,
    #[error("the secret cannot be read")]
    Secret,
    #[error("the name could not be resolved")]
    Name,
    #[error("the address is not public")]
    NotPublic,
    #[error("connection refused")]
    Refused,
    #[error("the address cannot be reached")]
    Unreachable,
    #[error("the certificate is not valid")]
    Certificate,
    #[error("no secure connection could be made")]
    Tls,
    #[error("the connection was closed without an answer")]
    Closed,
    #[error("the answer cannot be read")]
    Unreadable,
    #[error("no answer within {} seconds", .0.as_secs())]
    Late(Duration),
    #[error("the connection failed")]
    Other,
}

impl Failure {
    /// What an error of the HTTP client comes from.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        successors(Some(error), |error| cause(*error)).find_map(known).unwrap_or(Self::Other)
    }
}

/// The error that led to another one. An [`io::Error`] does not call the one inside it its source.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn known(error: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return Some(failure.clone());
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        let is_certificate = matches!(error, rustls::Error::InvalidCertificate(_));
        return Some(if is_certificate { Failure::Certificate } else { Failure::Tls });
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return match error {
            _ if error.is_parse() => Some(Failure::Unreadable),
            _ if error.is_incomplete_message() => Some(Failure::Closed),
            _ => None,
        };
    }
    match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionRefused => Some(Failure::Refused),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::TimedOut => {
            Some(Failure::Unreachable)
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => Some(Failure::Closed),
        _ => None,
    }
}
