use chrono::TimeZone as _;

use super::*;

const WRONG: Result<(), Error> = Err(Error::InvalidCredentials);

fn at(second: i64) -> DateTime<Utc> {
    Utc.timestamp_opt(1_700_000_000 + second, 0).unwrap()
}

fn client(last: u8) -> ClientNetwork {
    ClientNetwork::of([10, 0, 0, last].into())
}

async fn fail(throttle: &LoginThrottle, name: &str, second: i64) -> Result<(), TooMany> {
    throttle.begin(Some(client(1)), Subject::Nobody(name), at(second)).await.map(|attempt| attempt.settle(&WRONG, at(second)))
}

async fn succeed(throttle: &LoginThrottle, name: &str, second: i64) -> Result<(), TooMany> {
    throttle.begin(Some(client(1)), Subject::Nobody(name), at(second)).await.map(|attempt| attempt.settle(&Ok(()), at(second)))
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
    assert!(throttle.begin(Some(client(2)), Subject::Nobody("ada"), at(0)).await.is_ok());
}

/// Trying one password on many names is limited, too.
#[tokio::test]
async fn a_client_may_fail_five_times_as_often_with_many_names_as_with_one() {
    let throttle = LoginThrottle::new(2);
    for number in 0..10 {
        fail(&throttle, &format!("name-{number}"), number).await.unwrap();
    }
    assert_eq!(fail(&throttle, "another", 10).await, Err(TooMany { retry_after: 50 }));
    assert!(throttle.begin(Some(client(2)), Subject::Nobody("another"), at(10)).await.is_ok());
    fail(&throttle, "another", 60).await.unwrap();
}

/// An own account does not let a client guess at others.
#[tokio::test]
async fn a_success_does_not_forget_the_failures_with_other_names() {
    let throttle = LoginThrottle::new(1);
    for number in 0..5 {
        fail(&throttle, &format!("name-{number}"), 0).await.unwrap();
        if number < 4 {
            succeed(&throttle, "mallory", 0).await.unwrap();
        }
    }
    assert!(fail(&throttle, "another", 0).await.is_err());
}

#[tokio::test]
async fn who_has_logged_in_from_here_before_is_let_in_whatever_others_do() {
    let throttle = LoginThrottle::new(1);
    succeed(&throttle, "ada", 0).await.unwrap();
    for number in 0..5 {
        fail(&throttle, &format!("name-{number}"), 1).await.unwrap();
    }
    assert!(succeed(&throttle, "bob", 2).await.is_err());
    succeed(&throttle, "ADA", 2).await.unwrap();
    // Failures with the name itself are counted all the same.
    fail(&throttle, "ada", 3).await.unwrap();
    assert!(succeed(&throttle, "ada", 3).await.is_err());
}

/// Nobody can lock others out of their accounts.
#[tokio::test]
async fn failures_from_other_addresses_do_not_lock_a_name() {
    let throttle = LoginThrottle::new(1);
    for other in 2..200 {
        throttle.begin(Some(client(other)), Subject::Nobody("ada"), at(0)).await.unwrap().settle(&WRONG, at(0));
    }
    succeed(&throttle, "ada", 0).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_parallel_tries_of_as_many_names_fail_no_more_often_than_allowed() {
    let throttle = LoginThrottle::new(2);
    let tries: Vec<_> = (0..100)
        .map(|number| {
            let throttle = throttle.clone();
            tokio::spawn(async move {
                let Ok(attempt) = throttle.begin(Some(client(1)), Subject::Nobody(&format!("name-{number}")), at(0)).await else {
                    return 0;
                };
                tokio::task::yield_now().await;
                attempt.settle(&WRONG, at(0));
                1
            })
        })
        .collect();
    let mut went = 0;
    for tried in tries {
        went += tried.await.unwrap();
    }
    assert_eq!(went, 10);
}

#[tokio::test]
async fn a_success_forgets_the_failures_before() {
    let throttle = LoginThrottle::new(2);
    for _ in 0..5 {
        fail(&throttle, "ada", 0).await.unwrap();
        succeed(&throttle, "ada", 0).await.unwrap();
    }
}

#[tokio::test]
async fn responses_that_do_not_judge_the_password_are_not_counted() {
    let throttle = LoginThrottle::new(1);
    for _ in 0..5 {
        drop(throttle.begin(Some(client(1)), Subject::Nobody("ada"), at(0)).await.unwrap());
        let away: Result<(), Error> = Err(Error::Unavailable("away".into()));
        throttle.begin(Some(client(1)), Subject::Nobody("ada"), at(0)).await.unwrap().settle(&away, at(0));
    }
    assert!(throttle.by_name.keys() + throttle.by_client.keys() == 0);
}

#[tokio::test]
async fn a_limit_of_zero_switches_throttling_off() {
    let throttle = LoginThrottle::new(0);
    for _ in 0..100 {
        fail(&throttle, "ada", 0).await.unwrap();
    }
    assert!(throttle.by_name.keys() + throttle.by_client.keys() == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_parallel_tries_fail_no_more_often_than_allowed() {
    let throttle = LoginThrottle::new(10);
    let tries: Vec<_> = (0..100)
        .map(|_| {
            let throttle = throttle.clone();
            tokio::spawn(async move {
                let Ok(attempt) = throttle.begin(Some(client(1)), Subject::Nobody("ada"), at(0)).await else { return false };
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
                let attempt = throttle.begin(Some(client(1)), Subject::Nobody("ada"), at(0)).await.unwrap();
                tokio::task::yield_now().await;
                attempt.settle(&Ok(()), at(0));
            })
        })
        .collect();
    for tried in tries {
        tried.await.unwrap();
    }
    assert!(throttle.by_name.keys() + throttle.by_client.keys() == 0);
}
