use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::error::{Error, Refusal};
use crate::id::{CustomerId, TradeId};
use crate::input::{Field, FieldErrors, Form, UpdateMode, draft, some_given};
use crate::invoicing::issue;
use crate::lifecycle::{Event, TradeChanges, TradeSnapshot, require_open, require_visible};
use crate::model::{InvoiceOn, Period, Proposal, ProposalState, Service, ServiceKind};
use crate::money::{Money, positive};
use crate::permission::{Act, Actor, Resource};
use crate::text;

draft! {
    /// The fields for making a proposal.
    pub struct ProposalDraft as ProposalInput {
        /// The trade to make the proposal in.
        pub trade_id: Field<TradeId> as required Id,
        /// The price of a sale, or the monthly price of a lease, in the currency of the service.
        pub amount: Field<Decimal> as required PriceInput,
        /// The first day. A lease needs both dates and a sale takes neither; a custom service takes both or neither.
        pub start_date: Field<NaiveDate> as nullable DateInput,
        /// The day after the last one; later than `start_date`.
        pub end_date: Field<NaiveDate> as nullable DateInput,
        /// A message to the other party.
        pub message: Field<String> as nullable FreeText,
        /// When the proposal expires, in the future. From then on it cannot be accepted, rejected or withdrawn.
        pub expires_at: Field<DateTime<Utc>> as nullable InstantInput,
    }
}

/// Makes a proposal, or a counter-proposal (spec 4.2, 4.3); the first of a trade may issue the invoice (spec 5.2).
///
/// # Errors
/// [`Error::NotFound`] for a hidden trade; wrong fields; [`Refusal::TradeNotOpen`], [`Refusal::OwnerProposalRequired`],
/// [`Refusal::ProposalLimit`].
pub fn propose(
    snapshot: &TradeSnapshot,
    actor: &Actor,
    draft: &ProposalDraft,
    limit: u32,
    now: DateTime<Utc>,
) -> Result<TradeChanges, Error> {
    let author = actor.require_customer(Resource::Proposal, Act::Create)?;
    require_visible(snapshot, actor)?;
    let proposal = read_proposal(snapshot, author, draft, now)?;
    may_propose(snapshot, author, limit)?;

    let mut changes = TradeChanges::default();
    if let Some(earlier) = &snapshot.viewer.pending {
        // One that expired stays expired; it only gets stored as such.
        let ended = match earlier.state_at(now) {
            ProposalState::Pending => {
                changes.events.push(Event::ProposalSuperseded(earlier.id));
                ProposalState::Superseded { at: now }
            }
            expired => expired,
        };
        changes.decided = Some((earlier.id, ended));
    }
    changes.events.push(Event::ProposalMade { customer_id: author, amount: proposal.amount });
    changes.new_proposal = Some(proposal);
    if !snapshot.has_proposals {
        issue(&mut changes, snapshot, InvoiceOn::FirstProposal, None, None, now);
    }
    Ok(changes)
}

/// What is wrong with a draft whose trade is not known, `trade_id` at least: for callers that name the trade in the draft.
#[must_use]
pub fn propose_in_unknown_trade(actor: &Actor, draft: &ProposalDraft, now: DateTime<Utc>) -> Error {
    if let Err(error) = actor.require_customer(Resource::Proposal, Act::Create) {
        return error;
    }
    let mut form = Form::new(UpdateMode::Full);
    form.required("trade_id", &draft.trade_id, None, |_| Err::<(), _>("There is no such trade."));
    form.required("amount", &draft.amount, None, |amount| positive(*amount));
    form.optional("start_date", &draft.start_date, None, None, some_given);
    form.optional("end_date", &draft.end_date, None, None, some_given);
    read_message(&mut form, draft);
    read_expiry(&mut form, draft, now);
    Error::Invalid(form.errors)
}

/// What the state says to one more proposal of this author.
pub(super) fn may_propose(snapshot: &TradeSnapshot, author: CustomerId, limit: u32) -> Result<(), Refusal> {
    require_open(snapshot)?;
    if !snapshot.has_proposals && author != snapshot.trade.customer_id {
        return Err(Refusal::OwnerProposalRequired);
    }
    if snapshot.viewer.proposals_made >= limit {
        return Err(Refusal::ProposalLimit);
    }
    Ok(())
}

fn read_proposal(
    snapshot: &TradeSnapshot,
    author: CustomerId,
    draft: &ProposalDraft,
    now: DateTime<Utc>,
) -> Result<Proposal, FieldErrors> {
    let mut form = Form::new(UpdateMode::Full);
    let currency = snapshot.service.fee.currency();
    let amount =
        form.required("amount", &draft.amount, None, |amount| positive(*amount).and_then(|amount| Money::new(amount, currency)));
    let period = read_period(&mut form, draft, &snapshot.service);
    let message = read_message(&mut form, draft);
    let expires_at = read_expiry(&mut form, draft, now);
    let (Some(amount), Some(message)) = (amount, message) else { return Err(form.errors) };
    form.finish()?;
    Ok(Proposal {
        trade_id: snapshot.trade.id,
        customer_id: author,
        amount,
        period,
        message,
        expires_at,
        created_at: now,
        state: ProposalState::Pending,
    })
}

fn read_message(form: &mut Form, draft: &ProposalDraft) -> Option<String> {
    form.optional("message", &draft.message, None, String::new(), |message| text::free(message))
}

/// The end of the proposal's time: none where none is given, or an error was noted.
fn read_expiry(form: &mut Form, draft: &ProposalDraft, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let in_future = |at: &DateTime<Utc>| if *at > now { Ok(Some(*at)) } else { Err("The time must lie in the future.") };
    form.optional("expires_at", &draft.expires_at, None, None, in_future).flatten()
}

/// The days (spec 4.2): a lease has them, a sale has none, a custom service either.
fn read_period(form: &mut Form, draft: &ProposalDraft, service: &Service) -> Option<Period> {
    let start = form.optional("start_date", &draft.start_date, None, None, some_given);
    let end = form.optional("end_date", &draft.end_date, None, None, some_given);
    // A date that cannot be read is none that is missing.
    let one_is_missing = (start == Some(None)) != (end == Some(None));
    let required = service.kind == ServiceKind::Lease || (service.kind == ServiceKind::Custom && one_is_missing);
    for (name, date) in [("start_date", start), ("end_date", end)] {
        match date {
            Some(None) if required => form.errors.add(name, "This field is required."),
            Some(Some(_)) if service.kind == ServiceKind::Sell => form.errors.add(name, "A sale has no dates."),
            _ => {}
        }
    }
    let (start, end) = (start??, end??);
    let period = Period::new(start, end);
    if period.is_none() {
        form.errors.add("end_date", "The end must be after the start.");
    }
    period
}
