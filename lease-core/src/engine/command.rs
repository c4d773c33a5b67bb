//! The path of every command: load what the decision reads, decide, commit; and again where something moved meanwhile.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use chrono::{DateTime, Utc};

use super::LeaseEngine;
use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::id::NewIds;
use crate::permission::Actor;
use crate::repository::{Change, Claim, Commit, Envelope, Guarantee, RepositoryError, RequestId};

/// Who gives a command, for which request and under which idempotency claim.
///
/// A plain [`Actor`] converts into one without request and claim.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestContext {
    /// Who acts.
    pub actor: Actor,
    /// The request that the command is given for; it is part of what is recorded.
    pub request_id: Option<RequestId>,
    /// The idempotency claim: the command's commit marks it as done in the same atomic step, and is refused where it was lost.
    pub claim: Option<Claim>,
}

impl RequestContext {
    /// A command of this actor, for no request and under no claim.
    #[must_use]
    pub const fn new(actor: Actor) -> Self {
        Self { actor, request_id: None, claim: None }
    }

    /// The same, for this request.
    #[must_use]
    pub fn with_request_id(self, request_id: Option<RequestId>) -> Self {
        Self { request_id, ..self }
    }

    /// The same, under this claim.
    #[must_use]
    pub fn with_claim(self, claim: Option<Claim>) -> Self {
        Self { claim, ..self }
    }
}

impl From<Actor> for RequestContext {
    fn from(actor: Actor) -> Self {
        Self::new(actor)
    }
}

impl From<&Actor> for RequestContext {
    fn from(actor: &Actor) -> Self {
        Self::new(*actor)
    }
}

impl From<&Self> for RequestContext {
    fn from(context: &Self) -> Self {
        context.clone()
    }
}

/// A command that was committed.
pub(super) struct Committed<S, C> {
    /// What the decision read.
    pub(super) snapshot: S,
    /// What changed.
    pub(super) changes: C,
    /// The ids of what was created.
    pub(super) ids: NewIds,
    /// Who it was decided for in the end.
    pub(super) actor: Actor,
    /// The instant of the decision.
    pub(super) at: DateTime<Utc>,
}

impl LeaseEngine {
    /// Loads, decides and commits, until it is committed or refused.
    pub(super) async fn execute<S, C, F>(
        &self,
        context: impl Into<RequestContext>,
        load: impl FnMut(Actor, DateTime<Utc>) -> F,
        decide: impl Fn(&S, &Actor, DateTime<Utc>) -> Result<Decision<C>, Error>,
    ) -> Result<Committed<S, C>, Error>
    where
        F: Future<Output = Result<S, Error>>,
        C: Clone + Into<Change>,
    {
        let decide = |snapshot: &S, actor: &Actor, now| decide(snapshot, actor, now).map(Some);
        match self.execute_if_needed(context.into(), load, decide).await? {
            Outcome::Committed(committed) => Ok(committed),
            Outcome::NothingToDo(_) => Err(Error::internal("a command that is decided is committed")),
        }
    }

    /// [`execute`](Self::execute) for a decision that may find that there is nothing left to do.
    pub(super) async fn execute_if_needed<S, C, F>(
        &self,
        context: RequestContext,
        mut load: impl FnMut(Actor, DateTime<Utc>) -> F,
        decide: impl Fn(&S, &Actor, DateTime<Utc>) -> Result<Option<Decision<C>>, Error>,
    ) -> Result<Outcome<S, C>, Error>
    where
        F: Future<Output = Result<S, Error>>,
        C: Clone + Into<Change>,
    {
        let RequestContext { mut actor, request_id, claim } = context;
        let mut pauses = pauses();
        loop {
            let at = self.now();
            let snapshot = load(actor, at).await?;
            let Some(Decision { changes, events }) = decide(&snapshot, &actor, at)? else {
                return Ok(Outcome::NothingToDo(snapshot));
            };
            let envelope = Envelope { actor, at, request_id: request_id.clone(), claim, events };
            let commit = Commit::new(envelope, changes.clone());
            let error = match self.store().commit(&commit).await {
                Ok(ids) => return Ok(Outcome::Committed(Committed { snapshot, changes, ids, actor, at })),
                Err(error) => error,
            };
            match error {
                // Another request took the key over: this one must not act any more.
                RepositoryError::Taken(Guarantee::Claim) => return Err(Refusal::IdempotencyKeyInUse.into()),
                RepositoryError::Taken(Guarantee::Actor) => actor = self.current_actor(&actor).await?,
                // A row moved, or another change came first. Deciding is pure, so nothing happened yet.
                RepositoryError::Conflict | RepositoryError::Taken(_) => {}
                _ => return Err(error.into()),
            }
            let Some(pause) = pauses.next() else { return Err(error.into()) };
            sleep(pause).await;
        }
    }

    /// Who an acting user is by now: they were deactivated, or have another role.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`] where they may not act at all any more.
    pub(super) async fn current_actor(&self, actor: &Actor) -> Result<Actor, Error> {
        let user = actor.user().ok_or(Error::NotAuthenticated)?;
        let account = self.store().load_account(user).await?.ok_or(Error::NotAuthenticated)?.value.account;
        let current = Actor::of(&account);
        let is_another_customer = actor.customer().is_some() && current.customer().is_some() && actor != &current;
        if !account.user.is_active || current == Actor::Anonymous || is_another_customer {
            return Err(Error::NotAuthenticated);
        }
        Ok(current)
    }
}

/// The end of a command.
pub(super) enum Outcome<S, C> {
    /// It was committed.
    Committed(Committed<S, C>),
    /// What it would do was done before.
    NothingToDo(S),
}

/// The pauses between attempts: growing and at random, so that hundreds who want the same row spread out, and bounded in number.
fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_micros(500))
        .with_max_delay(Duration::from_millis(500))
        .with_max_times(23)
        .with_jitter()
        .build()
}

#[expect(
    clippy::disallowed_methods,
    reason = "those who collided must not come back in step; nothing signals when a row is calm"
)]
async fn sleep(pause: Duration) {
    tokio::time::sleep(pause).await;
}
