//! The expert's side: the same acts in SQL, run by `pgbench`.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::data::{CUSTOMERS, TRADES};
use crate::kind::Kind;
use crate::report::Side;
use crate::support::postgres::Postgres;
use crate::{CONNECTIONS, WARM_UP};

/// Runs the script of the act.
pub(crate) fn round(kind: Kind, seconds: u32, postgres: &Postgres) -> Side {
    let mut pgbench =
        pgbench(kind, WARM_UP + seconds + 1, postgres).stderr(Stdio::piped()).spawn().expect("pgbench comes with Postgres");
    // A line a second: "progress: 1.0 s, 250.0 tps, lat …".
    let mut lines = BufReader::new(pgbench.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut rate_of_a_second = || {
        let line = lines.next().expect("pgbench reports each second");
        let rate = line.strip_prefix("progress: ").and_then(|line| line.split([' ', ',']).nth(3));
        rate.unwrap_or_else(|| panic!("pgbench says {line}")).parse::<f64>().unwrap()
    };
    for _ in 0..WARM_UP {
        rate_of_a_second();
    }
    let (start, postgres_before) = (Instant::now(), postgres.cpu());
    let per_second = (0..seconds).map(|_| rate_of_a_second()).sum::<f64>() / f64::from(seconds);
    let done = per_second * start.elapsed().as_secs_f64();
    let cpu = postgres.cpu() - postgres_before;
    assert!(pgbench.wait().unwrap().success(), "{:?}", lines.collect::<Vec<_>>());
    Side { per_second, server: 0.0, postgres: cpu / done }
}

fn pgbench(kind: Kind, seconds: u32, postgres: &Postgres) -> Command {
    let script = match kind {
        Kind::Read => "read.sql",
        Kind::Page => "page.sql",
        Kind::Sale => "sale.sql",
    };
    let mut command = Command::new("pgbench");
    command.args(["--no-vacuum", "--protocol=prepared", "--progress=1", "--jobs=2"]);
    command.arg(format!("--client={CONNECTIONS}")).arg(format!("--time={seconds}"));
    command.arg(format!("--define=trades={TRADES}")).arg(format!("--define=customers={CUSTOMERS}"));
    command.arg(format!("--file={}/benches/floor/expert/{script}", env!("CARGO_MANIFEST_DIR")));
    command.env("PGHOST", &postgres.directory).env("PGUSER", "postgres").env("PGDATABASE", "postgres");
    // Plans are kept from the start, as those of connections that have lived for long.
    command.env("PGOPTIONS", "-c search_path=expert -c plan_cache_mode=force_generic_plan").stdout(Stdio::null());
    command
}
