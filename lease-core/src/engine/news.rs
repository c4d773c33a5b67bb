//! Tells all who wait for events that there are new ones. However many wait, one task looks.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::error::with_causes;
use crate::id::EventId;
use crate::repository::Repository;

/// The time between two looks for new events.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How many of those who wait may read at once: they leave the store to others, however many there are.
const READERS: usize = 4;

/// Where an engine's subscriptions learn of new events.
#[derive(Debug)]
pub(super) struct News {
    watcher: Mutex<Weak<Watcher>>,
    readers: Semaphore,
}

impl Default for News {
    fn default() -> Self {
        Self { watcher: Mutex::default(), readers: Semaphore::new(READERS) }
    }
}

impl News {
    /// The watcher that all share; a new one where nobody holds one.
    pub(super) fn watcher(&self, store: &Arc<dyn Repository>) -> Arc<Watcher> {
        let mut shared = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watcher) = shared.upgrade().filter(|watcher| watcher.is_looking()) {
            return watcher;
        }
        let watcher = Arc::new(Watcher::start(Arc::clone(store)));
        *shared = Arc::downgrade(&watcher);
        watcher
    }

    /// Waits for one's turn to read.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.readers.acquire().await
    }
}

/// Looks for new events as long as somebody holds it.
#[derive(Debug)]
pub(super) struct Watcher {
    newest: watch::Receiver<Option<EventId>>,
    /// Dropped, it ends its task.
    _task: JoinSet<()>,
}

impl Watcher {
    fn start(store: Arc<dyn Repository>) -> Self {
        let (found, newest) = watch::channel(None);
        let mut task = JoinSet::new();
        task.spawn(look(store, found));
        Self { newest, _task: task }
    }

    /// The newest event that was found.
    pub(super) fn newest(&self) -> watch::Receiver<Option<EventId>> {
        self.newest.clone()
    }

    /// Its task has ended if the runtime on which it was started has.
    fn is_looking(&self) -> bool {
        self.newest.has_changed().is_ok()
    }
}

/// Looks for new events for ever, also while the store cannot be reached.
async fn look(store: Arc<dyn Repository>, newest: watch::Sender<Option<EventId>>) {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_away = false;
    loop {
        looks.tick().await;
        let found = store.last_event().await;
        if let Err(error) = &found
            && !is_away
        {
            tracing::warn!(error = %with_causes(error), "subscriptions wait until the store can be asked for new events again");
        }
        is_away = found.is_err();
        let found = found.unwrap_or_default();
        newest.send_if_modified(|known| {
            let is_news = found > *known;
            *known = found.max(*known);
            is_news
        });
    }
}
