//! Whether the disk of Postgres was found full.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::error::DatabaseError;

/// A server that gets no requests because the disk is full could not find out that there is room again. So this is forgotten
/// after a while.
const REMEMBERED_FOR: Duration = Duration::from_mins(1);

/// Remembers the last write for which there was no room, until one succeeds.
#[derive(Debug, Default)]
pub(crate) struct Disk(Mutex<Option<Instant>>);

impl Disk {
    /// Notes an error that says that the disk is full (SQLSTATE 53100).
    pub(crate) fn note(&self, error: &sqlx::Error) {
        if error.as_database_error().and_then(DatabaseError::code).as_deref() == Some("53100") {
            self.set(Some(Instant::now()));
        }
    }

    pub(crate) fn took_a_write(&self) {
        self.set(None);
    }

    pub(crate) fn is_full(&self) -> bool {
        let found_full = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found_full.is_some_and(|at| at.elapsed() < REMEMBERED_FOR)
    }

    fn set(&self, found_full: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found_full;
    }
}
