//! Time is an input: every decision is told what time it is, and the engine asks one [`Clock`].
//!
//! # Which side of the instant
//!
//! Instants have microseconds, days are days in UTC: neither the server's zone nor a summer time plays a part. What ends at
//! an instant has ended *at* it; what is good for a day is good to the day's last microsecond.
//!
//! | what | is so until | is over from |
//! | --- | --- | --- |
//! | a proposal's `expires_at` | the microsecond before | that instant on ([`Proposal::state_at`](crate::model::Proposal::state_at)) |
//! | an invoice's `due_date` | the end of that day | the midnight after ([`Invoice::is_overdue`](crate::model::Invoice::is_overdue)) |
//! | a card's `exp_month` | the end of the month's last day | the midnight after ([`CreditCard::is_usable`](crate::model::CreditCard::is_usable)) |
//! | a token | the microsecond before `expires_at` | that instant on ([`session`](crate::account::session)) |
//! | an idempotency record, and a claim that had no effect | the microsecond before its end | that instant on ([`claim`](crate::repository::IdempotencyRepository::claim)) |
//! | agreed days | the day before `end_date` | `end_date`, on which the next may start ([`Period`](crate::model::Period)) |
//! | a sale that waits for a lease to end | the day before `end_date` | `end_date` ([`ProposalView`](crate::lifecycle::ProposalView)) |
//!
//! A date of birth lies before today; a model year reaches to the year after this one. What comes in with more digits than
//! microseconds is cut, never rounded up, before it is looked at. Years have four digits, from 0001 to 9999, as RFC 3339
//! writes them: others are refused, and what would be due or expire later is so at the end of them ([`last_instant`]).

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

/// The last instant there is: the end of the year 9999.
#[must_use]
pub fn last_instant() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(253_402_300_799_999_999).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Cuts (never rounds up) to microseconds.
#[must_use]
pub fn to_micros(instant: DateTime<Utc>) -> DateTime<Utc> {
    // By way of the number: a leap second becomes the second after it, as every backend would read it back.
    DateTime::from_timestamp_micros(instant.timestamp_micros()).unwrap_or(instant)
}
