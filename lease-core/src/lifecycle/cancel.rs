use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::event::{Event, EventType};
use crate::id::ProposalId;
use crate::input::{Field, Form, UpdateMode, draft};
use crate::lifecycle::require_visible;
use crate::model::{Agreement, ProposalState, TradeState};
use crate::permission::{Act, Actor, Grant, Resource};
use crate::text;
use crate::trade::{TradeChanges, TradeMove, TradeSnapshot, proposal_decided, trade_moved};

draft! {
    /// The fields for cancelling a trade.
    pub struct CancellationDraft as CancellationInput {
        /// Why the trade is cancelled; required for a trade that is agreed.
        pub reason: Field<String> as nullable FreeText like "The car is needed again.",
    }
}

/// Cancels a trade (rule 4.6). Its owner and staff may do so while it is open; staff also while it is agreed, which rescinds the
/// accepted proposal and frees its days. An invoice that was issued remains as it is.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; invalid fields; [`Refusal::TradeNotOpen`].
pub fn cancel(
    snapshot: &TradeSnapshot,
    actor: &Actor,
    draft: &CancellationDraft,
    now: DateTime<Utc>,
) -> Result<Decision<TradeChanges>, Error> {
    require_right(snapshot, actor)?;
    let agreement = agreement_to_rescind(snapshot, actor);
    let mut form = Form::new(UpdateMode::Full);
    let reason = match agreement {
        Ok(Some(_)) => form.required("reason", &draft.reason, None, |reason| text::reason(reason)),
        _ => form.optional("reason", &draft.reason, None, String::new(), |reason| text::free(reason)),
    };
    let Some(reason) = reason else { return Err(form.errors.into()) };
    let agreement = agreement?;

    let trade = &snapshot.trade;
    let undated = agreement.map(|agreement| Agreement { days: None, ..*agreement });
    let to = TradeMove::Cancel { at: now, reason: reason.clone(), agreement: undated };
    let cancelled = trade_moved(EventType::TradeCancelled, trade, &trade.state, to.clone().into()).fact("reason", reason);
    let changes = TradeChanges { close_others: Some(now), state: Some(to), ..TradeChanges::default() };
    let mut decision = Decision::new(changes, [cancelled]);
    if let Some(agreement) = agreement {
        let to = ProposalState::Rescinded { at: now };
        decision.events.extend(rescinded(snapshot, agreement.proposal_id, to)?);
        decision.decided = Some((agreement.proposal_id, to));
    }
    Ok(decision)
}

/// Succeeds if the actor may cancel the trade now.
pub(super) fn may_cancel(snapshot: &TradeSnapshot, actor: &Actor) -> Result<(), Error> {
    require_right(snapshot, actor)?;
    Ok(agreement_to_rescind(snapshot, actor).map(drop)?)
}

fn require_right(snapshot: &TradeSnapshot, actor: &Actor) -> Result<(), Error> {
    require_visible(snapshot, actor)?;
    actor.require_own(Resource::Trade, Act::Cancel, |customer| customer == snapshot.trade.customer_id)
}

/// The agreement that is rescinded: that of an agreed trade, which only those may cancel who may cancel every trade.
fn agreement_to_rescind<'a>(snapshot: &'a TradeSnapshot, actor: &Actor) -> Result<Option<&'a Agreement>, Refusal> {
    match &snapshot.trade.state {
        TradeState::Open => Ok(None),
        TradeState::Agreed(agreement) if actor.grant(Resource::Trade, Act::Cancel) == Grant::All => Ok(Some(agreement)),
        TradeState::Agreed(_) | TradeState::Completed { .. } | TradeState::Cancelled { .. } => Err(Refusal::TradeNotOpen),
    }
}

/// The event of the accepted proposal, with which an agreed trade is loaded.
fn rescinded(snapshot: &TradeSnapshot, id: ProposalId, to: ProposalState) -> Result<Option<Event>, Error> {
    let accepted = snapshot.proposal.as_ref().map(|view| &view.proposal).filter(|proposal| proposal.id == id);
    let accepted = accepted.ok_or_else(|| Error::internal("an agreed trade was loaded without its accepted proposal"))?;
    Ok(proposal_decided(snapshot.trade.customer_id, id, accepted, to))
}
