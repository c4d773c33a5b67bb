//! Where the rows come from.

mod dump;
mod sql;

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use crate::rows::Rows;

/// Where the data of a Django Lease API is. `Debug` does not show the address of a database.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file that `manage.py dumpdata` wrote, as JSON in UTF-8 or UTF-16.
    Dump(PathBuf),
    /// A PostgreSQL database, by its URL.
    Postgres(SecretString),
    /// A file of SQLite, by its URL, such as `sqlite:db.sqlite3`.
    Sqlite(SecretString),
}

impl Source {
    /// The database at a URL.
    ///
    /// # Errors
    /// [`SourceError::Url`] unless it begins with `postgres://`, `postgresql://` or `sqlite:`.
    pub fn at(url: SecretString) -> Result<Self, SourceError> {
        let begins = |scheme| url.expose_secret().starts_with(scheme);
        if begins("postgres://") || begins("postgresql://") {
            Ok(Self::Postgres(url))
        } else if begins("sqlite:") {
            Ok(Self::Sqlite(url))
        } else {
            Err(SourceError::Url)
        }
    }

    /// Reads all rows. Nothing is written; the rows of a database are those of one instant.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn read(&self) -> Result<Rows, SourceError> {
        match self {
            Self::Dump(path) => dump::parse(&tokio::fs::read(path).await?),
            Self::Postgres(url) => sql::read_postgres(url.expose_secret()).await,
            Self::Sqlite(url) => sql::read_sqlite(url.expose_secret()).await,
        }
    }
}

/// The reason why a source cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The URL is of no kind of database that can be read.
    #[error("a URL is required that begins with postgres:// or sqlite:")]
    Url,
    /// The file cannot be read.
    #[error("the file cannot be read")]
    File(#[from] std::io::Error),
    /// The file is neither UTF-8 nor, with a byte order mark, UTF-16.
    #[error("the file is neither UTF-8 nor UTF-16")]
    Encoding,
    /// The file is no dump.
    #[error("the file is not what dumpdata writes as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// There is nothing of a Django Lease API.
    #[error("there are neither rows nor tables of a Django Lease API")]
    Foreign,
    /// The database cannot be read.
    #[error("the database cannot be read")]
    Database(#[from] sqlx::Error),
}
