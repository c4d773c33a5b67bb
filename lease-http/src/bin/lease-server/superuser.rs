//! The superuser that the environment describes, and `createsuperuser`.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::Arc;

use lease_core::gateway::SandboxGateway;
use lease_core::{Error, LeaseEngine};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{Settings, variable};
use crate::engine::engine;
use crate::failure::Failure;
use crate::output::print_line;
use crate::store;

const USERNAME: &str = "LEASE_SUPERUSER_USERNAME";
const EMAIL: &str = "LEASE_SUPERUSER_EMAIL";
const PASSWORD: &str = "LEASE_SUPERUSER_PASSWORD";

/// The user who is to become a superuser.
struct Superuser {
    username: String,
    email: String,
    password: SecretString,
}

/// The superuser that the environment describes; `None` if none of the variables is set.
fn from_environment() -> Option<Result<Superuser, Failure>> {
    match (variable(USERNAME), variable(EMAIL), variable(PASSWORD)) {
        (None, None, None) => None,
        (Some(username), Some(email), Some(password)) => Some(Ok(Superuser { username, email, password: password.into() })),
        _ => Some(Err(Failure::Setting(format!("{USERNAME}, {EMAIL} and {PASSWORD} are required together")))),
    }
}

/// Creates the superuser that the environment describes, if there is no active superuser. Where there is one, the variables have no
/// effect, whatever they say: a password that is left lying about in the environment makes nobody a superuser.
pub(crate) async fn ensure_at_start(engine: &LeaseEngine) -> Result<(), Failure> {
    let Some(given) = from_environment() else { return Ok(()) };
    let is_made = !engine.has_active_superuser().await.map_err(Failure::other)? && create_first(engine, given?).await?;
    if is_made {
        tracing::info!("the superuser of the environment was created");
    } else {
        tracing::warn!("there is a superuser already: {USERNAME}, {EMAIL} and {PASSWORD} have no effect, so remove them");
    }
    Ok(())
}

async fn create_first(engine: &LeaseEngine, superuser: Superuser) -> Result<bool, Failure> {
    let Superuser { username, email, password } = superuser;
    let made = engine.ensure_first_superuser(&username, &email, password).await.map_err(not_created)?;
    Ok(made.is_some())
}

/// The failure of a superuser who was not created. If the given values are the reason, it names them.
fn not_created(error: Error) -> Failure {
    match error {
        Error::Invalid(errors) => {
            let messages =
                errors.iter().flat_map(|(field, reasons)| reasons.iter().map(move |reason| format!("{field}: {reason}")));
            Failure::Setting(format!("the superuser cannot be created: {}", messages.collect::<Vec<_>>().join(" ")))
        }
        error => Failure::other(error),
    }
}

/// Runs `createsuperuser`.
pub(crate) async fn create(settings: &Settings, username: Option<&str>, email: Option<&str>) -> Result<(), Failure> {
    let store = store::postgres(settings, "createsuperuser").await?;
    let engine = engine(settings, Arc::new(store), Arc::new(SandboxGateway::new()), None)?;
    let superuser = Superuser {
        username: given_or_prompted(username, "Username: ")?,
        email: given_or_prompted(email, "E-mail address: ")?,
        password: match variable(PASSWORD) {
            Some(password) => password.into(),
            None => prompt_password_twice()?,
        },
    };
    let Superuser { username, email, password } = &superuser;
    match engine.ensure_superuser(username, email, password.clone()).await.map_err(not_created)? {
        (_, true) => print_line(&format!("The superuser {username} was created.")),
        (_, false) => Err(Failure::Other(format!("a user {username} already exists; nothing was changed").into())),
    }
}

fn given_or_prompted(given: Option<&str>, question: &str) -> Result<String, Failure> {
    match given.filter(|value| !value.is_empty()) {
        Some(given) => Ok(given.to_owned()),
        None => prompt(question),
    }
}

/// The next line of the standard input.
fn prompt(question: &str) -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        write!(io::stdout(), "{question}").and_then(|()| io::stdout().flush()).map_err(Failure::other)?;
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(Failure::other)?;
    match line.trim() {
        "" => Err(Failure::Setting(format!("nothing was given for: {}", question.trim_end_matches(": ")))),
        answer => Ok(answer.to_owned()),
    }
}

/// Asks for a password, twice if the input is a terminal, which does not show it.
fn prompt_password_twice() -> Result<SecretString, Failure> {
    if !io::stdin().is_terminal() {
        return prompt("Password: ").map(SecretString::from);
    }
    let ask = |question| rpassword::prompt_password(question).map(SecretString::from).map_err(Failure::other);
    let (password, again) = (ask("Password: ")?, ask("Password (again): ")?);
    if password.expose_secret() == again.expose_secret() {
        Ok(password)
    } else {
        Err(Failure::Setting("the passwords differ".to_owned()))
    }
}
