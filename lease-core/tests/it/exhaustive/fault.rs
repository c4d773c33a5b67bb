//! Faults that can be put into the model. A search without errors is evidence only if it finds these faults.

use std::borrow::Cow;

use lease_core::lifecycle::{TradeChanges, TradeSnapshot};
use lease_core::permission::Actor;

/// A fault.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// No fault.
    None,
    /// Decisions do not see some data, as if a check were missing.
    Blind(fn(&mut TradeSnapshot, Actor)),
    /// Decisions omit a change.
    Forgetful(fn(&mut TradeChanges)),
    /// Commits do not check the version.
    StaleCommits,
    /// The gateway moves money again under a key that it has seen before.
    ForgetfulGateway,
    /// A charge or a refund that the gateway does not know is treated as declined, though it may still be on its way.
    HastyRecovery,
    /// A charge that waits for its payer is given up without the gateway, so that the payer may still act.
    HastyRelease,
}

impl Fault {
    /// Removes data that a decision reads.
    pub(crate) fn seen(self, snapshot: &TradeSnapshot, actor: Actor) -> Cow<'_, TradeSnapshot> {
        let Self::Blind(blind) = self else { return Cow::Borrowed(snapshot) };
        let mut seen = snapshot.clone();
        blind(&mut seen, actor);
        Cow::Owned(seen)
    }

    /// Removes changes from the result of a decision.
    pub(crate) fn written(self, mut changes: TradeChanges) -> TradeChanges {
        if let Self::Forgetful(forget) = self {
            forget(&mut changes);
        }
        changes
    }
}
