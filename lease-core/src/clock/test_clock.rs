use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Duration, Months, Utc};

use super::{Clock, SystemClock, last_instant, to_micros};

/// The furthest that the clock goes at a time (rule 11.2): ten years.
const FURTHEST: Months = Months::new(120);

/// A clock to try out what time brings: another clock, the system's by default, that can be moved forward and runs on from there.
///
/// Use it where an app or its users go on meanwhile: with either store, in a running server. A [`ManualClock`](super::ManualClock)
/// stands still and can be set to any instant: use that for tests that compare instants.
///
/// ```
/// use std::sync::Arc;
/// use chrono::Duration;
/// use lease_core::clock::{Clock, TestClock};
///
/// # fn main() -> Result<(), lease_core::clock::AdvanceError> {
/// let clock = Arc::new(TestClock::default());
/// // LeaseEngine::builder(store, gateway).clock(clock.clone()).build()
/// let before = clock.now();
/// clock.advance_by(Duration::days(30))?;
/// assert!(clock.now() >= before + Duration::days(30));
/// assert!(clock.advance_to(before).is_err(), "it only goes forward");
/// # Ok(())
/// # }
/// ```
///
/// After it has moved, [`catch_up`](crate::LeaseEngine::catch_up) does at once what has come due. Each clock is for one process:
/// others that share a database with it go by their own.
#[derive(Debug)]
pub struct TestClock {
    base: Arc<dyn Clock>,
    ahead: Mutex<Duration>,
}

impl TestClock {
    /// A clock that starts at the time of this one, and runs like it.
    #[must_use]
    pub fn over(base: Arc<dyn Clock>) -> Self {
        Self { base, ahead: Mutex::new(Duration::zero()) }
    }

    /// Moves the clock forward by this much. Returns the new time.
    ///
    /// # Errors
    /// [`AdvanceError`]; the clock is then where it was.
    pub fn advance_by(&self, by: Duration) -> Result<DateTime<Utc>, AdvanceError> {
        self.advance(|now| now.checked_add_signed(by).ok_or(AdvanceError::TooFar))
    }

    /// Moves the clock forward to this instant. Returns the new time.
    ///
    /// # Errors
    /// [`AdvanceError`]; the clock is then where it was.
    pub fn advance_to(&self, to: DateTime<Utc>) -> Result<DateTime<Utc>, AdvanceError> {
        self.advance(|_| Ok(to))
    }

    fn advance(
        &self,
        target: impl FnOnce(DateTime<Utc>) -> Result<DateTime<Utc>, AdvanceError>,
    ) -> Result<DateTime<Utc>, AdvanceError> {
        let mut ahead = self.lock();
        let now = self.after(*ahead);
        let to = to_micros(target(now)?);
        check_advance(now, to)?;
        *ahead += to - now;
        Ok(to)
    }

    fn after(&self, ahead: Duration) -> DateTime<Utc> {
        self.base.now().checked_add_signed(ahead).map_or_else(last_instant, |now| now.min(last_instant()))
    }

    fn lock(&self) -> MutexGuard<'_, Duration> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Over the system's clock.
impl Default for TestClock {
    fn default() -> Self {
        Self::over(Arc::new(SystemClock))
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        let ahead = *self.lock();
        self.after(ahead)
    }
}

/// Succeeds if a test clock may go from one instant to the other (rule 11.2).
pub(crate) fn check_advance(now: DateTime<Utc>, to: DateTime<Utc>) -> Result<(), AdvanceError> {
    let furthest = now.checked_add_months(FURTHEST);
    if to < now {
        Err(AdvanceError::Backward)
    } else if furthest.is_some_and(|furthest| to > furthest) {
        Err(AdvanceError::TooFar)
    } else if to > last_instant() {
        Err(AdvanceError::PastTheEnd)
    } else {
        Ok(())
    }
}

/// The reason why a [`TestClock`] does not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr, strum::VariantNames, serde::Serialize)]
#[strum(serialize_all = "snake_case")]
#[serde(tag = "code", content = "params", rename_all = "snake_case")]
pub enum AdvanceError {
    /// It would go backward.
    #[error("The clock only goes forward.")]
    Backward,
    /// It would go further than ten years at a time.
    #[error("The clock goes forward by ten years at most at a time.")]
    TooFar,
    /// It would pass the end of the calendar.
    #[error("The clock ends with the year 9999.")]
    PastTheEnd,
}
