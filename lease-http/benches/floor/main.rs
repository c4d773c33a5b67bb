//! `lease-server` on Postgres, compared with a floor: the SQL that an expert would write by hand for the same acts, run by
//! `pgbench` on the same Postgres with the same rows. Both use 16 connections, in alternating rounds, so that other load on the
//! machine affects both.
//!
//! The expert's tables and statements are those of the folder `expert`, never those of the store. Both sides look up a token with
//! each request, load what the act decides on, and keep the same facts and rules. Only the server also speaks HTTP and writes JSON.
//!
//! The Postgres is a throw-away one with its data on disk and the default settings for durability. Autovacuum is off, and the
//! tables are vacuumed and analysed before each round instead, so that no round pays for another one.
//!
//! `FLOOR_ROUNDS` and `FLOOR_SECONDS` set the number and the length of the rounds (5 of 5 seconds each), and `FLOOR_KINDS` the
//! kinds of request, separated by commas (`read,page,sale`).

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails should stop")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

mod data;
mod expert;
mod http;
mod kind;
mod lease;
mod report;
#[path = "../support/mod.rs"]
mod support;

use crate::kind::Kind;
use crate::report::{Report, Round};
use crate::support::data::tidy;
use crate::support::postgres::Postgres;
use crate::support::server::Server;

/// The number of connections on each side: to the server and from there to Postgres, or from `pgbench` to Postgres.
const CONNECTIONS: u32 = 16;
/// The seconds of a round before anything is measured, in which connections are made and plans too.
const WARM_UP: u32 = 2;

fn main() {
    let rounds = setting("FLOOR_ROUNDS").map_or(5, |rounds| rounds.parse().expect("a number"));
    let seconds = setting("FLOOR_SECONDS").map_or(5, |seconds| seconds.parse().expect("a number"));
    let kinds = setting("FLOOR_KINDS").unwrap_or_else(|| "read,page,sale".to_owned());
    let kinds: Vec<_> = kinds.split(',').map(Kind::named).collect();

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let postgres = Postgres::start();
    let server = Server::start(&runtime, &postgres, &[("LEASE_DATABASE_MAX_CONNECTIONS", &CONNECTIONS.to_string())]);
    runtime.block_on(data::load(&postgres));

    let mut report = Report::new(rounds, seconds);
    for kind in kinds {
        let mut of_kind = Vec::new();
        for number in 1..=rounds {
            runtime.block_on(tidy(&postgres));
            let lease = runtime.block_on(lease::round(kind, seconds, &server, &postgres));
            runtime.block_on(tidy(&postgres));
            let expert = expert::round(kind, seconds, &postgres);
            let round = Round { lease, expert };
            println!("{kind}, round {number}: {round}");
            of_kind.push(round);
        }
        report.add(kind, &of_kind);
    }
    runtime.block_on(data::check_sales(&postgres));
    report.write();
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
