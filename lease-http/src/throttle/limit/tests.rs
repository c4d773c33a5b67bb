use chrono::TimeZone as _;

use super::attempts::{MAX_WAITING, SOON};
use super::*;

fn at(second: i64) -> DateTime<Utc> {
    Utc.timestamp_opt(1_700_000_000 + second, 0).unwrap()
}

#[test]
fn as_many_are_counted_as_are_allowed_in_any_minute() {
    let limit = Limit::new(3);
    for second in [0, 10, 20] {
        limit.count("a", at(second)).unwrap();
    }
    assert_eq!(limit.count("a", at(21)), Err(TooMany { retry_after: 39 }));
    // What was refused does not count.
    assert_eq!(limit.count("a", at(59)), Err(TooMany { retry_after: 1 }));
    limit.count("a", at(60)).unwrap();
    assert_eq!(limit.count("a", at(61)), Err(TooMany { retry_after: 9 }));
    limit.count("b", at(61)).unwrap();
}

#[test]
fn a_limit_of_zero_counts_nothing() {
    let limit = Limit::new(0);
    for _ in 0..100 {
        limit.count("a", at(0)).unwrap();
    }
    assert_eq!(limit.keys(), 0);
}

#[test]
fn memory_is_bounded_and_the_oldest_goes_first() {
    let limit = Limit::new(1);
    for number in 0..MAX_KEYS {
        limit.count(number, at(i64::from(number != 7))).unwrap();
    }
    limit.count(MAX_KEYS, at(2)).unwrap();
    assert_eq!(limit.keys(), MAX_KEYS);
    assert!(limit.count(8, at(2)).is_err());
    limit.count(7, at(2)).unwrap();

    // After all have expired.
    limit.count(MAX_KEYS + 1, at(100)).unwrap();
    assert_eq!(limit.keys(), 1);
}

/// Otherwise one client could fill a server with requests that wait.
#[tokio::test]
async fn the_number_of_those_who_wait_for_an_outcome_is_bounded() {
    let limit = Limit::new(2);
    let pending = [limit.begin("a", at(0)).await.unwrap(), limit.begin("a", at(0)).await.unwrap()];
    let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| Box::pin(limit.begin("a", at(0)))).collect();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for one in &mut waiting {
        assert!(one.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(limit.begin("a", at(0)).await.map(drop), Err(SOON));
    drop(pending);
    for one in waiting {
        drop(one.await.unwrap());
    }
    assert_eq!(limit.keys(), 0);
}

/// Rule 7.3: a clock that is set back leaves a limit closed for a minute, and no longer.
#[test]
fn a_limit_does_not_stay_closed_when_the_clock_is_set_back() {
    let limit = Limit::new(2);
    let later = at(0) + Duration::days(1);
    assert_eq!(limit.count("a", later), Ok(()));
    assert_eq!(limit.count("a", later), Ok(()));
    assert_eq!(limit.count("a", at(0)), Err(TooMany { retry_after: 60 }));
    assert_eq!(limit.count("a", at(59)), Err(TooMany { retry_after: 1 }));
    assert_eq!(limit.count("a", at(60)), Ok(()));
}

/// Nor do clients of a time that has not come yet take the room of those of now.
#[test]
fn what_was_counted_before_the_clock_was_set_back_makes_room() {
    let limit = Limit::new(1);
    for number in 0..MAX_KEYS {
        limit.count(number, at(0) + Duration::days(1)).unwrap();
    }
    for number in [MAX_KEYS, MAX_KEYS + 1] {
        limit.count(number, at(0)).unwrap();
        assert!(limit.count(number, at(1)).is_err());
    }
    assert_eq!(limit.keys(), 2);
}
