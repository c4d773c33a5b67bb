//! Changes to a trade: one statement, of the parts that this change has. Each part is a function beside the columns it writes.

use lease_core::event::NewRow;
use lease_core::id::{CreditCardId, CustomerId, NewIds, ProposalId, TradeId};
use lease_core::lifecycle::{
    InvoiceChange, NewInvoice, PaymentChange, RefundChange, TradeChange, TradeChanges, TradeMove, TradeText,
};
use lease_core::model::{
    Agreement, Annotations, Payment, Period, Proposal, ProposalState, ProposalStatus, Refund, VehicleTransfer,
};
use lease_core::repository::{Envelope, RepositoryError};
use sqlx::postgres::Postgres;
use sqlx::{Encode, QueryBuilder, Type};

use crate::database::{Database, Statement};
use crate::row::{
    ANNOTATIONS, INVOICE_STATE, PAYMENT_STATE, REFUND_STATE, TRADE_STATE, write_annotations, write_invoice_state,
    write_payment_state, write_refund_state, write_trade_state,
};
use crate::writing::{Made, Writing, push_expected, write_expected};

/// The column for the id of a row that is not made.
const NONE: &str = "null::bigint";

/// Writes everything that a decision changes.
pub(crate) async fn trade(database: &Database, change: &TradeChange, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    let written = write_expected(database, || statement(change, envelope)).await?;
    let mut made = written.returned();
    Ok(NewIds {
        proposal: made.optional_id()?,
        invoice: made.optional_id()?,
        payment: made.optional_id()?,
        refund: made.optional_id()?,
        ..NewIds::default()
    })
}

fn statement(change: &TradeChange, envelope: &Envelope) -> Statement {
    let TradeChanges {
        active_party,
        text,
        annotations,
        decided,
        close_others,
        new_proposal,
        new_invoice,
        invoice,
        new_payment,
        payment,
        new_refund,
        refund,
        state,
        transfer,
    } = &change.changes;
    let mut writing = Writing::begin(envelope);
    // The vehicle is locked before the trade, as when a trade is opened, and so are the party and the card that must not change
    // until the changes are written.
    let locks = [
        transfer.as_ref().map(|transfer| lock_vehicle(&mut writing, transfer)),
        active_party.map(|party| lock_party(&mut writing, party)),
        new_payment.as_ref().map(|payment| lock_card(&mut writing, payment.credit_card_id)),
    ];
    write_root(&mut writing, change, (text.as_ref(), annotations.as_ref()), locks.iter().flatten());
    if decided.is_some() || close_others.is_some() || matches!(state, Some(TradeMove::Cancel { .. })) {
        write_proposals(&mut writing, change);
    }
    let proposal = new_proposal.as_ref().map_or(NONE, |new| write_new_proposal(&mut writing, new));
    let issued = new_invoice.as_ref().map_or(NONE, |new| write_new_invoice(&mut writing, new));
    if let Some(invoice) = invoice {
        write_invoice(&mut writing, invoice);
    }
    let paid = new_payment.as_ref().map_or(NONE, |new| write_new_payment(&mut writing, new));
    if let Some(payment) = payment {
        write_payment(&mut writing, payment);
    }
    let refunded = new_refund.as_ref().map_or(NONE, |new| write_new_refund(&mut writing, new));
    if let Some(refund) = refund {
        write_refund(&mut writing, refund);
    }
    let author = new_proposal.as_ref().map(|proposal| proposal.customer_id);
    write_parties(&mut writing, author, new_agreement(&change.changes).map(|agreement| agreement.counterparty_id));
    if let Some(transfer) = transfer {
        write_transfer(&mut writing, change.id, transfer);
    }
    let made = match (new_refund, new_payment, new_proposal) {
        (Some(_), ..) => Made::Part("new_refund"),
        (None, Some(_), _) => Made::Part("new_payment"),
        (None, None, Some(_)) => Made::Part("new_proposal"),
        (None, None, None) => Made::Nothing,
    };
    writing.finish(made, &[proposal, issued, paid, refunded])
}

/// The agreement that the change makes, by accepting a proposal.
const fn new_agreement(changes: &TradeChanges) -> Option<&Agreement> {
    match (&changes.decided, &changes.state) {
        (Some((_, ProposalState::Accepted { .. })), Some(to)) => to.agreement(),
        _ => None,
    }
}

/// Locks the vehicle, if it is still its owner's. Returns the condition for the root.
fn lock_vehicle(writing: &mut Writing<'_>, transfer: &VehicleTransfer) -> &'static str {
    let query = writing.part("vehicle").push("select id from vehicles where id = ").push_bind(transfer.vehicle_id.get());
    query.push(" and customer_id = ").push_bind(transfer.from.get()).push(" for no key update");
    " and exists (select from vehicle)"
}

/// Locks the user of a party, if they are still active. Returns the condition for the root.
fn lock_party(writing: &mut Writing<'_>, party: CustomerId) -> &'static str {
    let query = writing.part("active_party").push("select u.id from customers c join users u on u.id = c.user_id where c.id = ");
    query.push_bind(party.get()).push(" and u.is_active for key share of u");
    " and exists (select from active_party)"
}

/// Locks a card, if it is not deleted. Returns the condition for the root.
fn lock_card(writing: &mut Writing<'_>, card: CreditCardId) -> &'static str {
    let query = writing.part("usable_card").push("select id from credit_cards where id = ").push_bind(card.get());
    query.push(" and deleted_at is null for share");
    " and exists (select from usable_card)"
}

/// The trade itself: its version, its text, what the company keeps with it and its state.
fn write_root<'a>(
    writing: &mut Writing<'_>,
    change: &TradeChange,
    (text, annotations): (Option<&TradeText>, Option<&Annotations>),
    conditions: impl Iterator<Item = &'a &'static str>,
) {
    let query = writing.write("root").push("update trades set version = version + 1");
    if let Some(text) = text {
        let TradeText { title, description } = text;
        query.push(", (title, description, search_text) = row(");
        query.separated(", ").push_bind(title).push_bind(description).push_bind(text.search_text());
        query.push(")");
    }
    if let Some(annotations) = annotations {
        query.push(", (").push(ANNOTATIONS).push(") = row(");
        write_annotations(&mut query.separated(", "), annotations);
        query.push(")");
    }
    if let Some(to) = &change.changes.state {
        query.push(", (").push(TRADE_STATE).push(") = row(");
        write_trade_state(&mut query.separated(", "), &to.clone().into());
        query.push(")");
    }
    push_expected(query, change.id.get(), change.expected);
    let query = writing.only_if_valid();
    for condition in conditions {
        query.push(condition);
    }
    query.push(" returning id, customer_id, counterparty_id, vehicle_id, status");
}

/// The proposals of the trade: the one that is decided, the pending ones that close or have expired, and, once the trade is no
/// longer open, those that every customer could see.
fn write_proposals(writing: &mut Writing<'_>, change: &TradeChange) {
    let TradeChanges { decided, close_others, state, .. } = &change.changes;
    let query = writing.write("proposals_changed").push("update proposals p set ");
    if decided.is_some() || close_others.is_some() {
        query.push("status = case");
        push_if_decided(query, decided.map(|(id, state)| (id, <&str>::from(ProposalStatus::from(state)))));
        if let Some(now) = close_others {
            query.push(" when p.status = 'pending' and p.expires_at <= ").push_bind(*now).push(" then 'expired'");
            query.push(" when p.status = 'pending' then 'closed'");
        }
        query.push(" else p.status end, decided_at = case");
        push_if_decided(query, decided.map(|(id, state)| (id, state.decided_at())));
        if let Some(now) = close_others {
            query.push(" when p.status = 'pending' then least(p.expires_at, ").push_bind(*now).push(")");
        }
        query.push(" else p.decided_at end, ");
    }
    // A trade that moves is no longer open.
    query.push(if state.is_some() { "is_public = false" } else { "is_public = p.is_public" });
    push_touched(query, change);
    if decided.is_some() {
        writing.require("exists (select from proposals_changed where is_decided)");
    }
    writing.events().closes_proposals = close_others.is_some();
}

/// Adds the value of a column for the proposal that is decided.
fn push_if_decided<T>(query: &mut QueryBuilder<Postgres>, decided: Option<(ProposalId, T)>)
where
    T: for<'v> Encode<'v, Postgres> + Type<Postgres>,
{
    if let Some((id, value)) = decided {
        query.push(" when p.id = ").push_bind(id.get()).push(" then ").push_bind(value);
    }
}

/// Adds the condition for the proposals that change, each found by an index.
fn push_touched(query: &mut QueryBuilder<Postgres>, change: &TradeChange) {
    let TradeChanges { decided, close_others, state, .. } = &change.changes;
    let decided = decided.map(|(id, _)| id.get());
    query.push(" from root, (select ").push_bind(decided).push(" as id, false as was_pending");
    for (touches, condition) in [(close_others.is_some(), "status = 'pending'"), (state.is_some(), "is_public")] {
        if touches {
            query.push(" union select id, status = 'pending' from proposals where trade_id = ").push_bind(change.id.get());
            query.push(" and ").push(condition);
        }
    }
    query.push(") touched where p.id = touched.id and p.trade_id = root.id returning p.id, p.trade_id, p.trade_owner_id, ");
    query.push("p.customer_id, p.status, p.decided_at, touched.was_pending, p.id = ").push_bind(decided).push(" as is_decided");
}

fn write_new_proposal(writing: &mut Writing<'_>, new: &Proposal) -> &'static str {
    let query = writing.write("new_proposal").push(
        "insert into proposals (trade_id, trade_owner_id, is_public, customer_id, amount, currency, start_date, end_date, message, \
         expires_at, created_at, status, decided_at) select root.id, root.customer_id, root.status = 'open' and root.customer_id = ",
    );
    query
        .push_bind(new.customer_id.get())
        .push(", ")
        .separated(", ")
        .push_bind(new.customer_id.get())
        .push_bind(new.amount.amount())
        .push_bind(new.amount.currency().code())
        .push_bind(new.period.map(Period::start))
        .push_bind(new.period.map(Period::end))
        .push_bind(&new.message)
        .push_bind(new.expires_at)
        .push_bind(new.created_at)
        .push_bind::<&str>(ProposalStatus::from(new.state).into())
        .push_bind(new.state.decided_at());
    query.push(" from root returning id");
    let id = "(select id from new_proposal)";
    writing.makes(NewRow::Proposal, id);
    id
}

fn write_new_invoice(writing: &mut Writing<'_>, new: &NewInvoice) -> &'static str {
    let query = writing.write("new_invoice").push(
        "insert into invoices (trade_id, proposal_id, customer_id, amount, currency, issued_at, due_date) select root.id, ",
    );
    match new.proposal_id {
        Some(proposal) => query.push_bind(proposal.get()),
        None => query.push("(select id from new_proposal)"),
    };
    query
        .push(", ")
        .separated(", ")
        .push_bind(new.customer_id.get())
        .push_bind(new.amount.amount())
        .push_bind(new.amount.currency().code())
        .push_bind(new.issued_at)
        .push_bind(new.due_date);
    query.push(" from root returning id");
    let id = "(select id from new_invoice)";
    writing.makes(NewRow::Invoice, id);
    id
}

fn write_invoice(writing: &mut Writing<'_>, change: &InvoiceChange) {
    let query = writing.write("invoice_changed");
    query.push("update invoices set (paid, pending, refunded, due_date, overdue_at, ").push(INVOICE_STATE).push(") = row(");
    let mut values = query.separated(", ");
    values.push_bind(change.paid.amount()).push_bind(change.pending.amount()).push_bind(change.refunded.amount());
    values.push_bind(change.due_date).push_bind(change.overdue_at);
    write_invoice_state(&mut values, &change.state);
    query.push(") from root where invoices.trade_id = root.id and invoices.id = ").push_bind(change.id.get());
    query.push(" returning invoices.id");
    writing.require("exists (select from invoice_changed)");
}

fn write_new_payment(writing: &mut Writing<'_>, new: &Payment) -> &'static str {
    let query = writing.write("new_payment").push(
        "insert into payments (invoice_id, credit_card_id, customer_id, amount, refunded, refunding, currency, gateway_reference, \
         is_late, charge_key, created_at, ",
    );
    query.push(PAYMENT_STATE).push(") select ");
    let mut values = query.separated(", ");
    values
        .push_bind(new.invoice_id.get())
        .push_bind(new.credit_card_id.get())
        .push_bind(new.customer_id.get())
        .push_bind(new.amount.amount())
        .push_bind(new.refunded.amount())
        .push_bind(new.refunding.amount())
        .push_bind(new.amount.currency().code())
        .push_bind(new.gateway_reference.clone())
        .push_bind(new.is_late)
        .push_bind(new.charge_key.as_str())
        .push_bind(new.created_at);
    write_payment_state(&mut values, &new.state);
    query.push(" from root returning id");
    let id = "(select id from new_payment)";
    writing.makes(NewRow::Payment, id);
    id
}

/// A payment of the trade's invoice that moves on, or of which something is refunded.
fn write_payment(writing: &mut Writing<'_>, change: &PaymentChange) {
    let query = writing.write("payment_changed");
    query.push("update payments set (gateway_reference, refunded, refunding, ").push(PAYMENT_STATE).push(") = row(");
    let mut values = query.separated(", ");
    values.push_bind(change.gateway_reference.clone());
    values.push_bind(change.refunded.amount()).push_bind(change.refunding.amount());
    write_payment_state(&mut values, &change.state);
    query.push(") from root, invoices i where i.id = payments.invoice_id and i.trade_id = root.id and payments.id = ");
    query.push_bind(change.id.get()).push(" returning payments.id");
    writing.require("exists (select from payment_changed)");
}

/// A new refund of a payment of the trade's invoice.
fn write_new_refund(writing: &mut Writing<'_>, new: &Refund) -> &'static str {
    let query = writing.write("new_refund").push(
        "insert into refunds (payment_id, invoice_id, customer_id, amount, currency, reason, note, gateway_reference, refund_key, \
         created_at, ",
    );
    query.push(REFUND_STATE).push(") select ");
    let mut values = query.separated(", ");
    values
        .push_bind(new.payment_id.get())
        .push_bind(new.invoice_id.get())
        .push_bind(new.customer_id.get())
        .push_bind(new.amount.amount())
        .push_bind(new.amount.currency().code())
        .push_bind::<&str>(new.reason.into())
        .push_bind(new.note.clone())
        .push_bind(new.gateway_reference.clone())
        .push_bind(new.refund_key.as_str())
        .push_bind(new.created_at);
    write_refund_state(&mut values, &new.state);
    query.push(" from root, payments p, invoices i where i.id = p.invoice_id and i.trade_id = root.id and p.id = ");
    query.push_bind(new.payment_id.get()).push(" returning id");
    writing.require("exists (select from new_refund)");
    let id = "(select id from new_refund)";
    writing.makes(NewRow::Refund, id);
    id
}

/// The outcome of a refund of a payment of the trade's invoice.
fn write_refund(writing: &mut Writing<'_>, change: &RefundChange) {
    let query = writing.write("refund_changed");
    query.push("update refunds set (gateway_reference, ").push(REFUND_STATE).push(") = row(");
    let mut values = query.separated(", ");
    values.push_bind(change.gateway_reference.clone());
    write_refund_state(&mut values, &change.state);
    query.push(") from root, invoices i where i.id = refunds.invoice_id and i.trade_id = root.id and refunds.id = ");
    query.push_bind(change.id.get()).push(" returning refunds.id");
    writing.require("exists (select from refund_changed)");
}

/// Those who from now on always see the trade, and the one who from now on always sees the vehicle.
fn write_parties(writing: &mut Writing<'_>, author: Option<CustomerId>, counterparty: Option<CustomerId>) {
    if let Some(party) = counterparty.or(author) {
        let query = writing.write("trade_party").push("insert into trade_parties (trade_id, customer_id) select root.id, ");
        // The owner has been a party since the trade was opened.
        query.push_bind(party.get()).push(" from root where root.customer_id <> ").push_bind(party.get());
        query.push(" on conflict do nothing returning trade_id, customer_id");
        writing.events().admits_members = true;
    }
    if let Some(party) = counterparty {
        let query = writing.write("vehicle_party").push("insert into vehicle_parties (vehicle_id, customer_id) select ");
        query.push("root.vehicle_id, ").push_bind(party.get()).push(" from root on conflict do nothing");
    }
}

/// The vehicle goes to its new owner, and is seen from now on by the parties of those trades of it of which that owner is one.
fn write_transfer(writing: &mut Writing<'_>, trade: TradeId, transfer: &VehicleTransfer) {
    let query = writing.write("vehicle_moved").push("update vehicles set version = version + 1, customer_id = ");
    query.push_bind(transfer.to.get()).push(" from root, vehicle where vehicles.id = vehicle.id returning vehicles.id");
    let query = writing.part("partners").push(
        "select party.id from (select id, customer_id, counterparty_id from root \
         union all select id, customer_id, counterparty_id from trades where vehicle_id = ",
    );
    query.push_bind(transfer.vehicle_id.get()).push(" and id <> ").push_bind(trade.get());
    query.push(") t, unnest(array[t.customer_id, t.counterparty_id]) as party (id) where party.id is not null and ");
    query.push_bind(transfer.to.get()).push(" in (t.customer_id, t.counterparty_id)");
    writing
        .write("partners_come")
        .push("insert into vehicle_parties (vehicle_id, customer_id) select vehicle_moved.id, partners.id from vehicle_moved, partners ")
        .push("on conflict do nothing");
    writing
        .write("others_go")
        .push("delete from vehicle_parties p using vehicle_moved where p.vehicle_id = vehicle_moved.id ")
        .push("and p.customer_id not in (select id from partners)");
}
