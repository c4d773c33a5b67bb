//! The figures, and the table of their medians.

use std::fmt::{self, Write as _};

use crate::CONNECTIONS;
use crate::data::TRADES;
use crate::kind::Kind;

/// The figures of one side in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    /// Acts per second.
    pub(crate) per_second: f64,
    /// The CPU time of `lease-server` for an act, in microseconds; the expert needs none.
    pub(crate) server: f64,
    /// The CPU time of Postgres for an act, in microseconds.
    pub(crate) postgres: f64,
}

/// The figures of both sides in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    pub(crate) lease: Side,
    pub(crate) expert: Side,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lease, expert } = self;
        write!(f, "lease {:.0}/s ({:.0} µs server, {:.0} µs Postgres), ", lease.per_second, lease.server, lease.postgres)?;
        write!(f, "expert {:.0}/s ({:.0} µs Postgres)", expert.per_second, expert.postgres)
    }
}

/// A table in Markdown.
#[derive(Debug)]
pub(crate) struct Report(String);

impl Report {
    pub(crate) fn new(rounds: usize, seconds: u32) -> Self {
        let cores = std::thread::available_parallelism().unwrap();
        Self(format!(
            "Medians of {rounds} rounds of {seconds} s, {CONNECTIONS} connections, {TRADES} trades, {cores} cores shared by \
             everything; CPU times are for one request, or one whole sale.\n\n\
             | request | lease over HTTP | expert's SQL | ratio | CPU of lease-server | CPU of Postgres | CPU of Postgres, expert |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        ))
    }

    pub(crate) fn add(&mut self, kind: Kind, rounds: &[Round]) {
        let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
        writeln!(
            self.0,
            "| {kind} | {:.0}/s | {:.0}/s | {:.2} | {:.0} µs | {:.0} µs | {:.0} µs |",
            of(|round| round.lease.per_second),
            of(|round| round.expert.per_second),
            of(|round| round.lease.per_second / round.expert.per_second),
            of(|round| round.lease.server),
            of(|round| round.lease.postgres),
            of(|round| round.expert.postgres),
        )
        .unwrap();
    }

    /// Prints the table, and leaves it in a file.
    pub(crate) fn write(&self) {
        let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/floor.md");
        std::fs::write(file, &self.0).unwrap();
        println!("\n{}\nThe table is in {file}.", self.0);
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
