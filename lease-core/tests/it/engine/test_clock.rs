//! Moving the test clock (chapter 11) while the store fails, and under idempotency keys.

use chrono::Duration;
use lease_core::clock::{Clock as _, TestClock};
use lease_core::engine::{AdvanceDraft, Maintenance};
use lease_core::repository::{Guarantee, MockRepository};

use super::*;

fn a_day() -> AdvanceDraft {
    draft(json!({"seconds": 86_400}))
}

fn in_a_day() -> AdvanceDraft {
    draft(json!({"to": tomorrow()}))
}

fn tomorrow() -> chrono::DateTime<chrono::Utc> {
    now() + Duration::days(1)
}

/// An engine with a test clock over one that stands still at [`now`].
fn engine(store: MockRepository) -> (Arc<TestClock>, LeaseEngine) {
    let clock = Arc::new(TestClock::over(Arc::new(ManualClock::at(now()))));
    let builder = LeaseEngine::builder(Arc::new(store), Arc::new(a_gateway()));
    (Arc::clone(&clock), builder.test_clock(clock).build().unwrap())
}

/// A store with nothing to do in the background, after it was unavailable for some rounds.
fn idle_after(failures: usize) -> MockRepository {
    let mut store = MockRepository::new();
    store.expect_payments_under_way().times(failures).returning(|_, _, _, _| Err(unavailable()));
    store.expect_payments_under_way().returning(|_, _, _, _| Ok(Vec::new()));
    store.expect_pending_refunds().returning(|_, _, _| Ok(Vec::new()));
    store.expect_expired_proposals().returning(|_, _, _| Ok(Vec::new()));
    store.expect_overdue_invoices().returning(|_, _, _| Ok(Vec::new()));
    store.expect_place_events().returning(|_| Ok(0));
    store.expect_purge_tokens().returning(|_, _| Ok(0));
    store.expect_purge_claims().returning(|_, _| Ok(0));
    store.expect_purge_refused_cards().returning(|_, _| Ok(0));
    store.expect_purge_deliveries().returning(|_, _| Ok(0));
    store.expect_purge_mails().returning(|_, _| Ok(0));
    store.expect_last_event().returning(|| Ok(None));
    store
}

async fn advance(engine: &LeaseEngine, context: impl Into<RequestContext>, draft: &AdvanceDraft) -> &'static str {
    code(engine.advance_test_clock(context, draft, &Maintenance::default()).await)
}

/// Rule 11.2: the client cannot know that the clock has moved, and sends the request again.
#[tokio::test]
async fn a_move_whose_work_failed_is_not_made_again_under_its_key() {
    for draft in [a_day(), in_a_day()] {
        let mut store = idle_after(2);
        store.expect_renew_claim().returning(|_, _, _| Ok(()));
        let (clock, engine) = engine(store);
        for response in ["unavailable", "unavailable", "ok"] {
            assert_eq!(advance(&engine, claimed(superuser()), &draft).await, response);
            assert_eq!(clock.now(), tomorrow());
        }
        // Another move under the same key, which is free after a 503, is another request.
        assert_eq!(advance(&engine, claimed(superuser()), &self::draft(json!({"seconds": 1}))).await, "ok");
        assert_eq!(clock.now(), tomorrow() + Duration::seconds(1));
    }
}

/// Without a key, each request is another one.
#[tokio::test]
async fn without_a_key_a_move_is_made_again() {
    let (clock, engine) = engine(idle_after(1));
    assert_eq!(advance(&engine, superuser(), &a_day()).await, "unavailable");
    assert_eq!(advance(&engine, superuser(), &a_day()).await, "ok");
    assert_eq!(clock.now(), now() + Duration::days(2));
}

/// Rule 11.3: the record is kept for a day from where the clock goes, from before it goes there.
#[tokio::test]
async fn the_record_of_a_move_is_kept_before_the_clock_moves() {
    let mut store = idle_after(0);
    let renewals = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&renewals);
    store.expect_renew_claim().returning(move |claim, held_until, kept_until| {
        assert_eq!(*claim, CLAIM);
        noted.lock().unwrap().push((held_until, kept_until));
        Ok(())
    });
    let (_, engine) = engine(store);
    assert_eq!(advance(&engine, claimed(superuser()), &a_day()).await, "ok");
    let (soon, day) = (Duration::seconds(3), Duration::days(1));
    assert_eq!(*renewals.lock().unwrap(), [(now() + soon, tomorrow() + day), (tomorrow() + soon, tomorrow() + day)]);
}

/// Rule 6.7: a request that has lost its key moves nothing.
#[tokio::test]
async fn a_request_that_lost_its_key_does_not_move_the_clock() {
    let mut store = MockRepository::new();
    store.expect_renew_claim().times(1).returning(|_, _, _| Err(RepositoryError::Taken(Guarantee::Claim)));
    let (clock, engine) = engine(store);
    assert_eq!(advance(&engine, claimed(superuser()), &a_day()).await, "idempotency_key_in_use");
    assert_eq!(clock.now(), now());
}

/// Rule 11.1: an engine whose clock is not said to be movable has none, also where it is a test clock.
#[tokio::test]
async fn a_clock_is_moved_only_where_the_app_says_so() {
    let clock = Arc::new(TestClock::default());
    let builder = LeaseEngine::builder(Arc::new(MockRepository::new()), Arc::new(a_gateway()));
    let fixed = builder.test_clock(Arc::clone(&clock)).clock(clock).build().unwrap();
    assert!(!fixed.has_test_clock());
    assert_eq!(advance(&fixed, superuser(), &a_day()).await, "not_found");
    assert_eq!(code(fixed.read_test_clock(&superuser())), "not_found");
}
