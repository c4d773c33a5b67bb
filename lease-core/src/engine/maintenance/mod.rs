//! The background work: what has to be done without a command. A further kind of work is a line in [`ROUNDS`].

mod batches;
mod rounds;
mod time;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use chrono::Duration;
use futures_util::FutureExt as _;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::LeaseEngine;
use crate::error::{Error, with_causes};
use rounds::{ROUNDS, Round};

/// The most turns of each round in one call of [`LeaseEngine::catch_up`]: enough for ten million rows.
const MOST_TURNS: u32 = 10_000;

/// A place for the turn of each round, of which a process takes one at a time: so what one has begun is done when the next one ends.
#[derive(Debug)]
pub(super) struct Turns(Vec<Arc<Mutex<()>>>);

impl Default for Turns {
    fn default() -> Self {
        Self(ROUNDS.iter().map(|_| Arc::default()).collect())
    }
}

impl Turns {
    /// The rounds, each with its place.
    fn of_rounds(&self) -> impl Iterator<Item = (&Arc<Mutex<()>>, &'static Round)> {
        self.0.iter().zip(ROUNDS)
    }
}

/// The settings of the background work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Maintenance {
    /// A payment that has been pending for longer than this is settled (rule 5.5); 30 seconds by default. A younger one may still
    /// be handled by the request that began it.
    pub settle_older_than: Duration,
}

impl Default for Maintenance {
    fn default() -> Self {
        Self { settle_older_than: Duration::seconds(30) }
    }
}

impl Maintenance {
    /// These settings with another [`settle_older_than`](Self::settle_older_than).
    #[must_use]
    pub const fn with_settle_older_than(mut self, age: Duration) -> Self {
        self.settle_older_than = age;
        self
    }
}

/// What has to be done in the background (rule 7.4). Any number of processes may do it at the same time.
impl LeaseEngine {
    /// Does the background work until `stop` resolves: it settles payments that stayed pending, records what time has brought,
    /// gives events their place in the order, delivers webhooks, sends mails, clears events that are no longer kept, and deletes what
    /// has expired. Every process that embeds the engine runs this once, beside its requests; without it, a payment to which the
    /// gateway did not respond stays pending for ever.
    ///
    /// An error is logged, and does not end the work: the next round tries again. A round that is interrupted leaves what a crash
    /// would leave, for the next start or another process.
    ///
    /// ```no_run
    /// # async fn embed(engine: lease_core::LeaseEngine) -> Result<(), Box<dyn std::error::Error>> {
    /// use lease_core::engine::Maintenance;
    /// use tokio::sync::oneshot;
    ///
    /// let (stop, stopped) = oneshot::channel::<()>();
    /// let maintained = engine.clone();
    /// let maintenance = tokio::spawn(async move {
    ///     maintained.run_maintenance(&Maintenance::default(), async { _ = stopped.await }).await;
    /// });
    /// // … serve, and at the end:
    /// drop(stop);
    /// maintenance.await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run_maintenance(&self, settings: &Maintenance, stop: impl Future<Output = ()>) {
        let mut running = JoinSet::new();
        for (place, round) in self.shared.turns.of_rounds() {
            running.spawn(self.clone().repeat(Arc::clone(place), round, settings.clone()));
        }
        running.spawn(self.clone().deliver());
        stop.await;
        running.shutdown().await;
    }

    /// Does at once all background work that is due, and returns when nothing is left to do: for tests, and after a clock that
    /// jumped ahead. What cannot be done now, such as settling a payment while the gateway does not respond, is left to
    /// [`run_maintenance`](Self::run_maintenance).
    ///
    /// # Errors
    /// [`Error::Unavailable`]. What was done until then stays done.
    pub async fn catch_up(&self, settings: &Maintenance) -> Result<(), Error> {
        for _ in 0..MOST_TURNS {
            let mut is_done = true;
            for (place, round) in self.shared.turns.of_rounds() {
                is_done &= !self.turn(place, round, settings).await?;
            }
            is_done &= !self.deliver_due().await?;
            if is_done {
                return Ok(());
            }
        }
        Err(Error::internal("the background work does not come to an end"))
    }

    /// Takes a turn of a round, when that of another task of this process has ended.
    async fn turn(&self, place: &Mutex<()>, round: &Round, settings: &Maintenance) -> Result<bool, Error> {
        let _turn = place.lock().await;
        round.turn(self, settings).await
    }

    /// Takes a turn of a round in each period, and another one at once if there may be more to do.
    async fn repeat(self, place: Arc<Mutex<()>>, round: &Round, settings: Maintenance) {
        let mut ticks = interval(round.period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            while self.has_more(&place, round, &settings).await {}
        }
    }

    async fn has_more(&self, place: &Mutex<()>, round: &Round, settings: &Maintenance) -> bool {
        // A fault in an app's store or gateway must not end the round for ever.
        match AssertUnwindSafe(self.turn(place, round, settings)).catch_unwind().await {
            Ok(Ok(has_more)) => return has_more,
            Ok(Err(error)) => {
                tracing::warn!(error = %with_causes(&error), round = round.name, "a round of background work failed");
            }
            Err(_) => tracing::error!(round = round.name, "a round of background work panicked"),
        }
        false
    }
}
