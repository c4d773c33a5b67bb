//! A limit on how often something may happen in any minute, for each key.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Duration, Utc};
use tokio::sync::Notify;

use crate::problem::{Problem, seconds_up};

/// The time for which an event counts.
pub(super) const WINDOW: Duration = Duration::minutes(1);
/// How many attempts may wait for the outcomes of others, for each key: they keep their connections.
const MAX_WAITING: usize = 100;
/// The maximum number of keys, so that memory is bounded.
pub(super) const MAX_KEYS: usize = 10_000;

/// Counts events. Cheap to clone; clones share the counts.
#[derive(Debug)]
pub(super) struct Limit<K> {
    most: usize,
    entries: Arc<Mutex<HashMap<K, Entry>>>,
}

impl<K> Clone for Limit<K> {
    fn clone(&self) -> Self {
        Self { most: self.most, entries: Arc::clone(&self.entries) }
    }
}

#[derive(Debug, Default)]
struct Entry {
    /// The times of the events within the window, oldest first.
    counted: VecDeque<DateTime<Utc>>,
    /// The number of attempts of which it is not yet known whether they count.
    running: usize,
    /// Wakes the tasks that wait for an outcome.
    settled: Arc<Notify>,
}

/// The limit has been reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// The number of seconds until another attempt is allowed.
    pub(crate) retry_after: u64,
}

/// Those who wait will soon know.
const SOON: TooMany = TooMany { retry_after: 1 };

impl From<TooMany> for Problem {
    fn from(too_many: TooMany) -> Self {
        Self::throttled(too_many.retry_after)
    }
}

enum Verdict {
    Go,
    Wait(Arc<Notify>),
    No(TooMany),
}

impl<K: Copy + Eq + Hash> Limit<K> {
    /// A limit of this many events a minute; 0 for no limit.
    pub(super) fn new(most: u32) -> Self {
        Self { most: most.try_into().unwrap_or(usize::MAX), entries: Arc::default() }
    }

    /// Counts an event, unless the limit has been reached.
    ///
    /// # Errors
    /// [`TooMany`] if it has.
    pub(super) fn count(&self, key: K, now: DateTime<Utc>) -> Result<(), TooMany> {
        if self.most == 0 {
            return Ok(());
        }
        let mut entries = self.lock();
        let entry = entry(&mut entries, key, now);
        entry.allows_one_more(self.most, now)?;
        entry.counted.push_back(now);
        Ok(())
    }

    /// Begins an attempt that may turn out to count. If the pending attempts could reach the limit, it waits for their outcomes. So
    /// parallel attempts cannot exceed the limit, and one that does not count is not refused because of the others, unless very many
    /// wait.
    ///
    /// # Errors
    /// [`TooMany`] if the limit has been reached, or too many wait already.
    pub(super) async fn begin(&self, key: K, now: DateTime<Utc>) -> Result<Pending<K>, TooMany> {
        let begun = || Pending { limit: self.clone(), key, counts_at: None, forgets: false };
        loop {
            let settled = match self.decide(key, now, 0) {
                Verdict::Go => return Ok(begun()),
                Verdict::No(too_many) => return Err(too_many),
                Verdict::Wait(settled) => settled,
            };
            let mut outcome = std::pin::pin!(settled.notified());
            outcome.as_mut().enable();
            // An outcome between the decision and the line above would wake nobody, so check again before waiting.
            match self.decide(key, now, 1) {
                Verdict::Go => return Ok(begun()),
                Verdict::No(too_many) => return Err(too_many),
                Verdict::Wait(again) => {
                    // A task that waits holds one clone.
                    drop(again);
                    outcome.await;
                }
            }
        }
    }

    /// `waits` is 1 for an attempt that is about to wait, and else 0.
    fn decide(&self, key: K, now: DateTime<Utc>, waits: usize) -> Verdict {
        if self.most == 0 {
            return Verdict::Go;
        }
        let mut entries = self.lock();
        let entry = entry(&mut entries, key, now);
        if let Err(too_many) = entry.allows_one_more(self.most, now) {
            return Verdict::No(too_many);
        }
        if entry.counted.len() + entry.running >= self.most {
            return if entry.waiting() < MAX_WAITING + waits {
                Verdict::Wait(Arc::clone(&entry.settled))
            } else {
                Verdict::No(SOON)
            };
        }
        entry.running += 1;
        Verdict::Go
    }

    fn settle(&self, attempt: &Pending<K>) {
        let mut entries = self.lock();
        let Some(entry) = entries.get_mut(&attempt.key) else { return };
        entry.running = entry.running.saturating_sub(1);
        if attempt.forgets {
            entry.counted.clear();
        }
        entry.counted.extend(attempt.counts_at);
        entry.settled.notify_waiters();
        if entry.counted.is_empty() && entry.running == 0 && entry.waiting() == 0 {
            entries.remove(&attempt.key);
        }
    }

    /// Whether the limit leaves room for one more attempt.
    ///
    /// # Errors
    /// [`TooMany`] if it has been reached.
    pub(super) fn check(&self, key: K, now: DateTime<Utc>) -> Result<(), TooMany> {
        let mut entries = self.lock();
        entries.get_mut(&key).filter(|_| self.most > 0).map_or(Ok(()), |entry| entry.allows_one_more(self.most, now))
    }

    /// The number of keys for which something counts or is pending.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt of which it is not yet known whether it counts. If it is dropped, it does not.
#[derive(Debug)]
#[must_use]
pub(super) struct Pending<K: Copy + Eq + Hash> {
    limit: Limit<K>,
    key: K,
    counts_at: Option<DateTime<Utc>>,
    forgets: bool,
}

impl<K: Copy + Eq + Hash> Pending<K> {
    /// Ends the attempt, which counts.
    pub(super) fn count(mut self, now: DateTime<Utc>) {
        self.counts_at = Some(now);
    }

    /// Ends the attempt, which does not count, and no earlier one does any longer.
    pub(super) fn forget(mut self) {
        self.forgets = true;
    }
}

impl<K: Copy + Eq + Hash> Drop for Pending<K> {
    fn drop(&mut self) {
        if self.limit.most > 0 {
            self.limit.settle(self);
        }
    }
}

impl Entry {
    /// The number of tasks that wait for an outcome: each holds a clone of the `Notify`.
    fn waiting(&self) -> usize {
        Arc::strong_count(&self.settled) - 1
    }

    fn allows_one_more(&mut self, most: usize, now: DateTime<Utc>) -> Result<(), TooMany> {
        // A clock that was set back must not leave a limit closed: what it has counted then counts from now on.
        for counted in self.counted.iter_mut().rev().take_while(|counted| **counted > now + WINDOW) {
            *counted = now;
        }
        while self.counted.front().is_some_and(|counted| *counted + WINDOW <= now) {
            self.counted.pop_front();
        }
        match self.counted.front() {
            Some(oldest) if self.counted.len() >= most => Err(TooMany { retry_after: seconds_up(*oldest + WINDOW - now) }),
            _ => Ok(()),
        }
    }
}

/// The entry of this key. If a new one finds no room, those go that no longer count, or else the one whose last event is the oldest.
fn entry<K: Copy + Eq + Hash>(entries: &mut HashMap<K, Entry>, key: K, now: DateTime<Utc>) -> &mut Entry {
    if entries.len() >= MAX_KEYS && !entries.contains_key(&key) {
        entries
            .retain(|_, entry| entry.running > 0 || entry.counted.back().is_some_and(|counted| (now - *counted).abs() < WINDOW));
        if entries.len() >= MAX_KEYS {
            // Attempts that are pending keep their entry, which those who wait for them know.
            let settled = entries.iter().filter(|(_, entry)| entry.running == 0);
            let oldest = settled.min_by_key(|(_, entry)| entry.counted.back().copied().unwrap_or(now)).map(|(key, _)| *key);
            oldest.and_then(|key| entries.remove(&key));
        }
    }
    entries.entry(key).or_default()
}

#[cfg(test)]
mod tests;
