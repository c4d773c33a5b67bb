//! The clock that superusers move (chapter 11).

use std::sync::Arc;

use chrono::{Duration, Months};
use lease_core::clock::{AdvanceError, Clock, ManualClock, TestClock, last_instant};

use crate::support::*;

/// A test clock over one that stands still at [`now`].
fn clock() -> (Arc<ManualClock>, TestClock) {
    let base = Arc::new(ManualClock::at(now()));
    (Arc::clone(&base), TestClock::over(base))
}

/// Rule 11.2: it runs on from where it was moved to.
#[test]
fn a_test_clock_runs_on_from_where_it_was_moved_to() {
    let (base, clock) = clock();
    assert_eq!(clock.now(), now());
    assert_eq!(clock.advance_by(Duration::days(30)), Ok(now() + Duration::days(30)));
    base.advance(tick());
    assert_eq!(clock.now(), now() + Duration::days(30) + tick());
    assert_eq!(clock.advance_to(now() + Duration::days(60)), Ok(now() + Duration::days(60)));
    base.advance(tick());
    assert_eq!(clock.now(), now() + Duration::days(60) + tick());
}

/// Rule 11.2: forward only, and ten years at most. A move that is refused leaves the clock where it was.
#[test]
fn a_test_clock_goes_forward_by_ten_years_at_most() {
    let (_, clock) = clock();
    let ten_years = now() + Months::new(120);
    assert_eq!(clock.advance_to(now() - tick()), Err(AdvanceError::Backward));
    assert_eq!(clock.advance_by(-tick()), Err(AdvanceError::Backward));
    assert_eq!(clock.advance_to(ten_years + tick()), Err(AdvanceError::TooFar));
    assert_eq!(clock.advance_by(Duration::MAX), Err(AdvanceError::TooFar));
    assert_eq!(clock.now(), now());
    assert_eq!(clock.advance_to(now()), Ok(now()));
    assert_eq!(clock.advance_to(ten_years), Ok(ten_years));
    assert_eq!(clock.advance_to(ten_years - tick()), Err(AdvanceError::Backward));
}

/// Rule 11.2: the clock ends with the calendar, also where it runs on.
#[test]
fn a_test_clock_ends_with_the_calendar() {
    let base = Arc::new(ManualClock::at(last_instant() - Duration::days(1)));
    let clock = TestClock::over(Arc::clone(&base) as _);
    assert_eq!(clock.advance_by(Duration::days(2)), Err(AdvanceError::PastTheEnd));
    assert_eq!(clock.advance_by(Duration::days(1)), Ok(last_instant()));
    base.advance(Duration::hours(1));
    assert_eq!(clock.now(), last_instant());
}

/// Nobody sees a fraction of a microsecond, which a store could not keep.
#[test]
fn a_test_clock_shows_microseconds() {
    let (_, clock) = clock();
    clock.advance_by(Duration::nanoseconds(1_999)).unwrap();
    assert_eq!(clock.now(), now() + tick());
}
