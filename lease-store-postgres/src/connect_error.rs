//! What to do about a connection that cannot be made.

use std::io;

use sqlx::error::DatabaseError;

/// Why a connection to Postgres could not be made. The messages never contain the password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL has a role, a password, a database or an encryption that Postgres does not accept, or leads to a pooler that needs
    /// another [`PostgresOptions::pooler`](crate::PostgresOptions::pooler). This does not pass by itself.
    #[error("{}", refusal(.0))]
    Refused(#[source] sqlx::Error),
    /// Postgres, or the way to it, is down or has too much to do. This may pass by itself.
    #[error("{}", outage(.0))]
    Unavailable(#[source] sqlx::Error),
}

impl From<sqlx::Error> for ConnectError {
    fn from(error: sqlx::Error) -> Self {
        let is_refused = match &error {
            sqlx::Error::Configuration(_) | sqlx::Error::Tls(_) => true,
            sqlx::Error::Database(database) => matches!(code(&**database).as_ref(), "28000" | "28P01" | "3D000" | "42501"),
            _ => false,
        };
        if is_refused { Self::Refused(error) } else { Self::Unavailable(error) }
    }
}

fn code<'e>(error: &'e (dyn DatabaseError + 'static)) -> std::borrow::Cow<'e, str> {
    error.code().unwrap_or_default()
}

fn refusal(error: &sqlx::Error) -> String {
    let sqlx::Error::Database(database) = error else {
        return match error {
            sqlx::Error::Tls(_) => "no encrypted connection can be made (see sslmode in the URL)".to_owned(),
            other => other.to_string(),
        };
    };
    let said = database.message();
    match &*code(&**database) {
        "3D000" => format!("there is no such database ({said})"),
        "28P01" => format!("the password is wrong, or there is no such role ({said})"),
        "28000" if said.contains("pg_hba.conf") && said.contains("no encryption") => {
            format!(
                "pg_hba.conf does not let the role in without encryption: add sslmode=require to the URL, or a line there ({said})"
            )
        }
        "28000" if said.contains("pg_hba.conf") => format!("pg_hba.conf does not let the role in ({said})"),
        "28000" => format!("there is no such role, or it may not log in ({said})"),
        _ => format!("the role may not connect to the database ({said})"),
    }
}

fn outage(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::PoolTimedOut => "it has not responded in time".to_owned(),
        sqlx::Error::Database(database) if code(&**database) == "53300" => {
            format!("it has too many connections ({})", database.message())
        }
        sqlx::Error::Database(database) => database.message().to_owned(),
        sqlx::Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => "nothing listens at its address".to_owned(),
            // The wording of the standard library, which has no kind for this.
            _ if error.to_string().starts_with("failed to lookup address") => "the name of its host cannot be found".to_owned(),
            _ => format!("the connection broke ({error})"),
        },
        other => other.to_string(),
    }
}
