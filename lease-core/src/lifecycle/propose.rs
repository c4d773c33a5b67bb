use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::id::{CustomerId, TradeId};
use crate::input::{Field, FieldErrors, Form, Invalid, NamedIn, UpdateMode, draft, some_given};
use crate::invoicing::{FeePolicy, Moment, issue};
use crate::lifecycle::{hides_with_owner, require_open, require_visible};
use crate::model::{InvoiceOn, Period, Proposal, ProposalState, ServiceKind};
use crate::money::{Money, positive};
use crate::permission::{Act, Actor, Resource};
use crate::policy::Policy;
use crate::text;
use crate::trade::{TradeChanges, TradeSnapshot, proposal_decided, proposal_made};

draft! {
    /// The fields for making a proposal.
    pub struct ProposalDraft as ProposalInput {
        /// The trade to make the proposal in.
        pub trade_id: Field<TradeId> as required Id,
        /// The price of a sale, or the monthly price of a lease, in the currency of the service.
        pub amount: Field<Decimal> as required PriceInput like "5200.00" or "250.00",
        /// The currency of the amount: that of the service, and no other.
        pub currency: Field<String> as nullable GivenCurrency,
        /// The first day. A lease needs both dates and a sale takes neither; a custom service takes both or neither.
        pub start_date: Field<NaiveDate> as nullable DateInput or "2027-01-01",
        /// The day after the last one; later than `start_date`.
        pub end_date: Field<NaiveDate> as nullable DateInput or "2028-01-01",
        /// A message to the other party.
        pub message: Field<String> as nullable FreeText like "Can be seen at any time.",
        /// When the proposal expires, in the future. From then on it cannot be accepted, rejected or withdrawn.
        pub expires_at: Field<DateTime<Utc>> as nullable InstantInput,
    }
}

/// Makes a proposal, or a counter-proposal (rules 4.2, 4.3); the first of a trade may issue the invoice, whose amount `fees` decide
/// (rule 5.2).
///
/// `snapshot` is the trade that the request names, if it exists. If the actor may not see it, `named_in` decides whether the
/// error is "not found" or an invalid `trade_id`.
///
/// # Errors
/// [`Error::NotFound`] for a hidden trade; invalid fields; [`Refusal::TradeNotOpen`], [`Refusal::OwnerProposalRequired`],
/// [`Refusal::PartyInactive`], [`Refusal::ProposalLimit`]; [`Error::Internal`] with a [`FeeError`](crate::invoicing::FeeError).
pub fn propose(
    snapshot: Option<&TradeSnapshot>,
    named_in: NamedIn,
    actor: &Actor,
    draft: &ProposalDraft,
    policy: &Policy,
    fees: &dyn FeePolicy,
    now: DateTime<Utc>,
) -> Result<Decision<TradeChanges>, Error> {
    let author = actor.require_customer(Resource::Proposal, Act::Create)?;
    // A trade that is hidden only because its owner is inactive is refused with that reason (rule 4.11).
    let is_visible = |trade: &&TradeSnapshot| require_visible(trade, actor).is_ok() || hides_with_owner(trade);
    let visible = snapshot.filter(is_visible);
    if visible.is_none() && named_in == NamedIn::Path {
        return Err(Error::NotFound);
    }
    let (snapshot, proposal) = read_proposal(visible, named_in, author, draft, policy, now)?;
    may_propose(snapshot, author, policy)?;

    let owner = snapshot.trade.customer_id;
    let changes = TradeChanges { active_party: (author != owner).then_some(owner), ..TradeChanges::default() };
    let mut decision = Decision { changes, events: Vec::new() };
    if let Some(earlier) = &snapshot.viewer.pending {
        // An expired proposal stays expired; this only stores its state.
        let ended = match earlier.state_at(now) {
            ProposalState::Pending => ProposalState::Superseded { at: now },
            expired => expired,
        };
        decision.events.extend(proposal_decided(owner, earlier.id, earlier, ended));
        decision.decided = Some((earlier.id, ended));
    }
    decision.events.push(proposal_made(owner, &proposal));
    if !snapshot.has_proposals {
        let invoice_on = InvoiceOn::FirstProposal;
        let moment = Moment { invoice_on, proposal: &proposal, proposal_id: None, counterparty_id: None, now };
        issue(&mut decision, snapshot, fees, &moment)?;
    }
    decision.new_proposal = Some(proposal);
    Ok(decision)
}

/// Succeeds if the trade allows one more proposal by this author.
pub(super) fn may_propose(snapshot: &TradeSnapshot, author: CustomerId, policy: &Policy) -> Result<(), Refusal> {
    require_open(snapshot)?;
    if !snapshot.owner_is_active {
        return Err(Refusal::PartyInactive);
    }
    if !snapshot.has_proposals && author != snapshot.trade.customer_id {
        return Err(Refusal::OwnerProposalRequired);
    }
    if snapshot.viewer.proposals_made >= policy.max_proposals {
        return Err(Refusal::ProposalLimit);
    }
    Ok(())
}

/// Reads the draft. If the trade is unknown, every field that does not depend on its service is still read, so that all invalid
/// fields are reported.
fn read_proposal<'a>(
    snapshot: Option<&'a TradeSnapshot>,
    named_in: NamedIn,
    author: CustomerId,
    draft: &ProposalDraft,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<(&'a TradeSnapshot, Proposal), FieldErrors> {
    let mut form = Form::new(UpdateMode::Full);
    if named_in == NamedIn::Draft {
        form.required("trade_id", &draft.trade_id, None, |_| snapshot.map(drop).ok_or(Invalid::Unknown { kind: "trade" }));
    }
    let currency = snapshot.map(|trade| trade.service.fee.currency());
    let amount = form.required("amount", &draft.amount, None, |amount| {
        let amount = positive(*amount)?;
        currency.map(|currency| Money::new(amount, currency)).transpose()
    });
    form.same_currency(&draft.currency, currency);
    let period = read_period(&mut form, draft, snapshot.map(|trade| trade.service.kind), policy.max_days);
    let message = form.optional("message", &draft.message, None, String::new(), |message| text::free(message));
    let in_future = |at: &DateTime<Utc>| if *at > now { Ok(Some(*at)) } else { Err(Invalid::NotInFuture) };
    let expires_at = form.optional("expires_at", &draft.expires_at, None, None, in_future);
    let (Some(trade), Some(Some(amount)), Some(message), Some(expires_at)) = (snapshot, amount, message, expires_at) else {
        return Err(form.errors);
    };
    form.finish()?;
    let proposal = Proposal {
        trade_id: trade.trade.id,
        customer_id: author,
        amount,
        period,
        message,
        expires_at,
        created_at: now,
        state: ProposalState::Pending,
    };
    Ok((trade, proposal))
}

/// Reads the days (rules 4.2, 4.12): a lease requires them, a sale must not have them, and for a custom service they are
/// optional. There are at most `max_days` of them.
fn read_period(form: &mut Form, draft: &ProposalDraft, kind: Option<ServiceKind>, max_days: u32) -> Option<Period> {
    let start = form.optional("start_date", &draft.start_date, None, None, some_given);
    let end = form.optional("end_date", &draft.end_date, None, None, some_given);
    let kind = kind?;
    // A date that cannot be read is not missing.
    let one_is_missing = (start == Some(None)) != (end == Some(None));
    let required = kind == ServiceKind::Lease || (kind == ServiceKind::Custom && one_is_missing);
    for (name, date) in [("start_date", start), ("end_date", end)] {
        match date {
            Some(None) if required => form.errors.add(name, Invalid::Required),
            Some(Some(_)) if kind == ServiceKind::Sell => form.errors.add(name, Invalid::DatesOfSale),
            _ => {}
        }
    }
    let (start, end) = (start??, end??);
    let period = Period::new(start, end);
    if period.is_none() {
        form.errors.add("end_date", Invalid::EndNotAfterStart);
    }
    if (end - start).num_days() > max_days.into() {
        form.errors.add("end_date", Invalid::TooManyDays { max: max_days });
    }
    period
}
