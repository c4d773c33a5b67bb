//! The log: one line for each event on the standard output, as text or as JSON. An error at the start goes to the standard error,
//! where nothing else is written. A thread of its own writes the lines, so that no request waits for whoever reads them; if they
//! are not read for long, new ones are dropped.

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use lease_http::Metrics;

use crate::config::{LogFormat, Settings};
use crate::failure::Failure;

/// The default filter.
const DEFAULT: &str = "info,sqlx=warn";
/// The maximum number of lines that wait to be written.
const MAX_WAITING: usize = 10_000;

/// A log that has been started. Dropping it writes the lines that are waiting, if they are read.
pub(crate) struct Log {
    dropped: ErrorCounter,
    _writer: WorkerGuard,
}

impl Log {
    /// Counts the lines that were dropped.
    pub(crate) fn watch(&self, metrics: &Metrics) -> Result<(), prometheus::Error> {
        let dropped = self.dropped.clone();
        let read = move || i64::try_from(dropped.dropped_lines()).unwrap_or(i64::MAX);
        metrics.watch("lease_log_lines_dropped", "Lines of the log that were dropped, because nobody read it.", read)
    }
}

/// Starts logging.
pub(crate) fn start(settings: &Settings) -> Result<Log, Failure> {
    let given = settings.log.clone().or_else(|| std::env::var("RUST_LOG").ok()).filter(|text| !text.trim().is_empty());
    let text = given.as_deref().unwrap_or(DEFAULT);
    let filter =
        EnvFilter::try_new(text).map_err(|error| Failure::Setting(format!("invalid value '{text}' for '--log': {error}")))?;
    let (output, writer) = NonBlockingBuilder::default().buffered_lines_limit(MAX_WAITING).finish(std::io::stdout());
    let started = Log { dropped: output.error_counter(), _writer: writer };
    let log = tracing_subscriber::fmt().with_writer(output).with_env_filter(filter).with_target(false);
    match settings.log_format {
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stdout())).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    }
    .map_err(Failure::other)?;
    Ok(started)
}
