//! Faults that the model can be given: what it finds nothing wrong with is worth something only if it finds these.

use std::borrow::Cow;

use lease_core::lifecycle::{TradeChanges, TradeSnapshot};
use lease_core::permission::Actor;

/// What is not as it should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Decisions do not see something, as if a guard were missing.
    Blind(fn(&mut TradeSnapshot, Actor)),
    /// Decisions forget to change something.
    Forgetful(fn(&mut TradeChanges)),
    /// Commits do not look at the version.
    StaleCommits,
    /// The gateway charges again under a key that it had before.
    ForgetfulGateway,
    /// A charge that the gateway does not know of is taken for declined, though it may be on its way.
    HastyRecovery,
}

impl Fault {
    /// What a decision gets to see.
    pub(crate) fn seen(self, snapshot: &TradeSnapshot, actor: Actor) -> Cow<'_, TradeSnapshot> {
        let Self::Blind(blind) = self else { return Cow::Borrowed(snapshot) };
        let mut seen = snapshot.clone();
        blind(&mut seen, actor);
        Cow::Owned(seen)
    }

    /// What comes of a decision.
    pub(crate) fn written(self, mut changes: TradeChanges) -> TradeChanges {
        if let Self::Forgetful(forget) = self {
            forget(&mut changes);
        }
        changes
    }
}
