//! Time is an input: every decision gets the present instant as an argument, which the engine reads from one [`Clock`].
//!
//! # When things end
//!
//! Instants have a precision of microseconds, and days are days in UTC: neither the server's time zone nor daylight-saving time
//! matters. Something that ends at an instant has already ended *at* that instant; something that is valid for a day is valid
//! through the last microsecond of the day.
//!
//! | what | valid through | over from |
//! | --- | --- | --- |
//! | a proposal's `expires_at` | the microsecond before | that instant on ([`Proposal::state_at`](crate::model::Proposal::state_at)) |
//! | an invoice's `due_date` | the end of that day | the midnight after ([`Invoice::is_overdue`](crate::model::Invoice::is_overdue)) |
//! | a card's `exp_month` | the end of the month's last day | the midnight after ([`CreditCard::is_usable`](crate::model::CreditCard::is_usable)) |
//! | a token | the microsecond before `expires_at` | that instant on ([`session`](crate::account::session)) |
//! | an idempotency record, and a claim under which nothing was done | the microsecond before its end | that instant on ([`claim`](crate::repository::IdempotencyRepository::claim)) |
//! | agreed days | the day before `end_date` | `end_date`, on which the next period may start ([`Period`](crate::model::Period)) |
//! | a lease that prevents a sale | the day before `end_date` | `end_date` ([`ProposalView`](crate::lifecycle::ProposalView)) |
//!
//! A date of birth must be before today; a model year may be at most next year. Input that is more precise than microseconds is
//! truncated, never rounded up, before it is validated. Years have four digits, from 0001 to 9999, as in RFC 3339: other years
//! are refused, and anything that would be due or expire later does so at the end of the year 9999 ([`last_instant`]).

mod test_clock;

use std::fmt::Debug;
use std::sync::Mutex;

use chrono::{DateTime, Duration, Utc};

pub(crate) use test_clock::check_advance;
pub use test_clock::{AdvanceError, TestClock};

/// A source of the present time, in UTC.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The present instant, truncated to microseconds, the precision that every backend can store.
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

/// A clock that moves only when it is told to, for tests of due dates and of expiry. A [`TestClock`] runs on by itself.
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
    /// A clock that is set to `start`.
    #[must_use]
    pub fn at(start: DateTime<Utc>) -> Self {
        Self(Mutex::new(to_micros(start)))
    }

    /// Sets the clock to `now`.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.lock() = to_micros(now);
    }

    /// Moves the time forward, or back if `by` is negative. The time stays the same if it would leave the calendar.
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

/// The last instant of the calendar: the end of the year 9999.
#[must_use]
pub fn last_instant() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(253_402_300_799_999_999).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Truncates an instant to microseconds; never rounds up.
#[must_use]
pub fn to_micros(instant: DateTime<Utc>) -> DateTime<Utc> {
    // Converted by way of the timestamp, so that a leap second becomes the second after it, as when a backend reads it back.
    DateTime::from_timestamp_micros(instant.timestamp_micros()).unwrap_or(instant)
}
