//! The superuser: the one that exists after start, and `createsuperuser`.

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

/// Whoever shall be a superuser.
pub(crate) struct Superuser {
    username: String,
    email: String,
    password: SecretString,
}

/// The superuser of the environment; none where nothing of it is given.
pub(crate) fn from_environment() -> Result<Option<Superuser>, Failure> {
    let given = (variable(USERNAME), variable(EMAIL), variable(PASSWORD));
    match given {
        (None, None, None) => Ok(None),
        (Some(username), Some(email), Some(password)) => Ok(Some(Superuser { username, email, password: password.into() })),
        _ => Err(Failure::Setting(format!("{USERNAME}, {EMAIL} and {PASSWORD} are required together"))),
    }
}

/// Makes this superuser, unless a user of that name exists: that one, and whether it was made.
async fn ensure(engine: &LeaseEngine, superuser: &Superuser) -> Result<(Account, bool), Failure> {
    let Superuser { username, email, password } = superuser;
    engine.ensure_superuser(username, email, password.clone()).await.map_err(|error| match error {
        Error::Invalid(errors) => {
            let messages = errors.fields().flat_map(|field| errors.of(field).iter().map(move |text| format!("{field}: {text}")));
            Failure::Setting(format!("the superuser cannot be made: {}", messages.collect::<Vec<_>>().join(" ")))
        }
        error => Failure::other(error),
    })
}

/// Makes sure that the superuser of the environment exists. One that was deactivated or demoted since stays so: that somebody
/// with the right to it did so is no reason not to serve.
pub(crate) async fn ensure_at_start(engine: &LeaseEngine, superuser: &Superuser) -> Result<(), Failure> {
    match ensure(engine, superuser).await? {
        (_, true) => tracing::info!("the superuser of the environment was made"),
        (found, false) if found.user.is_active_superuser() => tracing::info!("the superuser of the environment exists"),
        (found, false) => tracing::error!(user = %found.user.id, "the user that {USERNAME} names is no active superuser"),
    }
    Ok(())
}

/// `createsuperuser`.
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
        (_, true) => print_line(&format!("The superuser {} was made.", superuser.username)),
        (_, false) => Err(Failure::Other(format!("a user {} exists already; nothing was changed", superuser.username).into())),
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

/// The next line that somebody types, or pipes in.
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

/// A password, twice where it cannot be seen while it is typed.
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
