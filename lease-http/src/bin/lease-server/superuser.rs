//! The superuser that the environment describes, and `createsuperuser`.

use std::env;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::Arc;

use lease_core::model::Account;
use lease_core::{Error, LeaseEngine};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Settings;
use crate::engine::engine;
use crate::failure::Failure;
use crate::output::print_line;
use crate::store;

const USERNAME: &str = "LEASE_SUPERUSER_USERNAME";
const EMAIL: &str = "LEASE_SUPERUSER_EMAIL";
const PASSWORD: &str = "LEASE_SUPERUSER_PASSWORD";

/// The user who is to become a superuser.
pub(crate) struct Superuser {
    username: String,
    email: String,
    password: SecretString,
}

/// The superuser that the environment describes; `None` if none of the variables is set.
pub(crate) fn from_environment() -> Result<Option<Superuser>, Failure> {
    let given = (variable(USERNAME), variable(EMAIL), variable(PASSWORD));
    match given {
        (None, None, None) => Ok(None),
        (Some(username), Some(email), Some(password)) => Ok(Some(Superuser { username, email, password: password.into() })),
        _ => Err(Failure::Setting(format!("{USERNAME}, {EMAIL} and {PASSWORD} are required together"))),
    }
}

/// Creates this superuser, unless there is a user of that name; returns the user, and whether it was created.
async fn ensure(engine: &LeaseEngine, superuser: &Superuser) -> Result<(Account, bool), Failure> {
    let Superuser { username, email, password } = superuser;
    engine.ensure_superuser(username, email, password.clone()).await.map_err(|error| match error {
        Error::Invalid(errors) => {
            let messages = errors.fields().flat_map(|field| errors.of(field).iter().map(move |text| format!("{field}: {text}")));
            Failure::Setting(format!("the superuser cannot be created: {}", messages.collect::<Vec<_>>().join(" ")))
        }
        error => Failure::other(error),
    })
}

/// Makes sure that the superuser of the environment exists. One who has been deactivated or demoted remains so: somebody who had
/// the right to do so did it, and the server starts nevertheless.
pub(crate) async fn ensure_at_start(engine: &LeaseEngine, superuser: &Superuser) -> Result<(), Failure> {
    match ensure(engine, superuser).await? {
        (_, true) => tracing::info!("the superuser of the environment was created"),
        (found, false) if found.user.is_active_superuser() => tracing::info!("the superuser of the environment exists"),
        (found, false) => tracing::error!(user = %found.user.id, "the user that {USERNAME} names is not an active superuser"),
    }
    Ok(())
}

/// Runs `createsuperuser`.
pub(crate) async fn create(settings: &Settings, username: Option<&str>, email: Option<&str>) -> Result<(), Failure> {
    let store = store::postgres(settings, "createsuperuser").await?;
    let engine = engine(settings, Arc::new(store))?;
    let superuser = Superuser {
        username: given_or_prompted(username, "Username: ")?,
        email: given_or_prompted(email, "E-mail address: ")?,
        password: match variable(PASSWORD) {
            Some(password) => password.into(),
            None => prompt_password_twice()?,
        },
    };
    match ensure(&engine, &superuser).await? {
        (_, true) => print_line(&format!("The superuser {} was created.", superuser.username)),
        (_, false) => Err(Failure::Other(format!("a user {} already exists; nothing was changed", superuser.username).into())),
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
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
