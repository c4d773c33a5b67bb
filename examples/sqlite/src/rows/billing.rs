use lease_core::model::{
    ChargeKey, ClientSecret, Invoice, InvoiceState, InvoiceStatus, NextAction, Payment, PaymentState, PaymentStatus, Refund,
    RefundKey, RefundState, RefundStatus,
};
use lease_core::repository::RepositoryError;

use crate::sql::Fields;
use crate::table::Table;
use crate::value::{Value, name, values};

impl Table for Invoice {
    const NAME: &'static str = "invoices";
    const COLUMNS: &'static str = "trade_id, proposal_id, customer_id, amount, paid, pending, refunded, currency, status, settled_at, \
                                   reason, issued_at, due_date, overdue_at";

    fn values(&self) -> Vec<Value> {
        let closed = self.state.voided().or(self.state.written_off());
        values![
            self.trade_id,
            self.proposal_id,
            self.customer_id,
            self.amount,
            self.paid,
            self.pending,
            self.refunded,
            self.amount.currency().code(),
            name(InvoiceStatus::from(&self.state)),
            self.state.paid_at().or(closed.map(|(at, _)| at)),
            closed.map(|(_, reason)| reason),
            self.issued_at,
            self.due_date,
            self.overdue_at,
        ]
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        let (trade_id, proposal_id, customer_id) = (fields.get()?, fields.get()?, fields.get()?);
        let [amount, paid, pending, refunded] = fields.amounts()?;
        Ok(Self {
            trade_id,
            proposal_id,
            customer_id,
            amount,
            paid,
            pending,
            refunded,
            state: read_invoice_state(fields)?,
            issued_at: fields.get()?,
            due_date: fields.get()?,
            overdue_at: fields.get()?,
        })
    }
}

fn read_invoice_state(fields: &mut Fields<'_>) -> Result<InvoiceState, RepositoryError> {
    let (status, at, reason) = (fields.name()?, fields.get()?, fields.get()?);
    Ok(match status {
        InvoiceStatus::Open => InvoiceState::Open,
        InvoiceStatus::Paid => InvoiceState::Paid { at: fields.some(at)? },
        InvoiceStatus::Void => InvoiceState::Void { at: fields.some(at)?, reason: fields.some(reason)? },
        InvoiceStatus::WrittenOff => InvoiceState::WrittenOff { at: fields.some(at)?, reason: fields.some(reason)? },
    })
}

impl Table for Payment {
    const NAME: &'static str = "payments";
    const COLUMNS: &'static str = "invoice_id, credit_card_id, customer_id, amount, refunded, refunding, currency, status, settled_at, \
        failure_code, action_kind, action_url, action_client_secret, is_late, charge_key, gateway_reference, created_at";

    fn values(&self) -> Vec<Value> {
        let action = self.state.next_action();
        values![
            self.invoice_id,
            self.credit_card_id,
            self.customer_id,
            self.amount,
            self.refunded,
            self.refunding,
            self.amount.currency().code(),
            name(PaymentStatus::from(&self.state)),
            self.state.settled_at(),
            self.state.failure_code(),
            action.map(|action| &action.kind),
            action.and_then(|action| action.url.as_ref()),
            action.and_then(|action| action.client_secret.as_ref()).map(ClientSecret::expose),
            self.is_late,
            self.charge_key.as_str(),
            self.gateway_reference,
            self.created_at,
        ]
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        let (invoice_id, credit_card_id, customer_id) = (fields.get()?, fields.get()?, fields.get()?);
        let [amount, refunded, refunding] = fields.amounts()?;
        Ok(Self {
            invoice_id,
            credit_card_id,
            customer_id,
            amount,
            refunded,
            refunding,
            state: read_payment_state(fields)?,
            is_late: fields.get()?,
            charge_key: ChargeKey::new(fields.get()?),
            gateway_reference: fields.get()?,
            created_at: fields.get()?,
        })
    }
}

fn read_payment_state(fields: &mut Fields<'_>) -> Result<PaymentState, RepositoryError> {
    let (status, at, failure_code) = (fields.name()?, fields.get()?, fields.get()?);
    let (kind, url, secret): (_, _, Option<String>) = (fields.get()?, fields.get()?, fields.get()?);
    Ok(match status {
        PaymentStatus::Pending => PaymentState::Pending,
        PaymentStatus::RequiresAction => {
            let client_secret = secret.map(ClientSecret::new);
            PaymentState::RequiresAction(NextAction { kind: fields.some(kind)?, url, client_secret })
        }
        PaymentStatus::Succeeded => PaymentState::Succeeded { at: fields.some(at)? },
        PaymentStatus::Failed => PaymentState::Failed { at: fields.some(at)?, failure_code: fields.some(failure_code)? },
        PaymentStatus::Cancelled => PaymentState::Cancelled { at: fields.some(at)? },
    })
}

impl Table for Refund {
    const NAME: &'static str = "refunds";
    const COLUMNS: &'static str = "payment_id, invoice_id, customer_id, amount, currency, reason, note, status, settled_at, \
                                   failure_code, refund_key, gateway_reference, created_at";

    fn values(&self) -> Vec<Value> {
        values![
            self.payment_id,
            self.invoice_id,
            self.customer_id,
            self.amount,
            self.amount.currency().code(),
            name(self.reason),
            self.note,
            name(RefundStatus::from(&self.state)),
            self.state.settled_at(),
            self.state.failure_code(),
            self.refund_key.as_str(),
            self.gateway_reference,
            self.created_at,
        ]
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            payment_id: fields.get()?,
            invoice_id: fields.get()?,
            customer_id: fields.get()?,
            amount: fields.money()?,
            reason: fields.name()?,
            note: fields.get()?,
            state: read_refund_state(fields)?,
            refund_key: RefundKey::new(fields.get()?),
            gateway_reference: fields.get()?,
            created_at: fields.get()?,
        })
    }
}

fn read_refund_state(fields: &mut Fields<'_>) -> Result<RefundState, RepositoryError> {
    let (status, at, failure_code) = (fields.name()?, fields.get()?, fields.get()?);
    Ok(match status {
        RefundStatus::Pending => RefundState::Pending,
        RefundStatus::Succeeded => RefundState::Succeeded { at: fields.some(at)? },
        RefundStatus::Failed => RefundState::Failed { at: fields.some(at)?, failure_code: fields.some(failure_code)? },
    })
}
