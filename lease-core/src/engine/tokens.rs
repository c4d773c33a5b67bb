use chrono::{DateTime, Utc};

use super::command::no_row;
use super::{LeaseEngine, RequestContext};
use crate::account::{Token, TokenDraft, TokenHash, TokenText, create_token, revoke_listed_token, session};
use crate::error::Error;
use crate::id::{Stored, TokenId};
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{TokenFilter, TokenKey};

/// A token that was just created.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreatedToken {
    /// The token as it is stored.
    pub token: Stored<Token>,
    /// The token as its holder knows it.
    pub text: TokenText,
}

impl LeaseEngine {
    /// Creates a token for the user of a session (rule 3.3). `in_use` is the token of the session.
    ///
    /// # Errors
    /// As [`create_token`]; [`Error::NotAuthenticated`] also if the token in use is no longer valid; [`Error::Unavailable`].
    pub async fn create_token(
        &self,
        context: impl Into<RequestContext>,
        in_use: TokenHash,
        draft: &TokenDraft,
    ) -> Result<CreatedToken, Error> {
        let (text, ttl) = (TokenText::from_random(self.random()?), self.shared.policy.token_ttl);
        let load = |_, now: DateTime<Utc>| async move {
            session(self.store().find_token(TokenKey::Hash(in_use)).await?, self.policy(), now)
        };
        let decide = |session: &_, actor: &Actor, now| create_token(session, actor, draft, text.hash(), ttl, now);
        let done = self.execute(context, load, decide).await?;
        let token = Stored { id: done.ids.token.ok_or_else(no_row)?, value: done.changes };
        Ok(CreatedToken { token, text })
    }

    /// Revokes a token that the list of the actor's tokens shows (rule 3.3).
    ///
    /// # Errors
    /// As [`revoke_listed_token`]; [`Error::Unavailable`].
    pub async fn revoke_token(&self, context: impl Into<RequestContext>, id: TokenId) -> Result<(), Error> {
        let load = |actor: Actor, _| async move {
            actor.require(Resource::Token, Act::Delete)?;
            Ok(self.store().find_token(TokenKey::Id(id)).await?)
        };
        self.execute(context, load, |found, actor, now| revoke_listed_token(found.as_ref(), actor, now)).await.map(drop)
    }

    /// The live tokens of the actor's own user (rule 3.3).
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn list_tokens(&self, actor: &Actor, page: PageRequest) -> Result<Page<Stored<Token>>, Error> {
        actor.require(Resource::Token, Act::Read)?;
        let user_id = actor.user().ok_or(Error::NotAuthenticated)?;
        Ok(self.store().list_tokens(&TokenFilter { user_id }, page, self.now()).await?)
    }
}
