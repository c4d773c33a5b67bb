//! What the engine does where users have passwords (feature `passwords`).

mod login;
mod new_password;
mod settings;
mod users;

use std::sync::OnceLock;

pub use login::{LoggedIn, LoginDraft, Registered};
pub(super) use settings::HasherSettings;

use super::users::CheckedUser;
use super::{LeaseEngine, RequestContext};
use crate::account::{AccountSnapshot, CheckedUpdate, PasswordHash, PasswordHasher, PasswordWork};
use crate::client::ClientNetwork;
use crate::error::Error;
use crate::id::Versioned;

/// The work on the password of one command: for whom it is, and the hash, which is made once, however often the command is decided.
pub(super) struct Hashing {
    client: Option<ClientNetwork>,
    hash: OnceLock<PasswordHash>,
}

impl Hashing {
    pub(super) fn of(context: &RequestContext) -> Self {
        Self { client: context.client, hash: OnceLock::new() }
    }
}

impl LeaseEngine {
    /// The hasher of passwords.
    #[must_use]
    pub fn password_hasher(&self) -> &PasswordHasher {
        &self.shared.hasher
    }

    /// Checks a change of an account and hashes its new password in one piece of work.
    async fn check_and_hash(
        &self,
        account: Versioned<AccountSnapshot>,
        check: impl FnOnce() -> Result<CheckedUpdate, Error> + Send + 'static,
        hashing: &Hashing,
    ) -> Result<CheckedUser, Error> {
        let known = hashing.hash.get().cloned();
        let work = move |work: &mut PasswordWork<'_>| {
            let checked = check()?;
            let hash = |password| known.map_or_else(|| work.hash(password), Ok);
            let password = checked.new_password.as_ref().map(hash).transpose()?;
            Ok::<_, Error>((checked, password))
        };
        let (checked, password) = self.shared.hasher.run(hashing.client, work).await??;
        Ok((account, checked, password.map(|password| hashing.hash.get_or_init(|| password).clone())))
    }
}
