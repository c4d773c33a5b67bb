//! The connections of stores, as Postgres sees them.

use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::PgConnection;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::interval;

use super::TestDatabase;

/// The time between two looks.
const PERIOD: Duration = Duration::from_millis(5);

/// What a look at the connections shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    /// The number of connections.
    pub(crate) open: i64,
    /// The number of those inside a transaction that nobody goes on with.
    pub(crate) abandoned: i64,
    /// The number of those that wait for a lock.
    pub(crate) blocked: i64,
}

impl Activity {
    /// What the stores and servers on the database do now.
    pub(crate) async fn now(watcher: &mut PgConnection) -> Self {
        let looks = "select count(*), count(*) filter (where state like 'idle in transaction%'), \
                     count(*) filter (where wait_event_type = 'Lock') \
                     from pg_stat_activity where datname = current_database() and application_name = 'lease'";
        let (open, abandoned, blocked) = sqlx::query_as(looks).fetch_one(watcher).await.unwrap();
        Self { open, abandoned, blocked }
    }

    /// Looks until this is so.
    pub(crate) async fn until(watcher: &mut PgConnection, is_so: impl Fn(Self) -> bool) {
        let mut ticks = interval(PERIOD);
        while !is_so(Self::now(watcher).await) {
            ticks.tick().await;
        }
    }

    /// Ends all connections of stores and servers on the database, as an administrator does.
    pub(crate) async fn terminate(watcher: &mut PgConnection) {
        let terminate = "select pg_terminate_backend(pid, 10000) from pg_stat_activity \
                         where datname = current_database() and application_name in ('lease', 'lease readiness')";
        watcher.execute(terminate).await.unwrap();
    }
}

/// Looks at the connections again and again.
pub(crate) struct Watch {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Activity>,
}

impl Watch {
    pub(crate) async fn start(database: &TestDatabase) -> Self {
        let mut watcher = database.connection().await;
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut most = Activity::now(&mut watcher).await;
            let mut ticks = interval(PERIOD);
            while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
                let Activity { open, abandoned, blocked } = Activity::now(&mut watcher).await;
                most.open = most.open.max(open);
                most.abandoned = most.abandoned.max(abandoned);
                most.blocked = most.blocked.max(blocked);
                ticks.tick().await;
            }
            most
        });
        Self { stop, task }
    }

    /// The most that it has seen of each.
    pub(crate) async fn most(self) -> Activity {
        self.stop.send(()).unwrap();
        self.task.await.unwrap()
    }
}
