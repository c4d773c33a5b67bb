//! Commits: each decides (what was expected, what is guaranteed, which ids come next) and then writes, under one lock.
//! Nothing can fail from the first write on.

mod account;
mod card;
mod directory;
mod idempotency;
mod trade;
mod vehicle;

use lease_core::repository::RepositoryError;

/// Passes where what a change takes for granted is so.
const fn require(holds: bool) -> Result<(), RepositoryError> {
    if holds { Ok(()) } else { Err(RepositoryError::Conflict) }
}
