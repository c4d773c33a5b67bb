use chrono::{DateTime, Utc};

use crate::invoicing::{may_move_due_date, may_pay, may_refund, may_void, may_write_off, require_cancellable};
use crate::lifecycle::accept::acceptable;
use crate::lifecycle::cancel::may_cancel;
use crate::lifecycle::end::may_end;
use crate::lifecycle::propose::may_propose;
use crate::lifecycle::reject::rejectable;
use crate::lifecycle::require_visible;
use crate::lifecycle::withdraw::withdrawable;
use crate::model::Payment;
use crate::permission::{Act, Actor, Resource};
use crate::policy::Policy;
use crate::trade::TradeSnapshot;

/// An action that an actor may take now.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum AvailableAction {
    /// Make a proposal in the trade.
    Propose,
    /// Accept the proposal.
    Accept,
    /// Reject the proposal.
    Reject,
    /// Withdraw the proposal.
    Withdraw,
    /// Cancel the trade, or the payment.
    Cancel,
    /// End the trade's days early.
    End,
    /// Pay the trade's invoice.
    Pay,
    /// Refund the payment.
    Refund,
    /// Void the trade's invoice.
    Void,
    /// Write the trade's invoice off.
    WriteOff,
    /// Move the due date of the trade's invoice.
    MoveDueDate,
}

#[cfg(feature = "serde")]
crate::as_text::as_text!(AvailableAction);

#[cfg(feature = "openapi")]
crate::openapi::enumerations! {
    AvailableAction: "An action that the caller may take now.";
}

/// The actions that the actor may take on the trade now. They are found by asking the decisions themselves, so that no user
/// interface has to repeat the rules.
#[must_use]
pub fn trade_actions(snapshot: &TradeSnapshot, actor: &Actor, policy: &Policy, now: DateTime<Utc>) -> Vec<AvailableAction> {
    let proposes = || {
        let author = actor.require_customer(Resource::Proposal, Act::Create)?;
        require_visible(snapshot, actor)?;
        may_propose(snapshot, author, policy).map_err(crate::Error::from)
    };
    which([
        (AvailableAction::Propose, proposes().is_ok()),
        (AvailableAction::Cancel, may_cancel(snapshot, actor).is_ok()),
        (AvailableAction::End, may_end(snapshot, actor).is_ok()),
        (AvailableAction::Pay, may_pay(snapshot, actor, policy, now).is_ok()),
        (AvailableAction::Void, may_void(snapshot, actor).is_ok()),
        (AvailableAction::WriteOff, may_write_off(snapshot, actor).is_ok()),
        (AvailableAction::MoveDueDate, may_move_due_date(snapshot, actor).is_ok()),
    ])
}

/// The actions that the actor may take on the snapshot's proposal now.
#[must_use]
pub fn proposal_actions(snapshot: &TradeSnapshot, actor: &Actor, now: DateTime<Utc>) -> Vec<AvailableAction> {
    which([
        (AvailableAction::Accept, acceptable(snapshot, actor, now).is_ok()),
        (AvailableAction::Reject, rejectable(snapshot, actor, now).is_ok()),
        (AvailableAction::Withdraw, withdrawable(snapshot, actor, now).is_ok()),
    ])
}

/// The actions that the actor may take on the payment now.
#[must_use]
pub fn payment_actions(payment: &Payment, actor: &Actor) -> Vec<AvailableAction> {
    which([
        (AvailableAction::Cancel, require_cancellable(payment, actor).is_ok()),
        (AvailableAction::Refund, may_refund(payment, actor).is_ok()),
    ])
}

fn which<const N: usize>(asked: [(AvailableAction, bool); N]) -> Vec<AvailableAction> {
    asked.into_iter().filter_map(|(action, may)| may.then_some(action)).collect()
}
