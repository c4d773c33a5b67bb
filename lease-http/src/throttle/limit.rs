//! A limit on how often something may happen in any minute, for each key.

#[cfg(feature = "passwords")]
pub(super) mod attempts;

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Duration, Utc};

use crate::problem::{Problem, seconds_up};

/// The time for which an event counts.
pub(super) const WINDOW: Duration = Duration::minutes(1);
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
    #[cfg(feature = "passwords")]
    settled: Arc<tokio::sync::Notify>,
}

/// The limit has been reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// The number of seconds until another attempt is allowed.
    pub(crate) retry_after: u64,
}

impl From<TooMany> for Problem {
    fn from(too_many: TooMany) -> Self {
        Self::throttled(too_many.retry_after)
    }
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

    /// The number of keys for which something counts or is pending.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
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
