use chrono::{DateTime, Utc};
use lease_core::id::{Id, NewIds};
use lease_core::lifecycle::{TradeChange, TradeChanges, TradeText};
use lease_core::model::{Agreement, Period, TradeState, TradeStatus};
use lease_core::repository::RepositoryError;
use serde_json::Value;

use crate::row::{InvoiceColumns, parse_optional_id, payment_columns, proposal_columns};
use crate::statement::Database;

/// Writes everything that a decision changes, in one statement. The vehicle is locked before the trade, as when a trade is
/// opened, and so are the party and the card that must not change until the changes are written.
#[expect(clippy::too_many_lines, reason = "one statement and its arguments")]
pub(crate) async fn trade(
    database: &Database,
    TradeChange { id, expected, changes }: &TradeChange,
    envelope: &Value,
) -> Result<NewIds, RepositoryError> {
    let TradeChanges {
        active_party,
        text,
        decided,
        close_others,
        new_proposal,
        new_invoice,
        invoice,
        new_payment,
        settled,
        state,
        transfer,
    } = changes;
    let search_text = text.as_ref().map(TradeText::search_text);
    let (decided_status, decided_at) = decided.map(|(_, state)| proposal_columns(state)).unzip();
    let proposal = new_proposal.as_ref();
    let (proposal_status, proposal_decided_at) = proposal.map(|new| proposal_columns(new.state)).unzip();
    let issued = new_invoice.as_ref();
    let invoice = invoice.as_ref();
    let invoice_columns = invoice.map(|change| InvoiceColumns::of(&change.state)).unwrap_or_default();
    let payment = new_payment.as_ref();
    let (payment_status, payment_failure, payment_reference) = optional_columns(payment.map(|new| payment_columns(&new.state)));
    let settled = settled.as_ref();
    let (settled_status, settled_failure, settled_reference) = optional_columns(settled.map(|(_, state)| payment_columns(state)));
    let state = state.map(|to| StateColumns::of(to.into())).unwrap_or_default();
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), vehicle as materialized (
                select v.id
                from vehicles v, started
                where v.id = $55
                    and v.customer_id = $56
                    and started.begun
                for no key update of v
            ), active_party as materialized (
                select u.id
                from users u
                join customers c on c.user_id = u.id, started
                where c.id = $58
                    and u.is_active
                    and started.begun
                for key share of u
            ), usable_card as materialized (
                select k.id
                from credit_cards k, started
                where k.id = $35
                    and k.deleted_at is null
                    and started.begun
                for share of k
            ), root as (
                update trades t
                set version = version + 1,
                    title = coalesce($4, title),
                    description = coalesce($5, description),
                    search_text = coalesce($6, search_text),
                    status = coalesce($49, status),
                    counterparty_id = case when $49 is null then counterparty_id else $50 end,
                    accepted_proposal_id = case when $49 is null then accepted_proposal_id else $51 end,
                    agreed_at = case when $49 is null then agreed_at else $52 end,
                    completed_at = case when $49 is null then completed_at else $53 end,
                    cancelled_at = case when $49 is null then cancelled_at else $54 end,
                    agreed_from = case
                        when $49 is null then agreed_from
                        else (select a.start_date from proposals a where a.id = $51)
                    end,
                    agreed_until = case
                        when $49 is null then agreed_until
                        else (select a.end_date from proposals a where a.id = $51)
                    end
                from started
                where t.id = $2
                    and t.version = $3
                    and started.begun
                    and ($55::bigint is null or exists (select from vehicle))
                    and ($58::bigint is null or exists (select from active_party))
                    and ($35::bigint is null or exists (select from usable_card))
                returning t.id, t.customer_id, t.vehicle_id, t.status
            ), touched as (
                select id
                from proposals
                where id = $7
                    and trade_id = $2
                union
                select id
                from proposals
                where trade_id = $2
                    and status = 'pending'
                    and $10::timestamptz is not null
                union
                select id
                from proposals
                where trade_id = $2
                    and is_public
                    and $49::text is not null
            ), proposals_changed as (
                update proposals p
                set status = case
                        when p.id = $7 then $8
                        when p.status <> 'pending' or $10 is null then p.status
                        when p.expires_at <= $10 then 'expired'
                        else 'closed'
                    end,
                    decided_at = case
                        when p.id = $7 then $9
                        when p.status <> 'pending' or $10 is null then p.decided_at
                        when p.expires_at <= $10 then p.expires_at
                        else $10
                    end,
                    is_public = p.is_public and root.status = 'open'
                from root, touched
                where p.id = touched.id
                returning p.id
            ), proposal_made as (
                insert into proposals (
                    trade_id, trade_owner_id, customer_id, amount, currency, start_date, end_date, message, expires_at,
                    created_at, status, decided_at, is_public
                )
                select
                    root.id, root.customer_id, $11, $12::numeric, $13::text, $14::date, $15::date, $16::text, $17::timestamptz,
                    $18::timestamptz, $19::text, $20::timestamptz, $11 = root.customer_id and root.status = 'open'
                from root
                where $11::bigint is not null
                returning id
            ), invoice_made as (
                insert into invoices (trade_id, proposal_id, customer_id, amount, currency, issued_at, due_date)
                select
                    root.id, coalesce($21, (select id from proposal_made)), $22, $23::numeric, $24::text, $25::timestamptz,
                    $26::date
                from root
                where $22::bigint is not null
                returning id
            ), invoice_changed as (
                update invoices
                set paid = $28,
                    pending = $29,
                    status = $30,
                    paid_at = $31,
                    voided_at = $32,
                    void_reason = $33
                from root
                where invoices.id = $27
                    and invoices.trade_id = root.id
                returning invoices.id
            ), payment_made as (
                insert into payments (
                    invoice_id, credit_card_id, customer_id, amount, currency, status, failure_code, gateway_reference, is_late,
                    charge_key, created_at
                )
                select
                    $34, $35::bigint, $36::bigint, $37::numeric, $38::text, $39::text, $40::text, $41::text, $42::boolean,
                    $43::text, $44::timestamptz
                from root
                where $34::bigint is not null
                returning id
            ), payment_settled as (
                update payments
                set status = $46,
                    failure_code = $47,
                    gateway_reference = $48
                from root, invoices i
                where payments.id = $45
                    and i.id = payments.invoice_id
                    and i.trade_id = root.id
                returning payments.id
            ), trade_party as (
                insert into trade_parties (customer_id, trade_id)
                select party.id, root.id
                from root, unnest(array[$11::bigint, $50::bigint]) as party (id)
                where party.id is not null
                on conflict do nothing
            ), vehicle_party as (
                insert into vehicle_parties (customer_id, vehicle_id)
                select $50, root.vehicle_id
                from root
                where $50::bigint is not null
                on conflict do nothing
            ), vehicle_moved as (
                update vehicles
                set version = version + 1,
                    customer_id = $57
                from root, vehicle
                where vehicles.id = vehicle.id
            )
            select
                (select id from proposal_made) as proposal,
                (select id from invoice_made) as invoice,
                (select id from payment_made) as payment,
                ensure_whole(
                    ($7::bigint is null or exists (select from proposals_changed where id = $7))
                    and ($27::bigint is null or exists (select from invoice_changed))
                    and ($45::bigint is null or exists (select from payment_settled))
                ) as "whole!",
                end_commit($1, coalesce((select id from payment_made), (select id from proposal_made))) as "marked!"
            from root
            "#,
                envelope,
                id.get(),
                expected.0,
                text.as_ref().map(|text| text.title.as_str()),
                text.as_ref().map(|text| text.description.as_str()),
                search_text,
                decided.map(|(id, _)| id.get()),
                decided_status,
                decided_at.flatten(),
                *close_others,
                proposal.map(|new| new.customer_id.get()),
                proposal.map(|new| new.amount.amount()),
                proposal.map(|new| new.amount.currency().code()),
                proposal.and_then(|new| new.period).map(Period::start),
                proposal.and_then(|new| new.period).map(Period::end),
                proposal.map(|new| new.message.as_str()),
                proposal.and_then(|new| new.expires_at),
                proposal.map(|new| new.created_at),
                proposal_status,
                proposal_decided_at.flatten(),
                issued.and_then(|new| new.proposal_id).map(Id::get),
                issued.map(|new| new.customer_id.get()),
                issued.map(|new| new.amount.amount()),
                issued.map(|new| new.amount.currency().code()),
                issued.map(|new| new.issued_at),
                issued.map(|new| new.due_date),
                invoice.map(|change| change.id.get()),
                invoice.map(|change| change.paid.amount()),
                invoice.map(|change| change.pending.amount()),
                invoice_columns.status,
                invoice_columns.paid_at,
                invoice_columns.voided_at,
                invoice_columns.void_reason,
                payment.map(|new| new.invoice_id.get()),
                payment.map(|new| new.credit_card_id.get()),
                payment.map(|new| new.customer_id.get()),
                payment.map(|new| new.amount.amount()),
                payment.map(|new| new.amount.currency().code()),
                payment_status,
                payment_failure,
                payment_reference,
                payment.map(|new| new.is_late),
                payment.map(|new| new.charge_key.as_str()),
                payment.map(|new| new.created_at),
                settled.map(|(id, _)| id.get()),
                settled_status,
                settled_failure,
                settled_reference,
                state.status,
                state.agreement.map(|agreement| agreement.counterparty_id.get()),
                state.agreement.map(|agreement| agreement.proposal_id.get()),
                state.agreement.map(|agreement| agreement.agreed_at),
                state.completed_at,
                state.cancelled_at,
                transfer.map(|transfer| transfer.vehicle_id.get()),
                transfer.map(|transfer| transfer.from.get()),
                transfer.map(|transfer| transfer.to.get()),
                active_party.map(Id::get),
            )
            .fetch_optional(pool)
        })
        .await?
        .ok_or(RepositoryError::Conflict)?;
    Ok(NewIds {
        proposal: parse_optional_id("proposals", written.proposal)?,
        invoice: parse_optional_id("invoices", written.invoice)?,
        payment: parse_optional_id("payments", written.payment)?,
        ..NewIds::default()
    })
}

/// The columns of the state of a payment, if there is one.
fn optional_columns<'a>(
    columns: Option<(&'static str, Option<&'a str>, Option<&'a str>)>,
) -> (Option<&'static str>, Option<&'a str>, Option<&'a str>) {
    columns.map_or((None, None, None), |(status, failure_code, reference)| (Some(status), failure_code, reference))
}

/// The columns of the new state of a trade.
#[derive(Clone, Copy, Default)]
struct StateColumns {
    status: Option<&'static str>,
    agreement: Option<Agreement>,
    completed_at: Option<DateTime<Utc>>,
    cancelled_at: Option<DateTime<Utc>>,
}

impl StateColumns {
    fn of(state: TradeState) -> Self {
        let status = Some(TradeStatus::from(state).into());
        match state {
            TradeState::Open => Self { status, ..Self::default() },
            TradeState::Agreed(agreement) => Self { status, agreement: Some(agreement), ..Self::default() },
            TradeState::Completed { agreement, completed_at } => {
                Self { status, agreement: Some(agreement), completed_at: Some(completed_at), ..Self::default() }
            }
            TradeState::Cancelled { cancelled_at } => Self { status, cancelled_at: Some(cancelled_at), ..Self::default() },
        }
    }
}
