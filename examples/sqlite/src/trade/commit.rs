//! Changes to trades. The rows that change are read, changed by the functions of the core and written back: nothing can come in
//! between, because the transaction has the lock of the file.

use lease_core::event::Event;
use lease_core::id::{CustomerId, InvoiceId, NewIds, ProposalId, Stored, TradeId};
use lease_core::lifecycle::{Opening, TradeChange, TradeChanges, TradeMove};
use lease_core::model::{CreditCard, Invoice, Payment, Proposal, Refund, Service, Trade, Vehicle};
use lease_core::repository::RepositoryError;

use crate::account::is_active;
use crate::error::require;
use crate::event;
use crate::sql::{Db, sql};
use crate::table::{bump, get, insert, read_row, select, update};
use crate::value::values;

pub(crate) async fn open(db: &mut Db, opening: &Opening) -> Result<NewIds, RepositoryError> {
    let trade = &opening.trade;
    bump::<Vehicle>(db, trade.vehicle_id, opening.vehicle_version).await?;
    require(get::<Service>(db, trade.service_id).await?.is_active)?;
    if let Some(version) = opening.first_use_of_service {
        bump::<Service>(db, trade.service_id, version).await?;
        sql("update services set is_used = 1 where id = ?", values![trade.service_id]).run(db).await?;
    }
    Ok(NewIds { trade: Some(insert(db, trade).await?), ..NewIds::default() })
}

/// Writes the changes field by field, in their order.
pub(crate) async fn change(db: &mut Db, change: &TradeChange, events: &mut Vec<Event>) -> Result<NewIds, RepositoryError> {
    let TradeChange { id, expected, changes } = change;
    let before = get::<Trade>(db, *id).await?;
    bump::<Trade>(db, *id, *expected).await?;
    if let Some(party) = changes.active_party {
        require(is_active(db, party).await?)?;
    }
    decide_proposals(db, &before, changes, events).await?;
    let mut ids = NewIds::default();
    if let Some(new) = &changes.new_proposal {
        require(new.trade_id == *id)?;
        ids.proposal = Some(add_proposal(db, &before, new, changes).await?);
    }
    if let Some(new) = &changes.new_invoice {
        let invoice = new.clone().into_invoice(*id, ids.proposal).ok_or(RepositoryError::Conflict)?;
        ids.invoice = Some(insert(db, &invoice).await?);
    }
    change_invoice(db, before.invoice_id.or(ids.invoice), changes, &mut ids).await?;
    let mut after = before.value.clone();
    changes.apply_to_trade(&mut after, ids);
    update(db, *id, &after).await?;
    if let Some(to) = &changes.state {
        move_trade(db, *id, to).await?;
    }
    if let Some(transfer) = &changes.transfer {
        let transfer_vehicle = "update vehicles set customer_id = ?, version = version + 1 where id = ? and customer_id = ?";
        let values = values![transfer.to, transfer.vehicle_id, transfer.from];
        require(sql(transfer_vehicle, values).run(db).await? == 1)?;
    }
    Ok(ids)
}

/// Writes the new states of the proposal that is decided and of those that end with it, and adds the events of the latter.
async fn decide_proposals(
    db: &mut Db,
    trade: &Stored<Trade>,
    changes: &TradeChanges,
    events: &mut Vec<Event>,
) -> Result<(), RepositoryError> {
    let decided = changes.decided.map(|(id, _)| id);
    if let Some(id) = decided {
        let proposal = get::<Proposal>(db, id).await?;
        require(proposal.trade_id == trade.id)?;
        write_state(db, &proposal, changes).await?;
    }
    if changes.close_others.is_some() {
        let pending = "trade_id = ? and status = 'pending' and id is not ? order by id";
        for row in select::<Proposal>(pending, values![trade.id, decided]).rows(db).await? {
            let proposal: Stored<Proposal> = read_row(&row)?;
            events.extend(changes.closing_event(trade.customer_id, proposal.id, &proposal));
            write_state(db, &proposal, changes).await?;
        }
    }
    Ok(())
}

async fn write_state(db: &mut Db, proposal: &Stored<Proposal>, changes: &TradeChanges) -> Result<(), RepositoryError> {
    let state = changes.state_of_proposal(proposal.id, proposal);
    update(db, proposal.id, &Proposal { state, ..proposal.value.clone() }).await
}

/// Adds a proposal, and shows the earlier events of the trade to an author who is new there.
async fn add_proposal(
    db: &mut Db,
    trade: &Stored<Trade>,
    new: &Proposal,
    changes: &TradeChanges,
) -> Result<ProposalId, RepositoryError> {
    let made = "select 1 from proposals where trade_id = ? and customer_id = ?";
    let is_newcomer = !sql(made, values![trade.id, new.customer_id]).exists(db).await?;
    let id = insert(db, new).await?;
    let is_public = new.customer_id == trade.customer_id && trade.is_open() && changes.state.is_none();
    let repeated = "update proposals set owner_id = ?, is_public = ? where id = ?";
    sql(repeated, values![trade.customer_id, is_public, id]).run(db).await?;
    if is_newcomer {
        event::admit(db, trade.id, new.customer_id).await?;
    }
    Ok(id)
}

/// Writes what changes about the trade's invoice, its payments and their refunds.
async fn change_invoice(
    db: &mut Db,
    invoice: Option<InvoiceId>,
    changes: &TradeChanges,
    ids: &mut NewIds,
) -> Result<(), RepositoryError> {
    if let Some(change) = &changes.invoice {
        require(invoice == Some(change.id))?;
        let mut value = get::<Invoice>(db, change.id).await?.value;
        change.apply(&mut value);
        update(db, change.id, &value).await?;
    }
    if let Some(new) = &changes.new_payment {
        require(invoice == Some(new.invoice_id))?;
        require(get::<CreditCard>(db, new.credit_card_id).await?.deleted_at.is_none())?;
        ids.payment = Some(insert(db, new).await?);
    }
    if let Some(change) = &changes.payment {
        let mut payment = get::<Payment>(db, change.id).await?.value;
        require(invoice == Some(payment.invoice_id))?;
        change.apply(&mut payment);
        update(db, change.id, &payment).await?;
    }
    if let Some(new) = &changes.new_refund {
        require(invoice == Some(get::<Payment>(db, new.payment_id).await?.invoice_id))?;
        ids.refund = Some(insert(db, new).await?);
    }
    if let Some(change) = &changes.refund {
        let mut refund = get::<Refund>(db, change.id).await?.value;
        require(invoice == Some(refund.invoice_id))?;
        change.apply(&mut refund);
        update(db, change.id, &refund).await?;
    }
    Ok(())
}

/// What follows from a new state of a trade: it is no longer open, so not everybody sees the owner's proposals, and it may have a new
/// counterparty, who sees its earlier events.
async fn move_trade(db: &mut Db, id: TradeId, to: &TradeMove) -> Result<(), RepositoryError> {
    sql("update proposals set is_public = 0 where trade_id = ? and is_public", values![id]).run(db).await?;
    let counterparty: Option<CustomerId> = to.agreement().map(|agreement| agreement.counterparty_id);
    match counterparty {
        Some(counterparty) => event::admit(db, id, counterparty).await,
        None => Ok(()),
    }
}
