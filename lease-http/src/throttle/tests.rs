use chrono::TimeZone as _;

use super::*;

const WRONG: Result<(), Error> = Err(Error::InvalidCredentials);

fn at(second: i64) -> DateTime<Utc> {
    Utc.timestamp_opt(1_700_000_000 + second, 0).unwrap()
}

fn client(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

async fn fail(throttle: &LoginThrottle, name: &str, second: i64) -> Result<(), TooMany> {
    throttle.begin(client(1), name, at(second)).await.map(|attempt| attempt.settle(&WRONG, at(second)))
}

#[tokio::test]
async fn as_many_may_fail_as_are_allowed_in_any_minute() {
    let throttle = LoginThrottle::new(3);
    for second in [0, 10, 20] {
        fail(&throttle, "ada", second).await.unwrap();
    }
    assert_eq!(fail(&throttle, "ada", 21).await, Err(TooMany { retry_after: 39 }));
    assert_eq!(fail(&throttle, "ada", 59).await, Err(TooMany { retry_after: 1 }));
    fail(&throttle, "ada", 60).await.unwrap();
    assert_eq!(fail(&throttle, "ada", 61).await, Err(TooMany { retry_after: 9 }));
}

#[tokio::test]
async fn addresses_and_names_are_counted_apart_but_letter_case_is_not() {
    let throttle = LoginThrottle::new(1);
    fail(&throttle, "ada", 0).await.unwrap();
    assert!(fail(&throttle, " ADA ", 0).await.is_err());
    fail(&throttle, "bob", 0).await.unwrap();
    assert!(throttle.begin(client(2), "ada", at(0)).await.is_ok());
}

#[tokio::test]
async fn a_network_of_64_bits_is_one_client() {
    let throttle = LoginThrottle::new(1);
    let begin = async |address: &str| throttle.begin(address.parse().unwrap(), "ada", at(0)).await;
    begin("2001:db8::1").await.unwrap().settle(&WRONG, at(0));
    assert!(begin("2001:db8::2").await.is_err());
    assert!(begin("2001:db8:0:1::1").await.is_ok());
}

#[tokio::test]
async fn a_success_forgets_the_failures_before() {
    let throttle = LoginThrottle::new(2);
    for _ in 0..5 {
        fail(&throttle, "ada", 0).await.unwrap();
        throttle.begin(client(1), "ada", at(0)).await.unwrap().settle(&Ok(()), at(0));
    }
}

#[tokio::test]
async fn responses_that_do_not_judge_the_password_are_not_counted() {
    let throttle = LoginThrottle::new(1);
    for _ in 0..5 {
        drop(throttle.begin(client(1), "ada", at(0)).await.unwrap());
        let away: Result<(), Error> = Err(Error::Unavailable("away".into()));
        throttle.begin(client(1), "ada", at(0)).await.unwrap().settle(&away, at(0));
    }
    assert!(throttle.lock().is_empty());
}

#[tokio::test]
async fn a_limit_of_zero_switches_throttling_off() {
    let throttle = LoginThrottle::new(0);
    for _ in 0..100 {
        fail(&throttle, "ada", 0).await.unwrap();
    }
    assert!(throttle.lock().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_parallel_tries_fail_no_more_often_than_allowed() {
    let throttle = LoginThrottle::new(10);
    let tries: Vec<_> = (0..100)
        .map(|_| {
            let throttle = throttle.clone();
            tokio::spawn(async move {
                let Ok(attempt) = throttle.begin(client(1), "ada", at(0)).await else { return false };
                tokio::task::yield_now().await;
                attempt.settle(&WRONG, at(0));
                true
            })
        })
        .collect();
    let mut went = 0;
    for tried in tries {
        went += usize::from(tried.await.unwrap());
    }
    assert_eq!(went, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_parallel_logins_with_the_right_password_all_go() {
    let throttle = LoginThrottle::new(3);
    let tries: Vec<_> = (0..100)
        .map(|_| {
            let throttle = throttle.clone();
            tokio::spawn(async move {
                let attempt = throttle.begin(client(1), "ada", at(0)).await.unwrap();
                tokio::task::yield_now().await;
                attempt.settle(&Ok(()), at(0));
            })
        })
        .collect();
    for tried in tries {
        tried.await.unwrap();
    }
    assert!(throttle.lock().is_empty());
}

#[tokio::test]
async fn memory_is_bounded_and_the_oldest_failure_goes_first() {
    let throttle = LoginThrottle::new(1);
    for number in 0..MAX_ENTRIES {
        fail(&throttle, &number.to_string(), i64::from(number != 7)).await.unwrap();
    }
    fail(&throttle, "one more", 2).await.unwrap();
    assert_eq!(throttle.lock().len(), MAX_ENTRIES);
    assert!(fail(&throttle, "8", 2).await.is_err());
    fail(&throttle, "7", 2).await.unwrap();

    fail(&throttle, "after all expired", 100).await.unwrap();
    assert_eq!(throttle.lock().len(), 1);
}
