use super::command::Committed;
use super::{LeaseEngine, RequestContext};
use crate::account::{
    NewAccount, Session, TakenNames, Token, TokenText, TokenUse, check_session, console_session, revoke_token, revoke_tokens,
    session,
};
use crate::error::Error;
use crate::id::Stored;
use crate::model::{Account, ExternalId, LoginName};
use crate::page::PageRequest;
use crate::repository::{TokenKey, UserFilter};

/// The names that a draft gives.
#[derive(Clone, Debug, Default)]
pub(super) struct WantedNames {
    pub(super) logins: Vec<LoginName>,
    pub(super) external_id: Option<ExternalId>,
}

impl From<Vec<LoginName>> for WantedNames {
    fn from(logins: Vec<LoginName>) -> Self {
        Self { logins, external_id: None }
    }
}

/// The account that a command has created.
pub(super) fn created_account<S>(done: Committed<S, NewAccount>) -> Result<Account, Error> {
    let id = done.ids.user.ok_or_else(|| Error::internal("a new user has no id"))?;
    Ok(Account { user: Stored { id, value: done.changes.user }, customer_id: done.ids.customer })
}

impl LeaseEngine {
    /// What of the names in a draft is taken.
    pub(super) async fn taken_names(&self, names: &WantedNames) -> Result<TakenNames, Error> {
        let WantedNames { logins, external_id } = names;
        let logins = if logins.is_empty() { Vec::new() } else { self.store().taken_names(logins).await? };
        let external_id = self.account_of(external_id.as_ref()).await?.map(|account| account.user.id);
        Ok(TakenNames { logins, external_id })
    }

    /// The account with this external id.
    pub(super) async fn account_of(&self, external_id: Option<&ExternalId>) -> Result<Option<Account>, Error> {
        let Some(external_id) = external_id.cloned() else { return Ok(None) };
        let filter = UserFilter { external_id: Some(external_id), ..UserFilter::default() };
        Ok(self.store().list_users(&filter, PageRequest::default()).await?.items.pop())
    }

    /// The session that this token belongs to.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], whatever is wrong with the token; [`Error::Unavailable`].
    pub async fn authenticate(&self, token: &TokenText) -> Result<Session, Error> {
        session(self.store().find_token(TokenKey::Hash(token.hash())).await?, self.policy(), self.now())
    }

    /// The session of the console that this token belongs to (chapter 10).
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], whatever is wrong with the token; [`Error::Unavailable`].
    pub async fn authenticate_console(&self, token: &TokenText) -> Result<Session, Error> {
        let hash = token.hash_for(TokenUse::Console);
        console_session(self.store().find_token(TokenKey::Hash(hash)).await?, self.policy(), self.now())
    }

    /// Succeeds if a session goes on: its token is still good, and its user has the same role. For what goes on for long after
    /// [`authenticate`](Self::authenticate), such as a stream of events.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`] if it does not; [`Error::Unavailable`].
    pub async fn check_session(&self, known: &Session) -> Result<(), Error> {
        check_session(known, self.store().find_token(TokenKey::Id(known.token.id)).await?, self.now())
    }

    /// Revokes a token of the actor's user, such as that of their session (rule 3.3).
    ///
    /// # Errors
    /// As [`revoke_token`]; [`Error::Unavailable`].
    pub async fn logout(&self, context: impl Into<RequestContext>, token: &Stored<Token>) -> Result<(), Error> {
        let load = |_, _| async { Ok(()) };
        self.execute(context, load, |(), actor, _| revoke_token(token, actor)).await.map(drop)
    }

    /// Revokes all tokens of the actor's user (rule 3.3).
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn logout_everywhere(&self, context: impl Into<RequestContext>) -> Result<(), Error> {
        self.execute(context, |actor, _| self.load_own_account(actor), revoke_tokens).await.map(drop)
    }
}
