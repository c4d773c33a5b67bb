use chrono::{DateTime, NaiveDate, Utc};
use lease_core::id::{CreditCardId, CustomerId, Id, PaymentId, Version, Versioned};
use lease_core::lifecycle::{ProposalView, TradeSnapshot, ViewerHistory};
use lease_core::repository::{RepositoryError, TradeKey, TradeLoad};

use crate::row::{At, CardRow, InvoiceRow, PaymentRow, ProposalRow, Row as _, ServiceRow, TradeRow, parse_id, period};
use crate::statement::Database;

pub(super) async fn one(database: &Database, load: &TradeLoad) -> Result<Option<Versioned<TradeSnapshot>>, RepositoryError> {
    let found = loaded(database, &[load.key], load.viewer, load.card, load.now).await?;
    found.into_iter().next().map(LoadedRow::parse).transpose()
}

pub(super) async fn many(
    database: &Database,
    keys: &[TradeKey],
    viewer: Option<CustomerId>,
    now: DateTime<Utc>,
) -> Result<Vec<Option<TradeSnapshot>>, RepositoryError> {
    let mut snapshots = vec![None; keys.len()];
    for row in loaded(database, keys, viewer, None, now).await? {
        let place = usize::try_from(row.place).ok().and_then(|place| snapshots.get_mut(place.wrapping_sub(1)));
        if let Some(place) = place {
            *place = Some(row.parse()?.value);
        }
    }
    Ok(snapshots)
}

/// The columns that are read of a trade.
struct LoadedRow {
    place: i64,
    version: i64,
    trade: TradeRow,
    service: ServiceRow,
    invoice: Option<InvoiceRow>,
    has_proposals: bool,
    proposal: Option<ProposalRow>,
    author_is_active: Option<bool>,
    way_from: Option<NaiveDate>,
    way_until: Option<NaiveDate>,
    payment: Option<PaymentRow>,
    payment_card: Option<CardRow>,
    card: Option<CardRow>,
    proposals_made: i64,
    pending: Option<ProposalRow>,
}

#[expect(clippy::too_many_lines, reason = "one statement and its arguments")]
async fn loaded(
    database: &Database,
    keys: &[TradeKey],
    viewer: Option<CustomerId>,
    card: Option<CreditCardId>,
    now: DateTime<Utc>,
) -> Result<Vec<LoadedRow>, RepositoryError> {
    let (kinds, ids): (Vec<String>, Vec<i64>) = keys.iter().map(key_columns).unzip();
    database
        .read(|pool| {
            sqlx::query_as!(
                LoadedRow,
                r#"
            select
                key.place as "place!",
                t.version as "version!",
                row(
                    t.id, t.vehicle_id, t.service_id, t.customer_id, t.title, t.description, t.status, t.counterparty_id,
                    t.accepted_proposal_id, t.created_at, t.agreed_at, t.completed_at, t.cancelled_at, i.id
                ) as "trade!: TradeRow",
                row(
                    s.id, s.name, s.kind, s.invoice_on, s.bill_to, s.fee_amount, s.fee_currency, s.payment_due_days,
                    s.description, s.is_active, s.is_used
                ) as "service!: ServiceRow",
                case
                    when i.id is not null
                    then row(
                        i.id, i.trade_id, i.proposal_id, i.customer_id, i.amount, i.currency, i.paid, i.pending, i.status,
                        i.issued_at, i.due_date, i.paid_at, i.voided_at, i.void_reason
                    )
                end as "invoice?: InvoiceRow",
                exists (select from proposals any_proposal where any_proposal.trade_id = t.id) as "has_proposals!",
                case
                    when p.id is not null
                    then row(
                        p.id, p.trade_id, p.customer_id, p.amount, p.currency, p.start_date, p.end_date, p.message, p.status,
                        p.expires_at, p.created_at, p.decided_at
                    )
                end as "proposal?: ProposalRow",
                author_user.is_active as "author_is_active?",
                way.agreed_from as "way_from?",
                way.agreed_until as "way_until?",
                case
                    when y.id is not null
                    then row(
                        y.id, y.invoice_id, y.credit_card_id, y.customer_id, y.amount, y.currency, y.status, y.failure_code,
                        y.gateway_reference, y.is_late, y.charge_key, y.created_at
                    )
                end as "payment?: PaymentRow",
                case
                    when yk.id is not null
                    then row(
                        yk.id, yk.customer_id, yk.brand, yk.last4, yk.exp_month, yk.exp_year, yk.holder_name, yk.is_default,
                        yk.gateway_token, yk.created_at, yk.deleted_at
                    )
                end as "payment_card?: CardRow",
                case
                    when k.id is not null
                    then row(
                        k.id, k.customer_id, k.brand, k.last4, k.exp_month, k.exp_year, k.holder_name, k.is_default,
                        k.gateway_token, k.created_at, k.deleted_at
                    )
                end as "card?: CardRow",
                (
                    select count(*)
                    from proposals made
                    where made.trade_id = t.id
                        and made.customer_id = $3
                ) as "proposals_made!",
                case
                    when own.id is not null
                    then row(
                        own.id, own.trade_id, own.customer_id, own.amount, own.currency, own.start_date, own.end_date,
                        own.message, own.status, own.expires_at, own.created_at, own.decided_at
                    )
                end as "pending?: ProposalRow"
            -- In subqueries, so that the planner cannot count the keys: a plan that is made for a number of them is made anew
            -- each time, which takes longer than all the rest.
            from unnest((select $1::text[]), (select $2::bigint[])) with ordinality as key (kind, id, place)
            join trades t on t.id = case key.kind
                when 'trade' then key.id
                when 'proposal' then (select of.trade_id from proposals of where of.id = key.id)
                when 'invoice' then (select of.trade_id from invoices of where of.id = key.id)
                when 'payment' then (
                    select of.trade_id
                    from payments paid
                    join invoices of on of.id = paid.invoice_id
                    where paid.id = key.id
                )
            end
            join services s on s.id = t.service_id
            left join invoices i on i.trade_id = t.id
            -- Null for another kind of key: no index is asked then.
            left join proposals p on p.id = case key.kind when 'proposal' then key.id end
            left join customers author on author.id = p.customer_id
            left join users author_user on author_user.id = author.user_id
            left join lateral (
                select other.agreed_from, other.agreed_until
                from trades other
                where p.id is not null
                    and other.vehicle_id = t.vehicle_id
                    and other.id <> t.id
                    and other.agreed_from is not null
                    -- Without dates of its own, a proposal is in the way of all that ends after today.
                    and daterange(other.agreed_from, other.agreed_until, '[)')
                        && daterange(coalesce(p.start_date, $5), p.end_date, '[)')
                order by other.agreed_from
                limit 1
            ) way on true
            left join payments y on y.id = case key.kind when 'payment' then key.id end
            left join credit_cards yk on yk.id = y.credit_card_id
            left join credit_cards k on k.id = $4
            left join proposals own on own.trade_id = t.id and own.customer_id = $3 and own.status = 'pending'
            "#,
                &kinds,
                &ids,
                viewer.map(Id::get),
                card.map(Id::get),
                now.date_naive(),
            )
            .fetch_all(pool)
        })
        .await
}

fn key_columns(key: &TradeKey) -> (String, i64) {
    let (kind, id) = match key {
        TradeKey::Trade(id) => ("trade", id.get()),
        TradeKey::Proposal(id) => ("proposal", id.get()),
        TradeKey::Invoice(id) => ("invoice", id.get()),
        TradeKey::Payment(id) => ("payment", id.get()),
    };
    (kind.to_owned(), id)
}

impl LoadedRow {
    fn parse(self) -> Result<Versioned<TradeSnapshot>, RepositoryError> {
        let trade = self.trade.parse()?;
        let at = At::new("trades", trade.id.get());
        let proposal = match self.proposal {
            None => None,
            Some(row) => Some(ProposalView {
                proposal: row.parse()?,
                author_is_active: at.some("users.is_active", self.author_is_active)?,
                agreed_period_in_the_way: period(at, self.way_from, self.way_until)?,
            }),
        };
        let payment = match self.payment {
            None => None,
            Some(row) => Some((row.parse()?, at.some("payments.credit_card_id", self.payment_card)?.parse()?)),
        };
        let value = TradeSnapshot {
            trade,
            service: self.service.parse()?,
            invoice: self.invoice.map(InvoiceRow::parse).transpose()?,
            has_proposals: self.has_proposals,
            proposal,
            payment,
            card: self.card.map(CardRow::parse).transpose()?,
            viewer: ViewerHistory {
                proposals_made: u32::try_from(self.proposals_made).unwrap_or(u32::MAX),
                pending: self.pending.map(ProposalRow::parse).transpose()?,
            },
        };
        Ok(Versioned { version: Version(self.version), value })
    }
}

pub(super) async fn pending_payments(
    database: &Database,
    before: DateTime<Utc>,
    after: Option<PaymentId>,
    limit: u32,
) -> Result<Vec<PaymentId>, RepositoryError> {
    let ids = database
        .read(|pool| {
            sqlx::query_scalar!(
                r#"
            select id
            from payments
            where status = 'pending'
                and created_at < $1
                and (created_at, id) > (
                    coalesce((select last.created_at from payments last where last.id = $2), '-infinity'),
                    coalesce($2, 0)
                )
            order by created_at, id
            limit $3
            "#,
                before,
                after.map(Id::get),
                i64::from(limit),
            )
            .fetch_all(pool)
        })
        .await?;
    ids.into_iter().map(|id| parse_id("payments", id)).collect()
}
