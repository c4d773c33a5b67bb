//! Asking the app's own [`Guard`](crate::guard::Guard), if there is one.

use chrono::{DateTime, Utc};

use super::LeaseEngine;
use crate::error::Error;
use crate::guard::GuardedAct;
use crate::lifecycle::{AvailableAction, TradeSnapshot};
use crate::permission::Actor;

impl LeaseEngine {
    /// Whether an app's own [`Guard`](crate::guard::Guard) may refuse acts.
    #[must_use]
    pub fn has_guard(&self) -> bool {
        self.shared.guard.is_some()
    }

    /// Succeeds if no guard refuses an act that the rules allow.
    pub(super) fn ask_guard(&self, actor: &Actor, act: Option<GuardedAct<'_>>, now: DateTime<Utc>) -> Result<(), Error> {
        let Some(guard) = &self.shared.guard else { return Ok(()) };
        let act = act.ok_or_else(|| Error::internal("what an act is about was not loaded"))?;
        Ok(guard.check(actor, &act, now)?)
    }

    /// The actions that the guard does not refuse either.
    pub(super) fn unrefused(
        &self,
        mut actions: Vec<AvailableAction>,
        snapshot: &TradeSnapshot,
        actor: &Actor,
        now: DateTime<Utc>,
    ) -> Vec<AvailableAction> {
        if let Some(guard) = &self.shared.guard {
            actions.retain(|action| {
                let act = GuardedAct::behind(*action, snapshot);
                act.is_none_or(|act| guard.check(actor, &act, now).is_ok())
            });
        }
        actions
    }
}
