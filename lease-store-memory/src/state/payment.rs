use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use lease_core::gateway::{ChargeKey, RefundKey};
use lease_core::id::{CustomerId, PaymentId, RefundId};
use lease_core::lifecycle::{PaymentChange, RefundChange};
use lease_core::model::{Payment, PaymentState, PaymentStatus, Refund, RefundState, RefundStatus};

use super::table::Table;
use crate::index::{Kind, Term};

/// Rows by when they were begun.
pub(crate) type Begun<I> = BTreeSet<(DateTime<Utc>, I)>;

/// Payments.
#[derive(Debug, Default)]
pub(crate) struct Payments {
    pub(crate) rows: Table<Payment>,
    /// Those that wait for the gateway's response.
    pub(crate) pending: Begun<PaymentId>,
    /// Those that wait for their payer.
    pub(crate) waiting: Begun<PaymentId>,
    /// Those that failed, by their customer.
    pub(crate) declines: BTreeMap<CustomerId, Begun<PaymentId>>,
    /// The charge keys of all.
    pub(crate) charge_keys: BTreeMap<ChargeKey, PaymentId>,
}

/// The term of payments of a status.
pub(crate) const fn payment_status(status: PaymentStatus) -> Term {
    Term::number(Kind::Status, status as i64)
}

impl Payments {
    /// Inserts a new payment.
    pub(crate) fn insert(&mut self, id: PaymentId, payment: Payment) {
        self.charge_keys.insert(payment.charge_key.clone(), id);
        self.note(id, &payment);
        let terms = [
            payment_status((&payment.state).into()),
            Term::id(Kind::Invoice, payment.invoice_id),
            Term::id(Kind::Customer, payment.customer_id),
            Term::id(Kind::Card, payment.credit_card_id),
        ];
        self.rows.insert(id, payment, terms);
    }

    /// Changes a payment.
    pub(crate) fn change(&mut self, change: &PaymentChange) {
        let Some(row) = self.rows.get_mut(change.id) else { return };
        let old = PaymentStatus::from(&row.value.state);
        change.apply(&mut row.value);
        let payment = row.value.clone();
        self.rows.retag(change.id, &[payment_status(old)], &[payment_status((&payment.state).into())]);
        self.note(change.id, &payment);
    }

    /// Notes a payment where those of its state are looked for.
    fn note(&mut self, id: PaymentId, payment: &Payment) {
        let begun = (payment.created_at, id);
        let declines = self.declines.entry(payment.customer_id).or_default();
        self.pending.remove(&begun);
        self.waiting.remove(&begun);
        declines.remove(&begun);
        match payment.state {
            PaymentState::Pending => drop(self.pending.insert(begun)),
            PaymentState::RequiresAction(_) => drop(self.waiting.insert(begun)),
            PaymentState::Failed { .. } => drop(declines.insert(begun)),
            PaymentState::Succeeded { .. } | PaymentState::Cancelled { .. } => {}
        }
    }
}

/// Refunds.
#[derive(Debug, Default)]
pub(crate) struct Refunds {
    pub(crate) rows: Table<Refund>,
    /// Those that wait for the gateway's response.
    pub(crate) pending: Begun<RefundId>,
    /// The keys of all.
    pub(crate) keys: BTreeMap<RefundKey, RefundId>,
}

/// The term of refunds of a status.
pub(crate) const fn refund_status(status: RefundStatus) -> Term {
    Term::number(Kind::Status, status as i64)
}

impl Refunds {
    /// Inserts a new refund.
    pub(crate) fn insert(&mut self, id: RefundId, refund: Refund) {
        self.keys.insert(refund.refund_key.clone(), id);
        if refund.state == RefundState::Pending {
            self.pending.insert((refund.created_at, id));
        }
        let terms = [
            refund_status((&refund.state).into()),
            Term::id(Kind::Payment, refund.payment_id),
            Term::id(Kind::Invoice, refund.invoice_id),
            Term::id(Kind::Customer, refund.customer_id),
        ];
        self.rows.insert(id, refund, terms);
    }

    /// Changes a refund.
    pub(crate) fn change(&mut self, change: &RefundChange) {
        let Some(row) = self.rows.get_mut(change.id) else { return };
        let (old, begun) = (RefundStatus::from(&row.value.state), (row.value.created_at, change.id));
        change.apply(&mut row.value);
        let new = RefundStatus::from(&row.value.state);
        self.rows.retag(change.id, &[refund_status(old)], &[refund_status(new)]);
        if new != RefundStatus::Pending {
            self.pending.remove(&begun);
        }
    }
}
