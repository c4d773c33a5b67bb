use std::time::Duration;

use crate::error::{Error, Refusal};
use crate::random::Randomness;
use crate::repository::{Guarantee, RepositoryError};

/// How often a command is decided again before it gives up.
const ATTEMPTS: u32 = 24;
/// From here on the wait between two attempts no longer doubles. Long enough that hundreds who want the same row spread out.
const MAX_WAIT_MICROS: u64 = 1_000_000;

/// Counts the attempts of one command.
pub(super) struct Retry<'a> {
    randomness: &'a dyn Randomness,
    failed: u32,
}

impl<'a> Retry<'a> {
    pub(super) fn new(randomness: &'a dyn Randomness) -> Self {
        Self { randomness, failed: 0 }
    }

    /// Passes, after a random and growing wait, where the command may be decided again: a row moved, or another change came
    /// first. Deciding is pure, so nothing happened yet.
    pub(super) async fn after(&mut self, error: RepositoryError) -> Result<(), Error> {
        match error {
            // Another request took the key over: this one must not act any more.
            RepositoryError::Taken(Guarantee::Claim) => return Err(Refusal::IdempotencyKeyInUse.into()),
            RepositoryError::Conflict | RepositoryError::Taken(_) if self.failed + 1 < ATTEMPTS => self.failed += 1,
            _ => return Err(error.into()),
        }
        self.wait().await;
        Ok(())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "those who collided must not come back in step; nothing signals when a row is calm"
    )]
    async fn wait(&self) {
        if self.failed == 1 {
            return tokio::task::yield_now().await;
        }
        let bound = (500_u64 << self.failed.min(11)).min(MAX_WAIT_MICROS);
        let mut random = [0; 8];
        // Without randomness the wait is the longest one.
        let spread = self.randomness.fill(&mut random).map_or(bound, |()| u64::from_le_bytes(random) % bound);
        tokio::time::sleep(Duration::from_micros(spread)).await;
    }
}
