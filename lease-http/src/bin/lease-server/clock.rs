//! Compares the clock of this machine with that of Postgres. Servers that share a database decide by their own clocks what is due
//! or has expired.

use chrono::{DateTime, TimeDelta, Utc};
use lease_core::clock::{Clock as _, SystemClock};
use lease_store_postgres::PostgresRepository;

use crate::failure::Failure;

/// The largest difference that is not worth a warning.
const TOLERATED: TimeDelta = TimeDelta::seconds(1);

/// Warns if the clocks differ by more than a second.
pub(crate) async fn compare(store: &PostgresRepository) -> Result<(), Failure> {
    let before = SystemClock.now();
    let theirs = store.clock().await.map_err(Failure::other)?;
    let difference = difference(before, theirs, SystemClock.now());
    if difference.abs() > TOLERATED {
        let seconds = difference.as_seconds_f64().abs();
        let place = if difference > TimeDelta::zero() { "behind" } else { "ahead of" };
        tracing::warn!("the clock of this machine is {seconds:.1} seconds {place} that of Postgres: set both by NTP");
    }
    Ok(())
}

/// By how much their clock is ahead of ours at least, if they read it at some time between these two of ours; negative if it is
/// behind.
fn difference(before: DateTime<Utc>, theirs: DateTime<Utc>, after: DateTime<Utc>) -> TimeDelta {
    theirs - theirs.clamp(before, after.max(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_postgres_and_back_is_no_difference() {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let ahead = |theirs, after| difference(at(10), at(theirs), at(after)).num_seconds();
        assert_eq!([ahead(10, 10), ahead(12, 15), ahead(15, 15)], [0, 0, 0]);
        assert_eq!([ahead(17, 15), ahead(8, 15)], [2, -2]);
        assert_eq!(ahead(10, 5), 0, "our own clock was set back meanwhile");
    }
}
