use chrono::{DateTime, NaiveDate, Utc};
use secrecy::SecretString;

use super::LeaseEngine;
use crate::account::{
    FIRST_EPOCH, PasswordHash, Registrant, RegistrationDraft, Session, TakenNames, Token, TokenText, check_registration,
    revoke_tokens, session,
};
use crate::clock::last_instant;
use crate::error::Error;
use crate::id::UserId;
use crate::input::{Field, Form, UpdateMode, draft};
use crate::model::{Account, LoginName, Profile};
use crate::permission::Actor;
use crate::repository::Login;

/// Somebody who has just registered.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The user, and the customer behind it.
    pub account: Account,
    /// What the customer told of themselves.
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

/// Somebody who has just logged in.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// The user, and the customer behind it where it trades.
    pub account: Account,
    /// The new token.
    pub token: TokenText,
    /// From when on it is not good.
    pub expires_at: DateTime<Utc>,
}

impl LeaseEngine {
    /// Makes a user, its customer and a token in one step (spec 3.1).
    ///
    /// # Errors
    /// Wrong fields; [`Error::Unavailable`].
    pub async fn register(&self, draft: &RegistrationDraft) -> Result<Registered, Error> {
        let token = TokenText::from_random(self.random()?);
        let check = |taken: &TakenNames, today| check_registration(draft, taken, today);
        let (account, profile) = self.make_account(&draft.login_names(), check, Some(&token)).await?;
        Ok(Registered { account, profile, token })
    }

    /// Makes what `check` lets pass, with a first token where one is handed out.
    pub(super) async fn make_account(
        &self,
        names: &[LoginName],
        check: impl Fn(&TakenNames, NaiveDate) -> Result<Registrant, Error>,
        token: Option<&TokenText>,
    ) -> Result<(Account, Profile), Error> {
        let mut hash = None;
        let mut retry = self.retry();
        loop {
            let now = self.now();
            let registrant = check(&self.store().taken_names(names).await?, now.date_naive())?;
            let password = self.hash_once(&mut hash, &registrant.password).await?;
            let token = token.map(|token| (token.hash(), self.token_end(now)));
            let new = registrant.into_new_user(password, token, now);
            match self.store().create_account(&new, self.claim).await {
                Ok(account) => return Ok((account, new.profile.unwrap_or_default())),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Makes a new token for who knows name and password (spec 3.2). Whatever is wrong, the response and the time it takes are the
    /// same.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`]; wrong fields; [`Error::Unavailable`].
    pub async fn login(&self, draft: &LoginDraft) -> Result<LoggedIn, Error> {
        let mut form = Form::new(UpdateMode::Full);
        let name = form.required("username", &draft.username, None, |name| Ok::<_, String>(LoginName::new(name)));
        let password = form.required("password", &draft.password, None, |password| Ok::<_, String>(password.clone()));
        let (Some(name), Some(password)) = (name, password) else { return Err(form.errors.into()) };

        let found = self.store().find_login(&name).await?;
        let known = found.as_ref().map(|account| &account.user.password);
        let is_right = self.shared.hasher.verify(&password, known).await.map_err(Error::internal)?;
        let account = found.filter(|account| is_right && account.user.is_active).ok_or(Error::InvalidCredentials)?;
        self.start_session(account).await
    }

    async fn start_session(&self, mut account: Account) -> Result<LoggedIn, Error> {
        let now = self.now();
        let text = TokenText::from_random(self.random()?);
        let expires_at = self.token_end(now);
        // The epoch is the one that the password was read in: should it change meanwhile, the token is dead on arrival.
        let token = Token { hash: text.hash(), user_id: account.user.id, epoch: account.user.token_epoch, expires_at };
        let mut retry = self.retry();
        while let Err(error) = self.store().commit_login(&Login { token: token.clone(), at: now }, self.claim).await {
            retry.after(error).await?;
        }
        account.user.value.last_login = Some(now);
        Ok(LoggedIn { account, token: text, expires_at })
    }

    /// Makes another first token, for answering a registration again whose response was lost. Not for who was deactivated since,
    /// or whose tokens were revoked: they have to log in.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn issue_first_token(&self, user: UserId) -> Result<LoggedIn, Error> {
        let account = self.store().load_account(user).await?.ok_or(Error::NotFound)?.value.account;
        if !account.user.is_active || account.user.token_epoch != FIRST_EPOCH {
            return Err(Error::NotAuthenticated);
        }
        self.start_session(account).await
    }

    /// Who comes with this token.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], whatever is wrong with it; [`Error::Unavailable`].
    pub async fn authenticate(&self, token: &TokenText) -> Result<Session, Error> {
        session(self.store().find_token(&token.hash()).await?, self.now())
    }

    /// Revokes the token of this session (spec 3.3).
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn logout(&self, session: &Session) -> Result<(), Error> {
        let mut retry = self.retry();
        while let Err(error) = self.store().delete_token(&session.token, self.claim).await {
            retry.after(error).await?;
        }
        Ok(())
    }

    /// Revokes all tokens of the actor's user (spec 3.3).
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn logout_everywhere(&self, actor: &Actor) -> Result<(), Error> {
        let user = actor.user().ok_or(Error::NotAuthenticated)?;
        let mut retry = self.retry();
        loop {
            let loaded = self.store().load_account(user).await?.ok_or(Error::NotFound)?;
            let change = revoke_tokens(&loaded, actor, self.now())?;
            match self.store().commit_account(&change, self.claim).await {
                Ok(_) => return Ok(()),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// The hash of a password, made once however often the command is decided.
    pub(super) async fn hash_once(
        &self,
        made: &mut Option<PasswordHash>,
        password: &SecretString,
    ) -> Result<PasswordHash, Error> {
        if let Some(hash) = made {
            return Ok(hash.clone());
        }
        let hash = self.shared.hasher.hash(password).await.map_err(Error::internal)?;
        Ok(made.insert(hash).clone())
    }

    /// The end of a token that is made now, or the last instant there is.
    fn token_end(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now.checked_add_signed(self.shared.policy.token_ttl).map_or_else(last_instant, |end| end.min(last_instant()))
    }
}
