//! Translates errors of the driver into errors of the core.

use lease_core::repository::RepositoryError;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use tokio::time::error::Elapsed;

use crate::constraint::{self, Broken};

/// The response to an error.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Postgres rolled the statement back in favour of another one; it can be run again.
    Lost,
    /// The connection broke, or is of no use any more. The statement may have been carried out.
    Disconnected(sqlx::Error),
    /// Postgres has not responded in time. The statement may have been carried out.
    Silent(Elapsed),
    /// Running it again would not help.
    Final(RepositoryError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => match of_database(database.as_ref()) {
                Verdict::Lost => Self::Lost,
                Verdict::Disconnected => Self::Disconnected(error),
                Verdict::GaveUp => Self::Final(RepositoryError::Unavailable(Box::new(error))),
                Verdict::Broken(Broken::Conflict) => Self::Final(RepositoryError::Conflict),
                Verdict::Broken(Broken::Guarantee(guarantee)) => Self::Final(RepositoryError::Taken(guarantee)),
                Verdict::Fault(fault) => Self::Final(RepositoryError::Internal(fault.into())),
            },
            // A protocol error means that the connection ended in the middle of a response.
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
                Self::Disconnected(error)
            }
            _ => Self::Final(RepositoryError::Internal(Box::new(error))),
        }
    }
}

impl From<Failure> for RepositoryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost => Self::Conflict,
            Failure::Disconnected(error) => Self::Unavailable(Box::new(error)),
            Failure::Silent(silence) => Self::Unavailable(Box::new(silence)),
            Failure::Final(error) => error,
        }
    }
}

enum Verdict {
    Lost,
    Disconnected,
    GaveUp,
    Broken(Broken),
    Fault(String),
}

fn of_database(error: &(dyn DatabaseError + 'static)) -> Verdict {
    let code = error.code().unwrap_or_default();
    match &*code {
        _ if ends_the_connection(error) => Verdict::Disconnected,
        // Serialisation failure and deadlock.
        "40001" | "40P01" => Verdict::Lost,
        // A process that helped with the statement was shut down or crashed; a server or a session only reads, while another
        // connection may lead to one that writes again; a prepared statement's columns have another type now.
        "57P01" | "57P02" | "25006" | "0A000" => Verdict::Disconnected,
        // Statement or lock timeout.
        "57014" | "55P03" => Verdict::GaveUp,
        // A full disk or memory.
        code if code.starts_with("53") => Verdict::GaveUp,
        code if code.starts_with("08") => Verdict::Disconnected,
        code => match error.constraint().map(|name| (name, constraint::meaning(name))) {
            Some((_, Some(broken))) => Verdict::Broken(broken),
            // The message and the detail from Postgres may quote values; the code and the constraint's name do not.
            Some((name, None)) => Verdict::Fault(format!("constraint {name} refused the change (SQLSTATE {code})")),
            None => Verdict::Fault(format!("SQLSTATE {code}")),
        },
    }
}

fn ends_the_connection(error: &(dyn DatabaseError + 'static)) -> bool {
    let error = error.try_downcast_ref::<PgDatabaseError>();
    error.is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic))
}
