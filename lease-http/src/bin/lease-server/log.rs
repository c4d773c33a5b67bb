//! The log: one line for each event on the standard output, as text or as JSON. An error at the start goes to the standard error,
//! where nothing else is written.

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};
use crate::failure::Failure;

/// The default filter.
const DEFAULT: &str = "info,sqlx=warn";

/// Starts logging.
pub(crate) fn start(settings: &Settings) -> Result<(), Failure> {
    let given = settings.log.clone().or_else(|| std::env::var("RUST_LOG").ok()).filter(|text| !text.trim().is_empty());
    let text = given.as_deref().unwrap_or(DEFAULT);
    let filter =
        EnvFilter::try_new(text).map_err(|error| Failure::Setting(format!("invalid value '{text}' for '--log': {error}")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    match settings.log_format {
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stdout())).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    }
    .map_err(Failure::other)
}
