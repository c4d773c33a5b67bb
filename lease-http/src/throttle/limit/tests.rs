use chrono::TimeZone as _;

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
