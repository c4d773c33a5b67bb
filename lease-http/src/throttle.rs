//! The limit on failed logins (chapter 7): a number in any minute, for each client address and name. The counts are kept in this
//! process only, so each of several servers counts on its own.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Duration, Utc};
use lease_core::Error;
use lease_core::text::comparison_key;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use crate::problem::Problem;

/// The time for which a failure counts.
const WINDOW: Duration = Duration::minutes(1);
/// The maximum number of entries, so that memory is bounded.
const MAX_ENTRIES: usize = 10_000;

/// Counts failed logins. Cheap to clone; clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct LoginThrottle {
    limit: usize,
    entries: Arc<Mutex<HashMap<Key, Entry>>>,
}

/// A hash over the client's network and the name: names can be long, and should not appear in a memory dump.
type Key = [u8; 32];

#[derive(Debug, Default)]
struct Entry {
    /// The times of the failed attempts within the window, oldest first.
    failed: VecDeque<DateTime<Utc>>,
    /// The number of attempts whose outcome is not known yet.
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

impl LoginThrottle {
    /// A throttle that allows this many failures a minute; 0 for no limit.
    #[must_use]
    pub(crate) fn new(failures_per_minute: u32) -> Self {
        Self { limit: failures_per_minute.try_into().unwrap_or(usize::MAX), entries: Arc::default() }
    }

    /// Begins an attempt. If the pending attempts could reach the limit, it waits for their outcomes. So parallel attempts cannot
    /// exceed the limit, and an attempt with the right password is never refused because of the others.
    ///
    /// # Errors
    /// [`TooMany`] if the limit has been reached.
    pub(crate) async fn begin(&self, client: IpAddr, name: &str, now: DateTime<Utc>) -> Result<Attempt, TooMany> {
        let key = key(client, name);
        loop {
            let settled = match self.decide(key, now) {
                Verdict::Go => return Ok(Attempt { throttle: self.clone(), key, failed_at: None, is_right: false }),
                Verdict::No(too_many) => return Err(too_many),
                Verdict::Wait(settled) => settled,
            };
            let mut outcome = std::pin::pin!(settled.notified());
            outcome.as_mut().enable();
            // An outcome between the decision and the line above would wake nobody, so check again before waiting.
            match self.decide(key, now) {
                Verdict::Go => return Ok(Attempt { throttle: self.clone(), key, failed_at: None, is_right: false }),
                Verdict::No(too_many) => return Err(too_many),
                Verdict::Wait(_) => outcome.await,
            }
        }
    }

    fn decide(&self, key: Key, now: DateTime<Utc>) -> Verdict {
        if self.limit == 0 {
            return Verdict::Go;
        }
        let mut entries = self.lock();
        if !entries.contains_key(&key) {
            make_room(&mut entries, now);
        }
        let entry = entries.entry(key).or_default();
        entry.forget_before(now);
        if let Some(oldest) = entry.failed.front().filter(|_| entry.failed.len() >= self.limit) {
            return Verdict::No(TooMany { retry_after: seconds_up(*oldest + WINDOW - now) });
        }
        if entry.failed.len() + entry.running >= self.limit {
            return Verdict::Wait(Arc::clone(&entry.settled));
        }
        entry.running += 1;
        Verdict::Go
    }

    fn settle(&self, attempt: &Attempt) {
        let mut entries = self.lock();
        let Some(entry) = entries.get_mut(&attempt.key) else { return };
        entry.running = entry.running.saturating_sub(1);
        if attempt.is_right {
            entry.failed.clear();
        }
        entry.failed.extend(attempt.failed_at);
        entry.settled.notify_waiters();
        // Each waiting task holds a clone of the `Notify`.
        let is_waited_for = Arc::strong_count(&entry.settled) > 1;
        if entry.failed.is_empty() && entry.running == 0 && !is_waited_for {
            entries.remove(&attempt.key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pending login. If it is dropped without an outcome (the store was unavailable, or the client hung up), it does not count.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt {
    throttle: LoginThrottle,
    key: Key,
    failed_at: Option<DateTime<Utc>>,
    is_right: bool,
}

impl Attempt {
    /// Ends the attempt. A success clears earlier failures; an error that has nothing to do with the password does not count.
    pub(crate) fn settle<T>(mut self, outcome: &Result<T, Error>, now: DateTime<Utc>) {
        match outcome {
            Ok(_) => self.is_right = true,
            Err(Error::InvalidCredentials) => self.failed_at = Some(now),
            Err(_) => {}
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.throttle.limit > 0 {
            self.throttle.settle(self);
        }
    }
}

impl Entry {
    fn forget_before(&mut self, now: DateTime<Utc>) {
        while self.failed.front().is_some_and(|failed| *failed + WINDOW <= now) {
            self.failed.pop_front();
        }
    }
}

/// Makes room if all entries are in use: removes those that no longer count, or else the one whose last failure is the oldest.
fn make_room(entries: &mut HashMap<Key, Entry>, now: DateTime<Utc>) {
    if entries.len() < MAX_ENTRIES {
        return;
    }
    entries.retain(|_, entry| entry.running > 0 || entry.failed.back().is_some_and(|failed| *failed + WINDOW > now));
    if entries.len() >= MAX_ENTRIES {
        let oldest = entries.iter().min_by_key(|(_, entry)| entry.failed.back().copied().unwrap_or(now)).map(|(key, _)| *key);
        oldest.and_then(|key| entries.remove(&key));
    }
}

fn key(client: IpAddr, name: &str) -> Key {
    let mut hash = Sha256::new();
    match client.to_canonical() {
        IpAddr::V4(address) => hash.update(address.octets()),
        // A host with one address usually has the whole network of 64 bits.
        IpAddr::V6(address) => hash.update((Ipv6Addr::to_bits(address) >> 64).to_be_bytes()),
    }
    hash.update(comparison_key(name));
    hash.finalize().into()
}

fn seconds_up(wait: Duration) -> u64 {
    let whole = wait.num_seconds() + i64::from(wait.subsec_nanos() > 0);
    u64::try_from(whole).unwrap_or(0).max(1)
}

#[cfg(test)]
mod tests;
