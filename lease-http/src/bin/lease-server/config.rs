//! The settings (chapter 7): each is a flag and an environment variable. All are checked before anything else is done.

#![expect(clippy::doc_markdown, reason = "these comments are the text of --help, which has no markup")]

use std::env;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use axum::http::HeaderName;
use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use lease_core::account::PasswordParams;
use lease_core::money::{Currency, Money};
use lease_core::policy::{LatePayments, Policy};
use lease_http::{CorsOrigins, HttpOptions};
use lease_mail::parse_public_url;
use lease_store_postgres::{Pooler, PostgresOptions};
use secrecy::SecretString;
use url::Url;

use crate::failure::Failure;
use crate::parse;

/// A server for leasing and selling vehicles.
#[derive(Debug, Parser)]
#[command(name = "lease-server", version, about)]
pub(crate) struct Cli {
    /// The command; serve is the default.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve requests; Postgres migrations are applied first, unless --no-migrate is given.
    Serve,
    /// Create a superuser, asking for values that are not given. The password is asked for, or read from
    /// LEASE_SUPERUSER_PASSWORD, because every user of the machine can read a command line.
    Createsuperuser {
        /// The user name to log in with.
        #[arg(long, env = "LEASE_SUPERUSER_USERNAME")]
        username: Option<String>,
        /// The e-mail address.
        #[arg(long, env = "LEASE_SUPERUSER_EMAIL")]
        email: Option<String>,
    },
    /// Apply the Postgres migrations and exit.
    Migrate,
    /// Check that the invariants hold in the Postgres database, such as after a restore. It only reads. Every violation is a
    /// line of the output, and the exit code is 1 if there are any.
    Check,
    /// Import the data of a Django Lease API into an empty Postgres database, and say what becomes of each row that is not taken as it
    /// is. See docs/django.md.
    ImportDjango {
        /// The file that `manage.py dumpdata` wrote, as JSON in UTF-8 or UTF-16.
        #[arg(long, value_name = "FILE", conflicts_with = "from", required_unless_present = "from")]
        dump: Option<PathBuf>,
        /// The URL of Django's database, such as postgres://user:password@host/name or sqlite:db.sqlite3. It is only read.
        #[arg(long, env = "LEASE_IMPORT_FROM", value_name = "URL", hide_env_values = true, value_parser = parse::secret)]
        from: Option<SecretString>,
        /// Say what would be done, and write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Print the OpenAPI document.
    Openapi,
}

#[derive(Args, Debug)]
#[command(next_line_help = true)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub(crate) struct Settings {
    /// The address to listen on.
    #[arg(long, env = "LEASE_BIND", global = true, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8000", value_parser = parse::address)]
    pub(crate) bind: SocketAddr,
    /// The URL of the Postgres database, such as postgres://user:password@host/name. Without it, all data is kept in memory.
    #[arg(long, env = "DATABASE_URL", global = true, value_name = "URL", hide_env_values = true, value_parser = parse::secret)]
    pub(crate) database_url: Option<SecretString>,
    /// The maximum number of connections to the database.
    #[arg(long, env = "LEASE_DATABASE_MAX_CONNECTIONS", global = true, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) database_max_connections: u32,
    /// The schema that holds the tables. Another than public lets them live beside those of an app.
    #[arg(long, env = "LEASE_DATABASE_SCHEMA", global = true, value_name = "NAME", default_value = "public", value_parser = parse::schema)]
    pub(crate) database_schema: String,
    /// The pooler between the server and Postgres: none; transaction, for one like PgBouncer in transaction mode; or
    /// transaction-prepared, for one that also keeps prepared statements.
    #[arg(long, env = "LEASE_DATABASE_POOLER", global = true, value_name = "MODE", default_value = "none")]
    pub(crate) database_pooler: PoolerMode,
    /// Do not apply the Postgres migrations, and refuse to start if one is missing. The role of the server then needs no right to
    /// create tables.
    #[arg(long, env = "LEASE_NO_MIGRATE", global = true, value_parser = BoolishValueParser::new())]
    pub(crate) no_migrate: bool,
    /// The number of days for which a token is valid.
    #[arg(long, env = "LEASE_TOKEN_TTL_DAYS", global = true, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) token_ttl_days: u32,
    /// The number of days for which events are kept. Without it, they are kept for ever.
    #[arg(long, env = "LEASE_EVENT_RETENTION_DAYS", global = true, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) event_retention_days: Option<u32>,
    /// The memory used to hash a password.
    #[arg(long, env = "LEASE_ARGON2_MEMORY_KIB", global = true, value_name = "KIB", default_value_t = 19_456, value_parser = clap::value_parser!(u32).range(8..=4_194_304))]
    pub(crate) argon2_memory_kib: u32,
    /// The number of passes over that memory.
    #[arg(long, env = "LEASE_ARGON2_ITERATIONS", global = true, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) argon2_iterations: u32,
    /// The number of failed logins per minute for one client address and name; 0 for no limit. With all names together, a client
    /// address may fail five times as often.
    #[arg(long, env = "LEASE_LOGIN_FAILURES_PER_MINUTE", global = true, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(crate) login_failures_per_minute: u32,
    /// The number of attempts to register per minute for one client address, and of mails asked for; 0 for no limit.
    #[arg(long, env = "LEASE_REGISTRATIONS_PER_MINUTE", global = true, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(crate) registrations_per_minute: u32,
    /// Ask customers for their present password with a new password or another e-mail address.
    #[arg(long, env = "LEASE_REQUIRE_CURRENT_PASSWORD", global = true, value_parser = BoolishValueParser::new())]
    pub(crate) require_current_password: bool,
    /// Let customers only read until they have confirmed their e-mail address.
    #[arg(long, env = "LEASE_REQUIRE_VERIFIED_EMAIL", global = true, value_parser = BoolishValueParser::new())]
    pub(crate) require_verified_email: bool,
    /// The mail server: smtps://user:password@host, or smtp://user:password@host:587?tls=required; or file: and a folder, which gets
    /// each mail as a file. Without it, no mail is sent.
    #[arg(long, env = "LEASE_SMTP_URL", global = true, value_name = "URL", hide_env_values = true, value_parser = parse::secret)]
    pub(crate) smtp_url: Option<SecretString>,
    /// The sender of mails, such as "Lease <no-reply@example.com>"; required with --smtp-url.
    #[arg(long, env = "LEASE_MAIL_FROM", global = true, value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,
    /// A folder with templates of mails that are used in place of those of the same names.
    #[arg(long, env = "LEASE_MAIL_TEMPLATES", global = true, value_name = "FOLDER")]
    pub(crate) mail_templates: Option<PathBuf>,
    /// The address at which people reach this server, such as `https://lease.example.com`. Links in mails begin with it; without it,
    /// mails contain the token that the link would.
    #[arg(long, env = "LEASE_PUBLIC_URL", global = true, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// The name of the platform, in mails and on the pages that they lead to.
    #[arg(long, env = "LEASE_PLATFORM_NAME", global = true, value_name = "NAME", default_value = "Lease", value_parser = parse::platform_name)]
    pub(crate) platform_name: String,
    /// Serve the staff console, at /console.
    #[arg(long, env = "LEASE_CONSOLE", global = true, value_name = "true|false", default_value = "true", num_args = 0..=1, default_missing_value = "true", action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub(crate) console: bool,
    /// Let webhooks go to addresses that are not public, and without TLS: for trials, and where every endpoint is in one's own network.
    #[arg(long, env = "LEASE_WEBHOOK_ALLOW_PRIVATE", global = true, value_parser = BoolishValueParser::new())]
    pub(crate) webhook_allow_private: bool,
    /// Whether payments after the due date are accepted.
    #[arg(long, env = "LEASE_LATE_PAYMENTS", global = true, value_name = "accept|reject", default_value = "accept", value_parser = parse::late_payments)]
    pub(crate) late_payments: LatePayments,
    /// The number of declined payments of a customer within an hour from which on they have to wait; 0 for no limit.
    #[arg(long, env = "LEASE_DECLINES_PER_HOUR", global = true, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub(crate) declines_per_hour: u32,
    /// Who charges cards: sandbox, with which no money moves; or stripe, which requires LEASE_STRIPE_SECRET_KEY,
    /// LEASE_STRIPE_PUBLISHABLE_KEY and LEASE_STRIPE_WEBHOOK_SECRET, and takes LEASE_STRIPE_API_BASE.
    #[arg(long, env = "LEASE_GATEWAY", global = true, value_name = "sandbox|stripe", default_value = "sandbox")]
    pub(crate) gateway: GatewayKind,
    /// The minutes for which a payment waits for its payer before it is given up.
    #[arg(long, env = "LEASE_PAYMENT_ACTION_MINUTES", global = true, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub(crate) payment_action_minutes: u32,
    /// The number of proposals that a customer may make in one trade.
    #[arg(long, env = "LEASE_MAX_PROPOSALS", global = true, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) max_proposals: u32,
    /// The number of days that a proposal may cover.
    #[arg(long, env = "LEASE_MAX_DAYS", global = true, value_name = "DAYS", default_value_t = 3_660, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) max_days: u32,
    /// The fee of the standard service Lease, which is created if there is no service yet.
    #[arg(long, env = "LEASE_LEASE_FEE", global = true, value_name = "AMOUNT", default_value = "49.00")]
    pub(crate) lease_fee: String,
    /// The fee of the standard service Sell.
    #[arg(long, env = "LEASE_SELL_FEE", global = true, value_name = "AMOUNT", default_value = "199.00")]
    pub(crate) sell_fee: String,
    /// The currency of both fees.
    #[arg(long, env = "LEASE_FEE_CURRENCY", global = true, value_name = "CODE", default_value = "USD", value_parser = parse::currency)]
    pub(crate) fee_currency: Currency,
    /// The number of connections that are open at the same time. While it is reached, a new one takes the place of the one that
    /// has waited longest for its client.
    #[arg(long, env = "LEASE_MAX_CONNECTIONS", global = true, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_connections: u32,
    /// The time after which a request gets the response 503, and after which an idle connection is closed.
    #[arg(long, env = "LEASE_REQUEST_TIMEOUT_SECONDS", global = true, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=110))]
    pub(crate) request_timeout_seconds: u64,
    /// The time that pending requests are given to finish when the server stops.
    #[arg(long, env = "LEASE_SHUTDOWN_TIMEOUT_SECONDS", global = true, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=3_600))]
    pub(crate) shutdown_timeout_seconds: u64,
    /// Let superusers move the server's clock forward, to try out what time brings: never where deadlines or money are real. Each
    /// process has a clock of its own, which starts at the system's time, so run one process only.
    #[arg(long, env = "LEASE_TEST_CLOCK", global = true, value_parser = BoolishValueParser::new())]
    pub(crate) test_clock: bool,
    /// The other origins whose pages may call the API, separated by commas; * for every origin.
    #[arg(long, env = "LEASE_CORS_ORIGINS", global = true, value_name = "ORIGINS", default_value = "", hide_default_value = true, value_parser = parse::origins)]
    pub(crate) cors_origins: CorsOrigins,
    /// The headers that those pages may send beside the ones that the API reads, separated by commas.
    #[arg(long, env = "LEASE_CORS_HEADERS", global = true, value_name = "NAMES", default_value = "traceparent,tracestate,baggage", value_delimiter = ',', value_parser = parse::header)]
    pub(crate) cors_headers: Vec<HeaderName>,
    /// The header in which a trusted proxy gives the client's address, such as x-forwarded-for or forwarded (RFC 7239). Without it,
    /// the client's address is that of the connection.
    #[arg(long, env = "LEASE_CLIENT_ADDRESS_HEADER", global = true, value_name = "NAME", value_parser = parse::header)]
    pub(crate) client_address_header: Option<HeaderName>,
    /// The format of the log.
    #[arg(long, env = "LEASE_LOG_FORMAT", global = true, value_name = "text|json", default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// The filter of the log, such as info or info,lease_http=debug. RUST_LOG is used if this is not given.
    #[arg(long, env = "LEASE_LOG", global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

/// The fees of the standard services.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fees {
    pub(crate) lease: Money,
    pub(crate) sell: Money,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// The values of --gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GatewayKind {
    Sandbox,
    Stripe,
}

/// The values of --database-pooler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PoolerMode {
    None,
    Transaction,
    TransactionPrepared,
}

impl From<PoolerMode> for Pooler {
    fn from(mode: PoolerMode) -> Self {
        match mode {
            PoolerMode::None => Self::None,
            PoolerMode::Transaction => Self::Transaction,
            PoolerMode::TransactionPrepared => Self::TransactionPrepared,
        }
    }
}

impl Settings {
    /// The options of a store on Postgres.
    pub(crate) fn postgres(&self) -> PostgresOptions {
        PostgresOptions::default()
            .with_max_connections(self.database_max_connections)
            .with_schema(&self.database_schema)
            .with_pooler(self.database_pooler.into())
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy::default()
            .with_token_ttl(chrono::Duration::days(self.token_ttl_days.into()))
            .with_late_payments(self.late_payments)
            .with_currency(self.fee_currency)
            .with_declines_per_hour(self.declines_per_hour)
            .with_gateway_timeout(self.gateway_timeout())
            .with_payment_action(chrono::Duration::minutes(self.payment_action_minutes.into()))
            .with_max_proposals(self.max_proposals)
            .with_max_days(self.max_days)
            .with_private_webhooks(self.webhook_allow_private)
            .with_require_current_password(self.require_current_password)
            .with_require_verified_email(self.require_verified_email)
            .with_event_retention(self.event_retention_days.map(|days| chrono::Duration::days(days.into())))
    }

    /// The gateway has less time than the request that waits for it.
    fn gateway_timeout(&self) -> chrono::Duration {
        let usual = Policy::default().gateway_timeout;
        let request = chrono::Duration::seconds(self.request_timeout_seconds.try_into().unwrap_or(i64::MAX / 1_000));
        usual.min(request * 2 / 3)
    }

    /// The two fees.
    pub(crate) fn fees(&self) -> Result<Fees, Failure> {
        let fee = |flag: &str, text: &str| {
            Money::parse(text, self.fee_currency)
                .map_err(|error| Failure::Setting(format!("invalid value '{text}' for '{flag}': {error}")))
        };
        Ok(Fees { lease: fee("--lease-fee", &self.lease_fee)?, sell: fee("--sell-fee", &self.sell_fee)? })
    }

    /// The address with which links begin. Its error does not show it, since what is wrong may be a password in it.
    pub(crate) fn public_url(&self) -> Result<Option<Url>, Failure> {
        let url = self.public_url.as_deref().map(parse_public_url).transpose();
        url.map_err(|error| Failure::Setting(format!("invalid value for '--public-url': {error}")))
    }

    pub(crate) const fn password_params(&self) -> PasswordParams {
        PasswordParams { memory_kib: self.argon2_memory_kib, iterations: self.argon2_iterations }
    }

    pub(crate) fn http_options(&self) -> HttpOptions {
        HttpOptions::default()
            .with_request_timeout(Duration::from_secs(self.request_timeout_seconds))
            .with_cors_origins(self.cors_origins.clone())
            .with_cors_headers(self.cors_headers.clone())
            .with_client_address_header(self.client_address_header.clone())
            .with_login_failures_per_minute(self.login_failures_per_minute)
            .with_registrations_per_minute(self.registrations_per_minute)
            .with_platform_name(self.platform_name.clone())
            .with_console(self.console)
    }
}

/// Reads the settings from flags and variables. If this ends the process, the reason has been printed: help is not an error, and
/// a wrong setting takes one line.
pub(crate) fn read() -> Result<Cli, ExitCode> {
    let failure = match parsed() {
        Ok(cli) => match cli.settings.fees().and(cli.settings.public_url()) {
            Ok(_) => return Ok(cli),
            Err(failure) => failure,
        },
        Err(error) if !error.use_stderr() => {
            // Nothing can be done if even this cannot be printed.
            let _ = error.print();
            return Err(ExitCode::SUCCESS);
        }
        Err(error) => Failure::Setting(first_paragraph(&error.to_string())),
    };
    let _ = writeln!(std::io::stderr(), "lease-server: {failure}");
    Err(ExitCode::from(failure.exit_code()))
}

/// Settings whose variables count as not given while they are empty.
const MAY_BE_EMPTY: [&str; 5] = ["smtp_url", "mail_from", "mail_templates", "public_url", "platform_name"];

fn parsed() -> Result<Cli, clap::Error> {
    let given = |arg: Arg| {
        let is_empty = arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
        if is_empty { arg.env(None::<&'static str>) } else { arg }
    };
    let mut command = MAY_BE_EMPTY.into_iter().fold(Cli::command(), |command, setting| command.mut_arg(setting, given));
    let mut matches = command.try_get_matches_from_mut(env::args_os())?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// The first paragraph of clap's message, which names the error, in one line.
fn first_paragraph(message: &str) -> String {
    let paragraph = message.split("\n\n").next().unwrap_or_default();
    let line: Vec<&str> = paragraph.lines().map(str::trim).collect();
    line.join(" ").trim_start_matches("error: ").to_owned()
}

/// The value of a variable, if it has one.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
