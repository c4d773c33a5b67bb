//! The watcher: how others are served meanwhile.

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout_at};

use crate::person::{PASSWORD, login, registration};
use crate::process;
use crate::series::{Sample, Series};
use crate::support::server::Server;

/// Time after which a request of the watcher has failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest time between two attacks.
const SETTLING: Duration = Duration::from_secs(70);
/// A login that waits for nothing takes less, in milliseconds.
const QUICK: f64 = 500.0;
/// Who logs in.
const USER: &str = "ordinary";
/// The token of the customer who reads, one of those that were loaded.
const READER: u64 = 1;

/// The customers who are watched, and their connections.
pub(crate) struct Watch {
    server: String,
    process: u32,
    /// Opens a connection for each request.
    probe: Client,
    /// Keeps its connection.
    reader: Client,
    /// A trade of the reader's.
    trade: String,
}

/// What they saw.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) health: Series,
    pub(crate) trade: Series,
    pub(crate) page: Series,
    pub(crate) login: Series,
    /// The most files and connections that the server had open.
    pub(crate) descriptors: usize,
}

impl Watch {
    /// Registers the user who will log in.
    pub(crate) async fn prepare(server: &Server) -> Self {
        let client = || Client::builder().no_proxy().timeout(PATIENCE);
        let mut watch = Self {
            server: format!("http://{}", server.address),
            process: server.child.id(),
            probe: client().pool_max_idle_per_host(0).build().unwrap(),
            reader: client().build().unwrap(),
            trade: String::new(),
        };
        let register = watch.probe.post(format!("{}/api/register", watch.server)).json(&registration(USER, PASSWORD));
        register.send().await.unwrap().error_for_status().unwrap();
        let trades: Value = watch.read("/api/trades").send().await.unwrap().json().await.unwrap();
        watch.trade = format!("/api/trades/{}", trades["results"][0]["id"]);
        watch
    }

    /// Waits until the server has finished what an attack began: until a login is quick. A limit of a minute may have to end first.
    pub(crate) async fn settled(&self) {
        let end = Instant::now() + SETTLING;
        let mut ticks = interval(Duration::from_secs(2));
        while tick(&mut ticks, end).await {
            let login: Series = [self.login().await].into_iter().collect();
            if login.failures().next().is_none() && login.median() < QUICK {
                return;
            }
        }
    }

    /// Looks for so long.
    pub(crate) async fn during(&self, length: Duration) -> Seen {
        let end = Instant::now() + length;
        let (health, (trade, page), login, descriptors) =
            tokio::join!(self.health(end), self.reads(end), self.logins(end), self.descriptors(end));
        Seen { health, trade, page, login, descriptors }
    }

    /// Asks at a steady rate, whether or not the last request was answered.
    async fn health(&self, end: Instant) -> Series {
        let mut ticks = interval(Duration::from_millis(50));
        let mut asked = JoinSet::new();
        while tick(&mut ticks, end).await {
            asked.spawn(Sample::of(self.probe.get(format!("{}/healthz", self.server))));
        }
        asked.join_all().await.into_iter().collect()
    }

    async fn reads(&self, end: Instant) -> (Series, Series) {
        let (mut trade, mut page) = (Vec::new(), Vec::new());
        let mut ticks = interval(Duration::from_millis(100));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while tick(&mut ticks, end).await {
            trade.push(Sample::of(self.read(&self.trade)).await);
            page.push(Sample::of(self.read("/api/trades")).await);
        }
        (trade.into_iter().collect(), page.into_iter().collect())
    }

    async fn logins(&self, end: Instant) -> Series {
        let mut logins = Vec::new();
        let mut ticks = interval(Duration::from_secs(3));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while tick(&mut ticks, end).await {
            logins.push(self.login().await);
        }
        logins.into_iter().collect()
    }

    async fn descriptors(&self, end: Instant) -> usize {
        let mut most = 0;
        let mut ticks = interval(Duration::from_secs(1));
        while tick(&mut ticks, end).await {
            most = most.max(process::descriptors(self.process));
        }
        most
    }

    async fn login(&self) -> Sample {
        Sample::of(self.probe.post(format!("{}/api/login", self.server)).json(&login(USER))).await
    }

    fn read(&self, path: &str) -> RequestBuilder {
        self.reader.get(format!("{}{path}", self.server)).header("authorization", format!("Token {READER:040x}"))
    }
}

/// Waits for the next tick; whether it came before the end.
async fn tick(ticks: &mut Interval, end: Instant) -> bool {
    timeout_at(end, ticks.tick()).await.is_ok() && Instant::now() < end
}
