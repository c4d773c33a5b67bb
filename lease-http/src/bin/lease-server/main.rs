//! `lease-server`: the engine and its REST layer as a process of its own (spec 7).

mod background;
mod config;
mod connections;
mod log;
mod parse;
mod serve;
mod store;
mod superuser;

use std::io::Write as _;
use std::process::ExitCode;

use config::{Cli, Command, Settings};

fn main() -> ExitCode {
    let cli = match config::read() {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to do where even this cannot be said.
            let _ = writeln!(std::io::stderr(), "lease-server: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let settings = &cli.settings;
    match cli.command.as_ref().unwrap_or(&Command::Serve) {
        Command::Serve => block_on(serve::serve(settings)),
        Command::Migrate => block_on(migrate(settings)),
        Command::Createsuperuser { username, email } => {
            block_on(superuser::create(settings, username.as_deref(), email.as_deref()))
        }
        Command::Openapi => say(lease_http::document()),
    }
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Runtime::new().map_err(Failure::other)?.block_on(work)
}

async fn migrate(settings: &Settings) -> Result<(), Failure> {
    store::postgres(settings, "migrate").await?;
    say("The database is up to date.")
}

/// Prints a line.
fn say(line: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{line}").map_err(Failure::other)
}

/// Why the process ends without having done what it was asked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// A setting is wrong, in one line.
    #[error("{0}")]
    Setting(String),
    /// Anything else.
    #[error("{}", one_line(&**.0))]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }

    const fn exit_code(&self) -> u8 {
        match self {
            Self::Setting(_) => 2,
            Self::Other(_) => 1,
        }
    }
}

/// An error and what is behind it, in one line.
fn one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let mut parts: Vec<String> = chain.map(|error| error.to_string().replace('\n', " ")).collect();
    // Many errors repeat in their own words what is behind them.
    parts.dedup_by(|next, earlier| earlier.contains(next.as_str()));
    parts.join(": ")
}
