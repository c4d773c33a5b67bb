//! The test clock (chapter 11): a clock of the process that superusers move forward.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use tokio::sync::Mutex;

use super::claims::KEPT;
use super::{LeaseEngine, Maintenance, RequestContext};
use crate::clock::{AdvanceError, TestClock, check_advance};
use crate::error::Error;
use crate::input::{Field, FieldErrors, Form, Invalid, UpdateMode, draft, some_given};
use crate::permission::{Act, Actor, Resource};
use crate::repository::KeyHash;

draft! {
    /// How far the clock goes forward: exactly one of the two fields.
    pub struct AdvanceDraft as AdvanceInput {
        /// The instant to which it goes; not before its present time.
        pub to: Field<DateTime<Utc>> as nullable InstantInput,
        /// The number of seconds by which it goes.
        pub seconds: Field<i64> as nullable Seconds like 86_400,
    }
}

/// How far the clock goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Advance {
    To(DateTime<Utc>),
    By(Duration),
}

/// The test clock of an engine.
#[derive(Debug)]
pub(super) struct Moving {
    clock: Arc<TestClock>,
    /// The last move under an idempotency key. It is made once even if what came due could not be done, so that the request is sent
    /// again.
    last: Mutex<Option<Moved>>,
}

/// A move that was made.
#[derive(Debug)]
struct Moved {
    key: KeyHash,
    advance: Advance,
    /// The end of the idempotency record.
    kept_until: DateTime<Utc>,
}

impl Moving {
    pub(super) fn new(clock: Arc<TestClock>) -> Self {
        Self { clock, last: Mutex::default() }
    }
}

impl LeaseEngine {
    /// Whether the engine has a test clock that superusers may move.
    #[must_use]
    pub fn has_test_clock(&self) -> bool {
        self.shared.test_clock.is_some()
    }

    /// The time of the test clock (rule 11.1).
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], [`Error::PermissionDenied`]; [`Error::NotFound`] without a test clock.
    pub fn read_test_clock(&self, actor: &Actor) -> Result<DateTime<Utc>, Error> {
        self.moving(actor, Act::Read)?;
        Ok(self.now())
    }

    /// Moves the test clock forward, and does all background work that has come due (rule 11.2). Returns the time after it.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], [`Error::PermissionDenied`]; [`Error::NotFound`] without a test clock; invalid fields;
    /// [`Error::Unavailable`] if what came due could not be done: the clock has then moved, and goes no further if the command is
    /// repeated under the same idempotency key.
    pub async fn advance_test_clock(
        &self,
        context: impl Into<RequestContext>,
        draft: &AdvanceDraft,
        settings: &Maintenance,
    ) -> Result<DateTime<Utc>, Error> {
        let context = context.into();
        let moving = self.moving(&context.actor, Act::Update)?;
        let advance = Advance::read(draft)?;
        let mut last = moving.last.lock().await;
        let key = context.claim.map(|claim| claim.key);
        if !last.as_ref().is_some_and(|last| last.is_repeated(key, advance, self.now())) {
            let to = advance.target(self.now()).map_err(|error| advance.wrong(error))?;
            if let Some(claim) = &context.claim {
                // Otherwise the record would expire with the move, and the request could be repeated.
                self.keep_claim_until_after(claim, to).await?;
            }
            let now = advance.make(&moving.clock).map_err(|error| advance.wrong(error))?;
            tracing::info!(%now, "the test clock was moved");
            *last = key.map(|key| Moved { key, advance, kept_until: to + KEPT });
            if let Some(claim) = &context.claim {
                self.check_claim(claim).await?;
            }
        }
        self.catch_up(settings).await?;
        Ok(self.now())
    }

    fn moving(&self, actor: &Actor, act: Act) -> Result<&Moving, Error> {
        actor.require(Resource::TestClock, act)?;
        self.shared.test_clock.as_ref().ok_or(Error::NotFound)
    }
}

impl Moved {
    fn is_repeated(&self, key: Option<KeyHash>, advance: Advance, now: DateTime<Utc>) -> bool {
        key == Some(self.key) && advance == self.advance && now < self.kept_until
    }
}

impl Advance {
    fn read(draft: &AdvanceDraft) -> Result<Self, FieldErrors> {
        let mut form = Form::new(UpdateMode::Full);
        let positive = |seconds: &i64| if *seconds > 0 { Ok(Some(*seconds)) } else { Err(Invalid::NumberNotPositive) };
        let to = form.optional("to", &draft.to, None, None, some_given);
        let seconds = form.optional("seconds", &draft.seconds, None, None, positive);
        form.finish()?;
        match (to.flatten(), seconds.flatten()) {
            (Some(to), None) => Ok(Self::To(to)),
            (None, Some(seconds)) => Ok(Self::By(Duration::try_seconds(seconds).unwrap_or(Duration::MAX))),
            _ => Err(FieldErrors::one(FieldErrors::NON_FIELD, Invalid::ToOrSeconds)),
        }
    }

    /// The instant to which the clock goes from `now`.
    fn target(self, now: DateTime<Utc>) -> Result<DateTime<Utc>, AdvanceError> {
        let to = match self {
            Self::To(to) => to,
            Self::By(by) => now.checked_add_signed(by).ok_or(AdvanceError::TooFar)?,
        };
        check_advance(now, to)?;
        Ok(to)
    }

    fn make(self, clock: &TestClock) -> Result<DateTime<Utc>, AdvanceError> {
        match self {
            Self::To(to) => clock.advance_to(to),
            Self::By(by) => clock.advance_by(by),
        }
    }

    fn wrong(self, error: AdvanceError) -> FieldErrors {
        let field = match self {
            Self::To(_) => "to",
            Self::By(_) => "seconds",
        };
        FieldErrors::one(field, error)
    }
}
