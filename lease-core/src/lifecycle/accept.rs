use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::id::CustomerId;
use crate::invoicing::{FeePolicy, Moment, issue, owes_nothing};
use crate::lifecycle::{require_pending, visible_proposal};
use crate::model::{Agreement, InvoiceOn, ProposalState, ServiceKind};
use crate::permission::{Act, Actor, Resource};
use crate::trade::{ProposalView, TradeChanges, TradeSnapshot, conclude, proposal_decided, trade_agreed};

/// Accepts the snapshot's proposal (rule 4.4): the agreement is on exactly the terms that were read. It may issue the invoice, whose
/// amount `fees` decide (rule 5.2).
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`] for one's own proposal; [`Refusal::TradeNotOpen`], also for an actor who
/// could have accepted while the trade was open; [`Refusal::ProposalExpired`], [`Refusal::ProposalNotPending`],
/// [`Refusal::PartyInactive`], [`Refusal::VehicleNotAvailable`]; [`Error::Internal`] with a
/// [`FeeError`](crate::invoicing::FeeError).
pub fn accept(
    snapshot: &TradeSnapshot,
    actor: &Actor,
    fees: &dyn FeePolicy,
    now: DateTime<Utc>,
) -> Result<Decision<TradeChanges>, Error> {
    let Acceptable { view, counterparty_id } = acceptable(snapshot, actor, now)?;
    let proposal = &view.proposal;
    let agreement = Agreement { counterparty_id, proposal_id: proposal.id, days: proposal.period, agreed_at: now };
    let accepted = ProposalState::Accepted { at: now };
    let changes = TradeChanges {
        active_party: Some(proposal.customer_id),
        decided: Some((proposal.id, accepted)),
        close_others: Some(now),
        ..TradeChanges::default()
    };
    let mut decision = Decision::new(changes, proposal_decided(snapshot.trade.customer_id, proposal.id, proposal, accepted));
    let moment = Moment {
        invoice_on: InvoiceOn::Acceptance,
        proposal,
        proposal_id: Some(proposal.id),
        counterparty_id: Some(counterparty_id),
        now,
    };
    issue(&mut decision, snapshot, fees, &moment)?;
    let is_invoiced = decision.new_invoice.is_some();
    decision.events.insert(1, trade_agreed(&snapshot.trade, agreement, is_invoiced));
    conclude(&mut decision, snapshot, agreement, !is_invoiced && owes_nothing(snapshot), now);
    Ok(decision)
}

/// A proposal that an actor may accept.
pub(super) struct Acceptable<'a> {
    view: &'a ProposalView,
    counterparty_id: CustomerId,
}

/// The snapshot's proposal, if the actor may accept it now.
pub(super) fn acceptable<'a>(snapshot: &'a TradeSnapshot, actor: &Actor, now: DateTime<Utc>) -> Result<Acceptable<'a>, Error> {
    let customer = actor.require_customer(Resource::Proposal, Act::Decide)?;
    let owner = snapshot.trade.customer_id;
    let view = match visible_proposal(snapshot, actor) {
        // Everybody saw the owner's proposal while the trade was open and its owner active, so it is hidden only because one of
        // the two is no longer so.
        Err(Error::NotFound) => match &snapshot.proposal {
            Some(view) if view.proposal.customer_id == owner => view,
            _ => return Err(Error::NotFound),
        },
        visible => visible?,
    };
    let proposal = &view.proposal;
    let counterparty_id = match (customer == owner, proposal.customer_id == owner) {
        (true, false) => proposal.customer_id,
        (false, true) => customer,
        (true, true) | (false, false) => return Err(Error::PermissionDenied),
    };
    require_pending(snapshot, proposal, now)?;
    if !view.author_is_active || !snapshot.owner_is_active {
        return Err(Refusal::PartyInactive.into());
    }
    require_available(snapshot, view)?;
    Ok(Acceptable { view, counterparty_id })
}

/// Refuses if the vehicle is leased on the same days, or is to be sold while a lease runs or lies ahead (rule 4.10).
fn require_available(snapshot: &TradeSnapshot, view: &ProposalView) -> Result<(), Refusal> {
    let needs_the_vehicle = view.proposal.period.is_some() || snapshot.service.kind == ServiceKind::Sell;
    if needs_the_vehicle && view.agreed_period_in_the_way.is_some() {
        return Err(Refusal::VehicleNotAvailable);
    }
    Ok(())
}
