//! The limit on declined payments (rule 5.4), which ends the trying out of stolen cards.

use chrono::{DateTime, Duration, Utc};

use crate::error::Error;
use crate::policy::Policy;

/// The time for which a decline counts.
const WINDOW: Duration = Duration::hours(1);

/// The instant after which declines count.
pub(crate) fn declines_since(now: DateTime<Utc>) -> DateTime<Utc> {
    now - WINDOW
}

/// Refuses another payment of a customer who was declined too often within the last hour. `declines` are when those payments were
/// begun, newest first.
///
/// # Errors
/// [`Error::Throttled`], with the time until the decline that makes it one too many no longer counts.
pub fn require_few_declines(declines: &[DateTime<Utc>], policy: &Policy, now: DateTime<Utc>) -> Result<(), Error> {
    let most = usize::try_from(policy.declines_per_hour).unwrap_or(usize::MAX);
    let last_allowed = most.checked_sub(1).and_then(|place| declines.get(place));
    match last_allowed.map(|begun| *begun + WINDOW - now) {
        Some(wait) if wait > Duration::zero() => Err(Error::Throttled { retry_after: wait }),
        _ => Ok(()),
    }
}
