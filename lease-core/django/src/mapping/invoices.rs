//! Invoices, payments and the cards with which they were made.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Days;
use lease_core::gateway::CardNumber;
use lease_core::id::{CreditCardId, CustomerId, InvoiceId, PaymentId, ProposalId, Stored, TradeId};
use lease_core::model::{CardBrand, CardToken, ChargeKey, CreditCard, Invoice, InvoiceState, Payment, PaymentState};
use lease_core::money::Money;
use lease_core::text::NAME_MAX;
use secrecy::ExposeSecret as _;

use super::market::DUE_DAYS;
use super::trades::Desk;
use super::{Mapping, Notes, date, last_id, past};
use crate::amount::{Rounding, positive};
use crate::report::Table;
use crate::rows::{CardRow, InvoiceRow, PaymentRow};
use crate::text;

/// The most digits that a name on a card keeps: the shortest number of a card has one more.
const MOST_DIGITS: usize = 11;

/// The invoices of a trade in Django, with their payments, in the order of their ids.
#[derive(Default)]
pub(super) struct InvoiceRows<'a>(Vec<(InvoiceId, &'a InvoiceRow, PaymentRows<'a>)>);

/// The payments of an invoice in Django.
type PaymentRows<'a> = Vec<(PaymentId, &'a PaymentRow)>;

impl<'a> InvoiceRows<'a> {
    pub(super) fn by_trade(
        invoices: &BTreeMap<i64, &'a InvoiceRow>,
        payments: &BTreeMap<i64, &'a PaymentRow>,
    ) -> BTreeMap<i64, Self> {
        let mut of_invoice: BTreeMap<i64, Vec<_>> = BTreeMap::new();
        for (id, row) in payments {
            of_invoice.entry(row.invoice.unwrap_or_default()).or_default().extend(PaymentId::new(*id).map(|id| (id, *row)));
        }
        let mut of_trade: BTreeMap<i64, Self> = BTreeMap::new();
        for (id, row) in invoices {
            let Some(invoice) = InvoiceId::new(*id) else { continue };
            let payments = of_invoice.remove(id).unwrap_or_default();
            of_trade.entry(row.trade.unwrap_or_default()).or_default().0.push((invoice, *row, payments));
        }
        of_trade
    }
}

/// For what an invoice can be: the trade, its owner, and the proposal on which one is issued, if there is any.
pub(super) struct Bill {
    pub(super) trade: TradeId,
    pub(super) owner: CustomerId,
    pub(super) cause: Option<ProposalId>,
}

/// An invoice that may be taken, with its payments.
struct Claim {
    invoice: Stored<Invoice>,
    payments: Vec<Stored<Payment>>,
    notes: Notes,
}

impl Desk<'_> {
    /// The invoice of a trade: the one on which most was paid, of these the first.
    pub(super) fn invoice(
        &self,
        bill: &Bill,
        rows: &InvoiceRows<'_>,
        notes: &mut Notes,
    ) -> (Option<Stored<Invoice>>, Vec<Stored<Payment>>) {
        let mut best: Option<Claim> = None;
        for (id, row, payments) in &rows.0 {
            let claim = match self.claim(bill, *id, row, payments) {
                Ok(claim) => claim,
                Err(reason) => {
                    notes.dropped(Table::Invoices, id.get(), reason);
                    continue;
                }
            };
            let paid = |claim: &Claim| claim.invoice.paid.amount();
            let is_better = best.as_ref().is_none_or(|best| paid(&claim) > paid(best));
            let other = if is_better { best.replace(claim) } else { Some(claim) };
            if let Some(other) = other {
                notes.dropped(Table::Invoices, other.invoice.id.get(), "its trade has another one");
            }
        }
        let Some(best) = best else { return (None, Vec::new()) };
        notes.absorb(best.notes);
        (Some(best.invoice), best.payments)
    }

    fn claim(
        &self,
        bill: &Bill,
        id: InvoiceId,
        row: &InvoiceRow,
        payments: &[(PaymentId, &PaymentRow)],
    ) -> Result<Claim, &'static str> {
        let proposal_id = bill.cause.ok_or("nothing was proposed or accepted for which it could be")?;
        if row.customer != Some(bill.owner.get()) {
            return Err("it is billed to another than the owner of the vehicle");
        }
        let rounding = positive(row.amount, self.terms.currency).ok_or("its amount is not above 0")?;
        let mut notes = Notes::default();
        notes.rounded(Table::Invoices, id.get(), rounding);
        let issued_at = past(row.created_at, self.terms.now);
        let due_date = date(row.due_date)
            .or_else(|| issued_at.date_naive().checked_add_days(Days::new(DUE_DAYS.into())))
            .unwrap_or_else(|| issued_at.date_naive());
        let zero = Money::zero(self.terms.currency);
        let value = Invoice {
            trade_id: bill.trade,
            proposal_id,
            customer_id: bill.owner,
            amount: rounding.money,
            paid: zero,
            pending: zero,
            refunded: zero,
            state: InvoiceState::Open,
            issued_at,
            due_date,
            overdue_at: None,
        };
        let mut claim = Claim { invoice: Stored { id, value }, payments: Vec::new(), notes };
        for (id, payment) in payments {
            if let Err(reason) = self.pay(&mut claim, *id, payment) {
                claim.notes.dropped(Table::Payments, id.get(), reason);
            }
        }
        self.settle(&mut claim, row, payments);
        Ok(claim)
    }

    /// Adds a payment, or as much of it as is left to be paid.
    fn pay(&self, claim: &mut Claim, id: PaymentId, row: &PaymentRow) -> Result<(), &'static str> {
        let invoice = &mut claim.invoice.value;
        let rounding = positive(row.amount, self.terms.currency).ok_or("its amount is not above 0")?;
        let card = row.card.and_then(|card| self.cards.get(&card)).ok_or("there is no such card")?;
        let credit_card_id = card.id.and_then(CreditCardId::new).ok_or("there is no such card")?;
        if card.customer != Some(invoice.customer_id.get()) {
            return Err("its card is another's than the customer's who is billed");
        }
        let left = invoice.due().ok().filter(|left| !left.is_zero()).ok_or("its invoice was paid already")?;
        let is_over = rounding.money.amount() > left.amount();
        let amount = if is_over { left } else { rounding.money };
        invoice.paid = invoice.paid.plus(amount).map_err(|_| "its invoice was paid already")?;
        if is_over {
            claim.notes.changed(Table::Payments, id.get(), "it was over what was left of its invoice");
        } else {
            claim.notes.rounded(Table::Payments, id.get(), rounding);
        }
        let zero = Money::zero(self.terms.currency);
        let created_at = past(row.created_at, self.terms.now);
        let value = Payment {
            invoice_id: claim.invoice.id,
            credit_card_id,
            customer_id: claim.invoice.customer_id,
            amount,
            refunded: zero,
            refunding: zero,
            state: PaymentState::Succeeded { at: created_at },
            is_late: created_at.date_naive() > claim.invoice.due_date,
            charge_key: ChargeKey::new(format!("django-{id}")),
            gateway_reference: Some(format!("django-{id}")),
            created_at,
        };
        claim.payments.push(Stored { id, value });
        Ok(())
    }

    /// Decides whether the invoice is paid. What Django counts as paid is never asked for again.
    fn settle(&self, claim: &mut Claim, row: &InvoiceRow, payments: &[(PaymentId, &PaymentRow)]) {
        let now = self.terms.now;
        let invoice = &mut claim.invoice.value;
        let paid = payments.iter().filter_map(|(_, payment)| positive(payment.amount, self.terms.currency));
        let paid_there = paid.map(|Rounding { money, .. }| money.amount()).sum();
        let counts_as_paid = row.status == Some(2) || invoice.amount.amount() <= paid_there;
        if invoice.paid == invoice.amount {
            let last = claim.payments.iter().map(|payment| payment.created_at).max();
            invoice.state = InvoiceState::Paid { at: last.unwrap_or(now) };
            if row.status != Some(2) {
                claim.notes.changed(
                    Table::Invoices,
                    claim.invoice.id.get(),
                    "it was not marked as paid, though its payments cover it",
                );
            }
        } else if counts_as_paid {
            let reason = "Paid in Django, and not all payments could be taken over.".to_owned();
            invoice.state = InvoiceState::WrittenOff { at: now, reason };
            claim.notes.changed(
                Table::Invoices,
                claim.invoice.id.get(),
                "it was paid, and is written off: its payments do not cover it",
            );
        } else if invoice.is_overdue(now) {
            invoice.overdue_at = Some(invoice.due_until());
        }
    }
}

impl Mapping {
    /// The cards with which payments were made, as deleted ones.
    pub(super) fn cards(&mut self, rows: &BTreeMap<i64, &CardRow>) {
        self.import.last_ids.credit_card = last_id(rows);
        let used: BTreeSet<_> = self.import.payments.iter().map(|payment| payment.credit_card_id).collect();
        for (&id, row) in rows {
            let Some(card) = CreditCardId::new(id).filter(|id| used.contains(id)) else {
                self.notes.dropped(Table::Cards, id, "no payment was made with it, and its number is not taken");
                continue;
            };
            self.notes.changed(Table::Cards, id, "it is kept as a deleted one, for its payments");
            let value = self.card(id, row);
            self.import.cards.extend(value.map(|value| Stored { id: card, value }));
        }
    }

    fn card(&mut self, id: i64, row: &CardRow) -> Option<CreditCard> {
        let number = row.card_number.as_ref().and_then(|number| CardNumber::parse(number.expose_secret()).ok());
        let holder_name = text::line(row.name_in_card.as_deref(), NAME_MAX);
        let has_number = holder_name.text.chars().filter(char::is_ascii_digit).count() > MOST_DIGITS;
        let holder_name = self.notes.text(Table::Cards, id, holder_name);
        Some(CreditCard {
            customer_id: self.customer(row.customer)?,
            brand: number.as_ref().map_or(CardBrand::Unknown, CardNumber::brand),
            last4: number.as_ref().map_or_else(|| "0000".to_owned(), CardNumber::last4),
            exp_month: row
                .expire_month
                .and_then(|month| month.try_into().ok())
                .filter(|month| (1..=12).contains(month))
                .unwrap_or(1),
            exp_year: row
                .expire_year
                .and_then(|year| year.try_into().ok())
                .filter(|year| (2_000..=9_999).contains(year))
                .unwrap_or(2_000),
            holder_name: if has_number { String::new() } else { holder_name },
            is_default: false,
            token: CardToken::new(format!("django-{id}")),
            created_at: self.past(row.created_at),
            deleted_at: Some(self.terms.now),
        })
    }
}
