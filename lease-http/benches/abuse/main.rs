//! `lease-server` on Postgres under abuse: one attack after another, while a watcher measures how others are served.
//!
//! The attacks are those of an anonymous client, or of a customer, who wants to stop the server without much traffic of their own.
//! Each is limited to [`attacker::REQUESTS_PER_SECOND`], and comes from a loopback address of its own. The watcher has the usual
//! address, a customer who reads on a connection that is kept open, another who logs in every few seconds, and a probe of
//! `/healthz` on a new connection every time. What they see when nothing else is going on is the measure of what they see under an
//! attack. At the end the server is stopped while slow peers still hold their connections.
//!
//! A table is printed, and left in a file. Whatever is not as required is told in a line each, and the exit code is 1.
//!
//! `ABUSE_SECONDS` sets the length of each attack (60), and `ABUSE_ATTACKS` which ones, separated by commas
//! (`slow-bodies,login-flood`).

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails should stop")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

mod answer;
mod attacker;
mod attacks;
mod person;
mod process;
mod report;
mod require;
mod series;
mod stop;
#[path = "../support/mod.rs"]
mod support;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use strum::VariantArray as _;
use tokio::runtime::Runtime;

use crate::answer::Tally;
use crate::attacker::Attacker;
use crate::attacks::Attack;
use crate::process::Meter;
use crate::report::{Report, Round};
use crate::support::data;
use crate::support::postgres::Postgres;
use crate::support::server::Server;
use crate::watch::Watch;

/// The number of trades in the store.
const TRADES: u64 = 20_000;
/// How long the watcher looks before the first attack.
const QUIET: Duration = Duration::from_secs(10);
/// How long the server may take to stop.
const SHUTDOWN: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let length = Duration::from_secs(setting("ABUSE_SECONDS").map_or(60, |seconds| seconds.parse().expect("a number")));
    let attacks =
        setting("ABUSE_ATTACKS").map_or(Attack::VARIANTS.to_vec(), |names| names.split(',').map(Attack::named).collect());

    // The watcher has the main thread, the attackers have one of their own.
    let watching = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let attacking = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let postgres = Postgres::start();
    let server = Server::start(&watching, &postgres, &[("LEASE_SHUTDOWN_TIMEOUT_SECONDS", &SHUTDOWN.as_secs().to_string())]);
    let watch = watching.block_on(async {
        data::load(&postgres, TRADES).await;
        data::tidy(&postgres).await;
        Watch::prepare(&server).await
    });

    let observe = |attack: Option<Attack>, tally: &Tally, length: Duration| {
        let meter = Meter::start(&server, &postgres);
        let seen = watching.block_on(watch.during(length));
        Round { attack, length, answers: tally.counts(), seen, used: meter.stop(&server, &postgres) }
    };
    let mut report = Report::new(observe(None, &Tally::default(), QUIET));
    for attack in attacks {
        let tally = Arc::new(Tally::default());
        let task = start(attack, &attacking, &server, &tally);
        report.add(&observe(Some(attack), &tally, length));
        task.abort();
        watching.block_on(watch.settled());
    }

    for attack in Attack::SLOW_PEERS {
        start(attack, &attacking, &server, &Arc::default());
    }
    std::thread::sleep(QUIET);
    report.finish(&stop::terminate(server))
}

fn start(attack: Attack, runtime: &Runtime, server: &Server, tally: &Arc<Tally>) -> tokio::task::JoinHandle<()> {
    let _context = runtime.enter();
    runtime.spawn(attack.run(Attacker::new(&server.address, attack.address(), Arc::clone(tally))))
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
