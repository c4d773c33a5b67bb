//! The path of every command: load the snapshot, decide, commit; and start over if a row has changed in the meantime.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use chrono::{DateTime, Utc};

use super::{LeaseEngine, Precondition};
use crate::account::current_actor;
use crate::client::ClientNetwork;
use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::id::NewIds;
use crate::permission::Actor;
use crate::repository::{Change, Claim, Commit, Envelope, Guarantee, RepositoryError, RequestId};

/// The context of a command: the actor, the request, the idempotency claim and the client.
///
/// A plain [`Actor`] converts into a context with nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestContext {
    /// The actor.
    pub actor: Actor,
    /// The request that the command belongs to; it goes into the envelope, beside the events.
    pub request_id: Option<RequestId>,
    /// The idempotency claim: the command's commit marks it as done in the same atomic step, and is refused if it is no longer
    /// held.
    pub claim: Option<Claim>,
    /// The network of the client, whose passwords wait in a line of their own.
    pub client: Option<ClientNetwork>,
    /// What must hold for the command to be carried out, beside its rules.
    pub precondition: Option<Precondition>,
}

impl RequestContext {
    /// A context for this actor, with nothing else.
    #[must_use]
    pub const fn new(actor: Actor) -> Self {
        Self { actor, request_id: None, claim: None, client: None, precondition: None }
    }

    /// The same context, with this request.
    #[must_use]
    pub fn with_request_id(self, request_id: Option<RequestId>) -> Self {
        Self { request_id, ..self }
    }

    /// The same context, with this claim.
    #[must_use]
    pub fn with_claim(self, claim: Option<Claim>) -> Self {
        Self { claim, ..self }
    }

    /// The same context, with this client.
    #[must_use]
    pub fn with_client(self, client: Option<ClientNetwork>) -> Self {
        Self { client, ..self }
    }

    /// The same context, with this precondition.
    #[must_use]
    pub fn with_precondition(self, precondition: Option<Precondition>) -> Self {
        Self { precondition, ..self }
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
    /// The snapshot that the decision read.
    pub(super) snapshot: S,
    /// The changes.
    pub(super) changes: C,
    /// The ids of the rows that were created.
    pub(super) ids: NewIds,
    /// The actor for whom the command was finally decided.
    pub(super) actor: Actor,
    /// The instant of the decision.
    pub(super) at: DateTime<Utc>,
}

impl LeaseEngine {
    /// Loads, decides and commits, until the command is committed or refused.
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
            Outcome::NothingToDo(_) => Err(Error::internal("a decided command was not committed")),
        }
    }

    /// The same as [`execute`](Self::execute), for a decision that may find that nothing is left to do.
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
        let RequestContext { mut actor, request_id, claim, client: _, precondition } = context;
        let mut pauses = pauses();
        loop {
            let at = self.now();
            let snapshot = load(actor, at).await?;
            let Some(Decision { changes, events }) = decide(&snapshot, &actor, at)? else {
                return Ok(Outcome::NothingToDo(snapshot));
            };
            if let Some(precondition) = &precondition {
                precondition.require().await?;
            }
            let envelope = Envelope { actor, at, request_id: request_id.clone(), claim, events };
            let commit = Commit::new(envelope, changes.clone());
            let error = match self.store().commit(&commit).await {
                Ok(ids) => return Ok(Outcome::Committed(Committed { snapshot, changes, ids, actor, at })),
                Err(error) => error,
            };
            match error {
                // Another request took the key over: this one may no longer write.
                RepositoryError::Taken(Guarantee::Claim) => return Err(Refusal::IdempotencyKeyInUse.into()),
                // Another process has made one, and no attempt can change that.
                RepositoryError::Taken(Guarantee::FirstSuperuser) => return Err(error.into()),
                RepositoryError::Taken(Guarantee::Actor) => actor = self.current_actor(&actor).await?,
                // A row has changed, or another commit came first. Deciding has no side effects, so it can be repeated.
                RepositoryError::Conflict | RepositoryError::Taken(_) => {}
                _ => return Err(error.into()),
            }
            let Some(pause) = pauses.next() else { return Err(error.into()) };
            sleep(pause).await;
        }
    }

    /// The actor that an acting user is now: they may have been deactivated, or given another role.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`] if they may no longer act at all.
    pub(super) async fn current_actor(&self, actor: &Actor) -> Result<Actor, Error> {
        let user = actor.user().ok_or(Error::NotAuthenticated)?;
        let found = self.store().load_account(user).await?.ok_or(Error::NotAuthenticated)?;
        current_actor(actor, &found.account, self.policy())
    }
}

/// The outcome of a command.
pub(super) enum Outcome<S, C> {
    /// It was committed.
    Committed(Committed<S, C>),
    /// Nothing was left to do.
    NothingToDo(S),
}

/// The pauses between attempts: random and growing, so that hundreds of commands for the same row spread out; their number is
/// bounded.
fn pauses() -> impl Iterator<Item = Duration> {
    let growing = ExponentialBuilder::new()
        .with_min_delay(Duration::from_micros(250))
        .with_max_delay(Duration::from_millis(500))
        .with_max_times(22)
        .with_jitter()
        .build();
    std::iter::once(Duration::ZERO).chain(growing)
}

#[expect(
    clippy::disallowed_methods,
    reason = "commands that collided must not retry in step; nothing signals that a row is no longer contended"
)]
async fn sleep(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// The error for a store that committed a change and does not tell what it created.
pub(super) fn no_row() -> Error {
    Error::internal("the store returned no id for a row that it created")
}
