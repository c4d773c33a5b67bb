//! Who has logged in from where.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};

/// The time for which a key is remembered.
const REMEMBERED: Duration = Duration::days(30);
/// The maximum number of keys of each generation, so that memory is bounded.
pub(super) const MAX_KEYS: usize = 50_000;

/// Remembers keys for 30 days. If there are too many, those that have not been seen for the longest time go. Cheap to clone; clones
/// share the memory.
#[derive(Debug)]
pub(super) struct Known<K> {
    generations: Arc<Mutex<Generations<K>>>,
}

impl<K> Clone for Known<K> {
    fn clone(&self) -> Self {
        Self { generations: Arc::clone(&self.generations) }
    }
}

/// When each key was last seen. A full generation becomes the old one, which is then forgotten as a whole.
#[derive(Debug)]
struct Generations<K> {
    young: HashMap<K, DateTime<Utc>>,
    old: HashMap<K, DateTime<Utc>>,
}

impl<K: Copy + Eq + Hash> Known<K> {
    pub(super) fn new() -> Self {
        let generations = Generations { young: HashMap::new(), old: HashMap::new() };
        Self { generations: Arc::new(Mutex::new(generations)) }
    }

    pub(super) fn remember(&self, key: K, now: DateTime<Utc>) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.young.len() >= MAX_KEYS && !generations.young.contains_key(&key) {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(key, now);
    }

    pub(super) fn contains(&self, key: &K, now: DateTime<Utc>) -> bool {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = generations.young.get(key).or_else(|| generations.old.get(key));
        seen.is_some_and(|seen| (now - *seen).abs() < REMEMBERED)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn a_key_is_remembered_for_30_days_after_it_was_last_seen() {
        let known = Known::new();
        known.remember("ada", START);
        assert!(!known.contains(&"bob", START));
        assert!(known.contains(&"ada", START + Duration::days(30) - Duration::seconds(1)));
        assert!(!known.contains(&"ada", START + Duration::days(30)));
        known.remember("ada", START + Duration::days(1));
        assert!(known.contains(&"ada", START + Duration::days(30)));
        // Nor for longer after the clock was set back.
        known.remember("eve", START + Duration::days(40));
        assert!(!known.contains(&"eve", START));
    }

    #[test]
    fn memory_is_bounded_and_those_seen_last_stay() {
        let known = Known::new();
        for key in 0..5 * MAX_KEYS {
            known.remember(key, START);
            known.remember(0, START);
        }
        let generations = known.generations.lock().unwrap();
        assert!(generations.young.len() <= MAX_KEYS && generations.old.len() <= MAX_KEYS);
        drop(generations);
        for key in [0, 5 * MAX_KEYS - 1, 4 * MAX_KEYS + 10] {
            assert!(known.contains(&key, START), "{key}");
        }
        assert!(!known.contains(&1, START));
    }
}
