use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use secrecy::SecretString;

use super::Hashing;
use crate::account::{
    PasswordHash, PasswordWork, Registrant, RegistrationDraft, TakenNames, TokenText, TokenUse, check_login, check_registration,
    check_repeated_registration, expiry, log_in, password_to_verify,
};
use crate::engine::accounts::{WantedNames, created_account};
use crate::engine::{LeaseEngine, RequestContext};
use crate::error::Error;
use crate::id::UserId;
use crate::input::{Field, Form, Invalid, UpdateMode, as_given, draft};
use crate::model::{Account, LoginName, Profile};
use crate::permission::Actor;

/// The result of a registration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registered {
    /// The user, and the customer that belongs to it.
    pub account: Account,
    /// The customer's profile.
    pub profile: Profile,
    /// A first token.
    pub token: TokenText,
}

draft! {
    /// The fields for logging in.
    pub struct LoginDraft as LoginInput {
        /// The user name or the e-mail address.
        pub username: Field<String> as required UsernameOrEmail,
        /// The password.
        pub password: Field<SecretString> as required CurrentPassword,
    }
}

/// The result of a login.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoggedIn {
    /// The user, and its customer if it has one.
    pub account: Account,
    /// The new token.
    pub token: TokenText,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
}

impl LeaseEngine {
    /// Creates a user, its customer and a token in one step (rule 3.1).
    ///
    /// # Errors
    /// Invalid fields; [`Error::Unavailable`].
    pub async fn register(&self, context: impl Into<RequestContext>, draft: &RegistrationDraft) -> Result<Registered, Error> {
        let token = TokenText::from_random(self.random()?);
        let (names, draft) = (WantedNames::from(draft.login_names()), draft.clone());
        let check = move |_: &Actor, taken: &TakenNames, today| check_registration(&draft, taken, today);
        let (account, profile) = self.create_account(context, &names, check, Some(&token)).await?;
        Ok(Registered { account, profile, token })
    }

    /// Creates the account that `check` accepts, with a first token if one is wanted. Checking and hashing the password are one piece
    /// of work; if the command is decided several times, the password is hashed once.
    pub(super) async fn create_account(
        &self,
        context: impl Into<RequestContext>,
        names: &WantedNames,
        check: impl Fn(&Actor, &TakenNames, NaiveDate) -> Result<Registrant, Error> + Send + Sync + 'static,
        token: Option<&TokenText>,
    ) -> Result<(Account, Profile), Error> {
        let context = context.into();
        let (check, hashing) = (Arc::new(check), Hashing::of(&context));
        let load = |actor: Actor, now: DateTime<Utc>| {
            let (check, hashing) = (Arc::clone(&check), &hashing);
            async move {
                let names_taken = self.taken_names(names).await?;
                let hash = hashing.hash.get().cloned();
                let work = move |work: &mut PasswordWork<'_>| {
                    let registrant = check(&actor, &names_taken, now.date_naive())?;
                    let password = hash.map_or_else(|| work.hash(&registrant.password), Ok)?;
                    Ok::<_, Error>((registrant, password))
                };
                let (registrant, password) = self.shared.hasher.run(hashing.client, work).await??;
                Ok((registrant, hashing.hash.get_or_init(|| password).clone()))
            }
        };
        let decide = |(registrant, password): &(Registrant, PasswordHash), _: &Actor, now| {
            let token = token.map(|token| (token.hash(), self.token_end(TokenUse::Api, now)));
            Ok(registrant.clone().into_new_account(password.clone(), token, now))
        };
        let done = self.execute(context, load, decide).await?;
        let profile = done.changes.profile.clone().unwrap_or_default();
        Ok((created_account(done)?, profile))
    }

    /// Creates a new token for a user who gives the right name and password (rule 3.2). Whatever is wrong, the response and the
    /// time it takes are the same.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`]; invalid fields; [`Error::Unavailable`].
    pub async fn login(&self, context: impl Into<RequestContext>, draft: &LoginDraft) -> Result<LoggedIn, Error> {
        self.login_for(context, draft, TokenUse::Api).await
    }

    /// As [`login`](Self::login), with a token for this use (chapter 10).
    ///
    /// # Errors
    /// As [`login`](Self::login).
    pub async fn login_for(
        &self,
        context: impl Into<RequestContext>,
        draft: &LoginDraft,
        used: TokenUse,
    ) -> Result<LoggedIn, Error> {
        let mut form = Form::new(UpdateMode::Full);
        let name = form.required("username", &draft.username, None, |name| Ok::<_, Invalid>(LoginName::new(name)));
        let password = form.required("password", &draft.password, None, as_given);
        let (Some(name), Some(password)) = (name, password) else { return Err(form.errors.into()) };

        let context = context.into();
        let found = self.store().find_login(&name).await?;
        let verified = self.shared.hasher.verify(context.client, &password, password_to_verify(found.as_ref())).await?;
        self.start_session(context, check_login(found, verified.matches, used)?, used, verified.renewed).await
    }

    /// The user who logs in with this name or e-mail address. Whoever limits logins counts both names of a user as one by it; a client
    /// must not learn of it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn user_named(&self, name: &str) -> Result<Option<UserId>, Error> {
        Ok(self.store().find_login(&LoginName::new(name)).await?.map(|account| account.user.id))
    }

    async fn start_session(
        &self,
        context: impl Into<RequestContext>,
        mut account: Account,
        used: TokenUse,
        renewed: Option<PasswordHash>,
    ) -> Result<LoggedIn, Error> {
        let token = TokenText::from_random(self.random()?);
        let load = |_, _| async { Ok(()) };
        let hash = token.hash_for(used);
        let decide = |(): &(), _: &Actor, now| Ok(log_in(&account, hash, used, self.token_end(used, now), renewed.clone(), now));
        let done = self.execute(context, load, decide).await?;
        account.user.value.last_login = Some(done.at);
        Ok(LoggedIn { account, token, expires_at: done.changes.token.expires_at })
    }

    /// Repeats the response to a registration whose response was lost, with a new first token. A user who was deactivated since,
    /// or whose tokens were revoked, must log in instead.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn repeat_registration(&self, user: UserId) -> Result<Registered, Error> {
        let account = self.store().load_account(user).await?.ok_or(Error::NotFound)?.value.account;
        check_repeated_registration(&account)?;
        let LoggedIn { account, token, .. } = self.start_session(Actor::Anonymous, account, TokenUse::Api, None).await?;
        let profile = match account.customer_id {
            Some(customer) => self.store().find_customer(customer).await?.ok_or(Error::NotFound)?.profile.clone(),
            None => Profile::default(),
        };
        Ok(Registered { account, profile, token })
    }

    /// The instant at which a token that is created now expires.
    fn token_end(&self, used: TokenUse, now: DateTime<Utc>) -> DateTime<Utc> {
        expiry(now, used.ttl(self.policy()))
    }
}
