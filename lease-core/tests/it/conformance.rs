//! Tests of the conformance suite itself.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lease_core::conformance::{FreshRepository, Handles, run};
use lease_core::repository::MockRepository;

#[test]
fn the_clean_up_runs_after_a_failure_too() {
    let happened = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&happened);
    let fresh =
        async || FreshRepository::new(MockRepository::new()).with_cleanup(async move { flag.store(true, Ordering::SeqCst) });
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| run(fresh, async |_: Handles| panic!("the case fails"))));
    assert!(outcome.is_err());
    assert!(happened.load(Ordering::SeqCst));
}
