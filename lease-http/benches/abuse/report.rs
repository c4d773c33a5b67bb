//! The table.

use std::process::ExitCode;
use std::time::Duration;

use strum::VariantArray as _;

use crate::answer::{Answer, Counts};
use crate::attacks::Attack;
use crate::process::Used;
use crate::require;
use crate::stop::Stop;
use crate::watch::Seen;

/// One attack, or the quiet before.
#[derive(Debug)]
pub(crate) struct Round {
    /// `None` while it is quiet.
    pub(crate) attack: Option<Attack>,
    pub(crate) length: Duration,
    pub(crate) answers: Counts,
    pub(crate) seen: Seen,
    pub(crate) used: Used,
}

/// A table in Markdown, and what was not as required.
#[derive(Debug)]
pub(crate) struct Report {
    quiet: Round,
    table: String,
    complaints: Vec<String>,
}

impl Report {
    pub(crate) fn new(quiet: Round) -> Self {
        let ends = Answer::VARIANTS.iter().map(|answer| format!(" {answer} |")).collect::<String>();
        let table = format!(
            "| attack | attempts |{ends} `/healthz` median, p99, max | a trade | a page | another's login | open files | memory | CPU \
             of lease-server | CPU of Postgres |\n| --- |{}\n",
            " ---: |".repeat(9 + Answer::VARIANTS.len())
        );
        let mut report = Self { quiet, table, complaints: Vec::new() };
        report.write(&report.row(&report.quiet));
        report.complaints = require::of_quiet(&report.quiet);
        report
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, round: &Round) {
        self.write(&self.row(round));
        self.complaints.extend(require::of_attack(round, &self.quiet));
    }

    fn write(&mut self, row: &str) {
        println!("{row}");
        self.table.push_str(row);
        self.table.push('\n');
    }

    fn row(&self, round: &Round) -> String {
        let Round { attack, answers, seen, used, .. } = round;
        let name = attack.map_or("none".to_owned(), |attack| attack.to_string());
        let ends = Answer::VARIANTS.iter().map(|answer| format!(" {} |", answers.ended(*answer))).collect::<String>();
        let (trade, page) = (seen.trade.median(), seen.page.median());
        format!(
            "| {name} | {} |{ends} {:.1}, {:.1}, {:.1} ms | {trade:.1} ms × {:.1} | {page:.1} ms × {:.1} | {:.0} ms | {} | {} MiB | \
             {:.0} % | {:.0} % |",
            answers.attempts,
            seen.health.median(),
            seen.health.quantile(0.99),
            seen.health.quantile(1.0),
            trade / self.quiet.seen.trade.median(),
            page / self.quiet.seen.page.median(),
            seen.login.median(),
            seen.descriptors,
            used.memory,
            used.server,
            used.postgres,
        )
    }

    /// Writes how the server ended, and the whole table again; leaves it in a file.
    pub(crate) fn finish(mut self, stop: &Stop) -> ExitCode {
        self.complaints.extend(require::of_stop(stop));
        let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/abuse.md");
        std::fs::write(file, &self.table).unwrap();
        println!("\n{}\n{stop}\nThe table is in {file}.\n", self.table);
        for complaint in &self.complaints {
            println!("NOT AS REQUIRED: {complaint}");
        }
        if self.complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
