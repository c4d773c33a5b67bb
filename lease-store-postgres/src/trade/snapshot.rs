//! The snapshots of trades: which rows they consist of, and how these are joined and read.

use chrono::NaiveDate;
use lease_core::id::{CreditCardId, CustomerId, Versioned};
use lease_core::lifecycle::{ProposalView, TradeSnapshot, ViewerHistory};
use lease_core::model::{Asking, CreditCard, Invoice, Payment, Period, Proposal, Refund, Service, Trade};
use lease_core::repository::RepositoryError;
use sqlx::QueryBuilder;
use sqlx::postgres::Postgres;

use crate::row::{Fields, push_columns, read_period};

/// The parts of a snapshot beside the trade (`t`), its owner (`owner`), its service (`s`) and its invoice (`i`).
#[derive(Clone, Copy, Default)]
pub(super) struct Parts {
    /// How often this customer has proposed.
    pub(super) viewer: Option<CustomerId>,
    /// That customer's pending proposal (`own`).
    pub(super) with_pending: bool,
    /// The proposal (`p`), with what accepting it on this day depends on.
    pub(super) proposal_on: Option<NaiveDate>,
    /// The payment (`y`) and its card (`yk`).
    pub(super) with_payment: bool,
    /// The refund (`r`).
    pub(super) with_refund: bool,
    /// This card (`k`).
    pub(super) card: Option<CreditCardId>,
}

impl Parts {
    fn pending_of(&self) -> Option<CustomerId> {
        self.viewer.filter(|_| self.with_pending)
    }

    /// Adds the columns, beginning with the version.
    pub(super) fn push_columns(&self, query: &mut QueryBuilder<Postgres>) {
        push_columns::<Trade>(query.push("t.version, "), "t");
        push_columns::<Service>(query.push(", owner.is_active, "), "s");
        push_columns::<Invoice>(query.push(", "), "i");
        query.push(", ask.id, ask.amount, ask.currency, ask.start_date, ask.end_date, ask.expires_at");
        query.push(match self.proposal_on {
            Some(_) => ", true, ",
            None => ", exists (select from proposals any_proposal where any_proposal.trade_id = t.id), ",
        });
        match self.viewer {
            None => query.push("0::bigint"),
            Some(viewer) => query
                .push("(select count(*) from proposals made where made.trade_id = t.id and made.customer_id = ")
                .push_bind(viewer.get())
                .push(")"),
        };
        if self.pending_of().is_some() {
            push_columns::<Proposal>(query.push(", "), "own");
        }
        if self.proposal_on.is_some() {
            push_columns::<Proposal>(query.push(", "), "p");
            query.push(", author.is_active, way.agreed_from, way.agreed_until");
        }
        if self.with_payment {
            push_columns::<Payment>(query.push(", "), "y");
            push_columns::<CreditCard>(query.push(", "), "yk");
        }
        if self.with_refund {
            push_columns::<Refund>(query.push(", "), "r");
        }
        if self.card.is_some() {
            push_columns::<CreditCard>(query.push(", "), "k");
        }
    }

    /// Adds the joins to the trade, except for the row by which it is found.
    pub(super) fn push_joins(&self, query: &mut QueryBuilder<Postgres>, has_invoice: bool) {
        query.push(
            " join services s on s.id = t.service_id join customers owner on owner.id = t.customer_id \
             left join proposals ask on ask.trade_id = t.id and ask.status = 'pending' and ask.customer_id = t.customer_id",
        );
        if !has_invoice {
            query.push(" left join invoices i on i.trade_id = t.id");
        }
        if let Some(viewer) = self.pending_of() {
            query.push(" left join proposals own on own.trade_id = t.id and own.status = 'pending' and own.customer_id = ");
            query.push_bind(viewer.get());
        }
        if let Some(today) = self.proposal_on {
            push_acceptance(query, today);
        }
        if self.with_payment {
            query.push(" join credit_cards yk on yk.id = y.credit_card_id");
        }
        if let Some(card) = self.card {
            query.push(" left join credit_cards k on k.id = ").push_bind(card.get());
        }
    }

    /// Reads the columns.
    pub(super) fn read(&self, fields: &mut Fields<'_>) -> Result<Versioned<TradeSnapshot>, RepositoryError> {
        let version = fields.version()?;
        let mut trade = fields.row::<Trade>()?;
        let owner_is_active = fields.get()?;
        let service = fields.row()?;
        let invoice = fields.joined_row::<Invoice>()?;
        trade.value.invoice_id = invoice.as_ref().map(|invoice| invoice.id);
        trade.value.asking = read_asking(fields)?;
        let has_proposals = fields.get()?;
        let made: i64 = fields.get()?;
        let pending = if self.pending_of().is_some() { fields.joined_row()? } else { None };
        let viewer = ViewerHistory { proposals_made: u32::try_from(made).unwrap_or(u32::MAX), pending };
        let proposal = self.proposal_on.map(|_| read_proposal(fields)).transpose()?;
        let payment = if self.with_payment { Some((fields.row()?, fields.row()?)) } else { None };
        let refund = if self.with_refund { Some(fields.row()?) } else { None };
        let card = if self.card.is_some() { fields.joined_row()? } else { None };
        let value =
            TradeSnapshot { trade, owner_is_active, service, invoice, has_proposals, proposal, payment, refund, card, viewer };
        Ok(Versioned { version, value })
    }
}

/// Adds what accepting the proposal `p` of the trade `t` depends on: whether the author is active, and an agreed period of the
/// vehicle that is in the way. A proposal without dates is in the way of all that ends after today.
fn push_acceptance(query: &mut QueryBuilder<Postgres>, today: NaiveDate) {
    query.push(
        " join customers author on author.id = p.customer_id \
         left join lateral (select other.agreed_from, other.agreed_until from trades other \
         where other.vehicle_id = t.vehicle_id and other.id <> t.id and other.agreed_from is not null \
         and daterange(other.agreed_from, other.agreed_until, '[)') && daterange(coalesce(p.start_date, ",
    );
    query.push_bind(today).push("), p.end_date, '[)') order by other.agreed_from limit 1) way on true");
}

fn read_asking(fields: &mut Fields<'_>) -> Result<Option<Asking>, RepositoryError> {
    let Some(proposal_id) = fields.optional_id()? else {
        fields.skip(5);
        return Ok(None);
    };
    let (amount, period) = (fields.money()?, read_period(fields, Period::new)?);
    Ok(Some(Asking { proposal_id, amount, period, expires_at: fields.get()? }))
}

fn read_proposal(fields: &mut Fields<'_>) -> Result<ProposalView, RepositoryError> {
    Ok(ProposalView {
        proposal: fields.row()?,
        author_is_active: fields.get()?,
        agreed_period_in_the_way: read_period(fields, Period::new)?,
    })
}
