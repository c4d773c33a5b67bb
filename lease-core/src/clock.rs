//! Time is an input: every decision is told what time it is, and the engine asks one [`Clock`].

use std::fmt::Debug;
use std::sync::Mutex;

use chrono::{DateTime, Duration, Utc};

/// Tells the time, in UTC.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The present instant, cut to microseconds: all that every backend keeps.
    fn now(&self) -> DateTime<Utc>;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn now(&self) -> DateTime<Utc> {
        to_micros(Utc::now())
    }
}

/// A clock that stands still until it is told to move: for tests of due dates, expiries and token lives.
///
/// ```
/// use chrono::{Duration, TimeZone, Utc};
/// use lease_core::clock::{Clock, ManualClock};
///
/// let clock = ManualClock::at(Utc.with_ymd_and_hms(2026, 2, 28, 23, 59, 59).unwrap());
/// clock.advance(Duration::seconds(1));
/// assert_eq!(clock.now().to_rfc3339(), "2026-03-01T00:00:00+00:00");
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn at(start: DateTime<Utc>) -> Self {
        Self(Mutex::new(to_micros(start)))
    }

    /// Shows `now` from here on.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.lock() = to_micros(now);
    }

    /// Moves the time on, or back where `by` is negative. Stays where it is past the end of the calendar.
    pub fn advance(&self, by: Duration) {
        let mut now = self.lock();
        *now = now.checked_add_signed(by).unwrap_or(*now);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, DateTime<Utc>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.lock()
    }
}

/// Cuts (never rounds up) to microseconds.
#[must_use]
pub fn to_micros(instant: DateTime<Utc>) -> DateTime<Utc> {
    // By way of the number: a leap second becomes the second after it, as every backend would read it back.
    DateTime::from_timestamp_micros(instant.timestamp_micros()).unwrap_or(instant)
}
