//! The snapshots of trades.

use chrono::NaiveDate;
use lease_core::id::{CustomerId, Id as _, PaymentId, ProposalId, Stored, TradeId, Versioned};
use lease_core::lifecycle::{ProposalView, TradeSnapshot, ViewerHistory};
use lease_core::model::{CreditCard, Invoice, Payment, Period, Proposal, Refund, Service, Trade};
use lease_core::repository::{RepositoryError, TradeKey, TradeLoad};

use crate::account::is_active;
use crate::sql::{Db, Fields, sql};
use crate::table::{Table, find, find_by, find_versioned};
use crate::value::values;

/// The snapshot of a trade, in as many small statements as it has parts: each is a look-up by a key within this process.
pub(super) async fn snapshot(db: &mut Db, load: &TradeLoad) -> Result<Option<Versioned<TradeSnapshot>>, RepositoryError> {
    let Some(id) = trade_of(db, load.key).await? else { return Ok(None) };
    let Some(Versioned { version, value: trade }) = find_versioned::<Trade>(db, id).await? else { return Ok(None) };
    let proposal = match load.key {
        TradeKey::Proposal(proposal) => Some(proposal_view(db, &trade, proposal, load).await?),
        _ => None,
    };
    let refund: Option<Stored<Refund>> = match load.key {
        TradeKey::Refund(refund) => Some(part(db, refund).await?),
        _ => None,
    };
    let payment = match (load.key, &refund) {
        (TradeKey::Payment(payment), _) => Some(payment_and_card(db, payment).await?),
        (_, Some(refund)) => Some(payment_and_card(db, refund.payment_id).await?),
        _ => None,
    };
    let invoice: Option<Stored<Invoice>> = match trade.invoice_id {
        Some(invoice) => Some(part(db, invoice).await?),
        None => None,
    };
    let card: Option<Stored<CreditCard>> = match load.card {
        Some(card) => find(db, card).await?,
        None => None,
    };
    let service: Stored<Service> = part(db, trade.service_id).await?;
    let value = TradeSnapshot {
        owner_is_active: is_active(db, trade.customer_id).await?,
        service,
        invoice,
        has_proposals: sql("select 1 from proposals where trade_id = ?", values![id]).exists(db).await?,
        proposal,
        payment,
        refund,
        card,
        viewer: history(db, id, load.viewer, load.with_pending).await?,
        trade,
    };
    Ok(Some(Versioned { version, value }))
}

/// The trade that has a key.
async fn trade_of(db: &mut Db, key: TradeKey) -> Result<Option<TradeId>, RepositoryError> {
    let find = match key {
        TradeKey::Trade(id) => return Ok(Some(id)),
        TradeKey::Proposal(id) => sql("select trade_id from proposals where id = ?", values![id]),
        TradeKey::Invoice(id) => sql("select trade_id from invoices where id = ?", values![id]),
        TradeKey::Payment(id) => {
            sql("select i.trade_id from payments p join invoices i on i.id = p.invoice_id where p.id = ?", values![id])
        }
        TradeKey::Refund(id) => {
            sql("select i.trade_id from refunds r join invoices i on i.id = r.invoice_id where r.id = ?", values![id])
        }
    };
    find.value(db).await
}

/// A row that another row refers to.
async fn part<T: Table>(db: &mut Db, id: T::Id) -> Result<Stored<T>, RepositoryError> {
    let lost = || RepositoryError::Corrupt { table: T::NAME, id: id.get(), reason: "it is gone".to_owned() };
    find(db, id).await?.ok_or_else(lost)
}

async fn payment_and_card(db: &mut Db, id: PaymentId) -> Result<(Stored<Payment>, Stored<CreditCard>), RepositoryError> {
    let payment: Stored<Payment> = part(db, id).await?;
    let card = part(db, payment.credit_card_id).await?;
    Ok((payment, card))
}

async fn proposal_view(
    db: &mut Db,
    trade: &Stored<Trade>,
    id: ProposalId,
    load: &TradeLoad,
) -> Result<ProposalView, RepositoryError> {
    let proposal: Stored<Proposal> = part(db, id).await?;
    Ok(ProposalView {
        author_is_active: is_active(db, proposal.customer_id).await?,
        agreed_period_in_the_way: agreed_in_the_way(db, trade, proposal.period, load.now.date_naive()).await?,
        proposal,
    })
}

/// An agreed period of the vehicle in another trade that shares a day with these days, or ends after today if there are none.
async fn agreed_in_the_way(
    db: &mut Db,
    trade: &Stored<Trade>,
    days: Option<Period>,
    today: NaiveDate,
) -> Result<Option<Period>, RepositoryError> {
    let (from, until) = days.map_or((today, None), |days| (days.start(), Some(days.end())));
    let agreed = "select agreed_from, agreed_until from trades where vehicle_id = ?1 and id <> ?2 \
                  and agreed_from < agreed_until and agreed_until > ?3 and (?4 is null or agreed_from < ?4) \
                  order by agreed_from limit 1";
    let Some(row) = sql(agreed, values![trade.vehicle_id, trade.id, from, until]).row(db).await? else { return Ok(None) };
    let mut fields = Fields::of(&row, Trade::NAME);
    Ok(Period::new(fields.get()?, fields.get()?))
}

/// What the viewer has proposed in a trade.
async fn history(
    db: &mut Db,
    trade: TradeId,
    viewer: Option<CustomerId>,
    with_pending: bool,
) -> Result<ViewerHistory, RepositoryError> {
    let Some(viewer) = viewer else { return Ok(ViewerHistory::default()) };
    let made = sql("select count(*) from proposals where trade_id = ? and customer_id = ?", values![trade, viewer]);
    let proposals_made = made.value(db).await?.unwrap_or(0);
    let pending = if with_pending && proposals_made > 0 {
        find_by(db, "trade_id = ? and customer_id = ? and status = 'pending'", values![trade, viewer]).await?
    } else {
        None
    };
    Ok(ViewerHistory { proposals_made, pending })
}
