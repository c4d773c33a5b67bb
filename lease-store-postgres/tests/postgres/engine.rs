//! Helpers for tests of an engine on a store.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use lease_core::id::Id;
use lease_core::random::{Randomness, RandomnessError};
use serde_json::Value;

/// Bytes that are the same in every run: the numbers from one on.
#[derive(Debug, Default)]
pub(crate) struct Numbers(AtomicU64);

impl Randomness for Numbers {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomnessError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        buffer.fill(0);
        buffer[..8].copy_from_slice(&number.to_be_bytes());
        Ok(())
    }
}

/// Reads a draft from JSON, as a handler does.
pub(crate) fn draft<T: serde::de::DeserializeOwned>(body: &Value) -> T {
    serde_json::from_value(body.clone()).unwrap()
}

/// An id; if the number is not an id, one that no row has.
pub(crate) fn id<I: Id>(number: i64) -> I {
    I::new(number).or_else(|| I::new(i64::MAX)).unwrap()
}

/// Parses an instant from RFC 3339.
pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
