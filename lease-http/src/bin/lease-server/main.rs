//! `lease-server`: the engine and its REST layer as a process of its own (chapter 7).

mod check;
mod clock;
mod config;
mod connections;
mod engine;
mod failure;
mod gateway;
mod import_django;
mod log;
mod messages;
mod output;
mod parse;
mod serve;
mod store;
mod superuser;

use std::io::Write as _;
use std::process::ExitCode;

use config::{Cli, Command, Settings};
use failure::Failure;
use output::print_line;

/// Requests allocate and free small pieces on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match config::read() {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    match run(&cli) {
        Ok(exit) => exit,
        Err(failure) => {
            // Nothing can be done if even this cannot be printed.
            let _ = writeln!(std::io::stderr(), "lease-server: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(cli: &Cli) -> Result<ExitCode, Failure> {
    let settings = &cli.settings;
    match cli.command.as_ref().unwrap_or(&Command::Serve) {
        Command::Check => return block_on(check::check(settings)),
        Command::Serve => block_on(serve::serve(settings)),
        Command::Migrate => block_on(migrate(settings)),
        Command::Createsuperuser { username, email } => {
            block_on(superuser::create(settings, username.as_deref(), email.as_deref()))
        }
        Command::ImportDjango { dump, from, dry_run } => {
            block_on(import_django::import(settings, dump.as_deref(), from.as_ref(), *dry_run))
        }
        Command::Openapi if settings.test_clock => print_line(lease_http::document_with_test_clock()),
        Command::Openapi => print_line(lease_http::document()),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Runtime::new().map_err(Failure::other)?.block_on(work)
}

async fn migrate(settings: &Settings) -> Result<(), Failure> {
    store::migrated(settings, "migrate").await?;
    print_line("The database is up to date.")
}
