//! The parts of a race: tasks that start together, and counts of their outcomes.

use std::fmt::Debug;
use std::sync::Arc;

use tokio::sync::Barrier;

use crate::repository::{Guarantee, RepositoryError};

pub(super) const ROUNDS: u8 = 20;

pub(super) const RACERS: u8 = 6;

/// Runs each future on a task of its own; all tasks start at once.
pub(super) async fn together<T, F>(racers: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let racers: Vec<F> = racers.into_iter().collect();
    let barrier = Arc::new(Barrier::new(racers.len()));
    let started = racers.into_iter().map(|racer| {
        let barrier = Arc::clone(&barrier);
        tokio::spawn(async move {
            barrier.wait().await;
            racer.await
        })
    });
    let started: Vec<_> = started.collect();
    let mut results = Vec::new();
    for task in started {
        results.push(task.await.unwrap());
    }
    results
}

/// The counts of the outcomes of a race.
#[derive(Debug, PartialEq)]
struct Tally {
    won: usize,
    conflicts: usize,
    taken: usize,
}

/// Counts the outcomes; anything but a success, a conflict and this guarantee is a failure.
fn tally<T: Debug>(results: &[Result<T, RepositoryError>], guarantee: Guarantee) -> Tally {
    let mut tally = Tally { won: 0, conflicts: 0, taken: 0 };
    for result in results {
        match result {
            Ok(_) => tally.won += 1,
            Err(RepositoryError::Conflict) => tally.conflicts += 1,
            Err(RepositoryError::Taken(which)) if *which == guarantee => tally.taken += 1,
            Err(other) => panic!("a race for {guarantee} ended in {other:?}"),
        }
    }
    tally
}

/// Asserts that one won, and that all others were refused because of this guarantee.
pub(super) fn assert_one_took<T: Debug>(results: &[Result<T, RepositoryError>], guarantee: Guarantee) {
    let tally = tally(results, guarantee);
    assert_eq!(tally, Tally { won: 1, conflicts: 0, taken: results.len() - 1 });
}

/// Asserts that one won. The others' version is stale too, so both a conflict and this guarantee are right.
pub(super) fn assert_one_won<T: Debug>(results: &[Result<T, RepositoryError>], guarantee: Guarantee) {
    let tally = tally(results, guarantee);
    assert_eq!((tally.won, tally.conflicts + tally.taken), (1, results.len() - 1), "{tally:?}");
}

/// Asserts that one won, and that all others were refused because their version is stale.
pub(super) fn assert_others_conflict<T: Debug>(results: &[Result<T, RepositoryError>]) {
    let conflicts = results.iter().filter(|result| matches!(result, Err(RepositoryError::Conflict))).count();
    assert_eq!((results.iter().flatten().count(), conflicts), (1, results.len() - 1), "{results:?}");
}
