use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, InvoiceId, PaymentId, RefundId, Stored};
use lease_core::model::{self, RefundReason, RefundState, RefundStatus};
use lease_core::money::Currency;
use lease_core::openapi::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Amount;
use crate::schema;

/// Money of a payment that is given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Refund {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: RefundId,
    /// The payment that is refunded.
    #[schema(value_type = Id)]
    pub payment_id: PaymentId,
    /// The invoice that was paid.
    #[schema(value_type = Id)]
    pub invoice_id: InvoiceId,
    /// The customer who paid.
    #[schema(value_type = Id)]
    pub customer_id: CustomerId,
    /// The amount that is given back.
    pub amount: Amount,
    /// The currency of the amount.
    #[schema(value_type = schema::Currency)]
    pub currency: Currency,
    /// Why it is given back.
    pub reason: RefundReason,
    /// What else the staff noted, or empty.
    pub note: String,
    /// Its status.
    pub status: RefundStatus,
    /// The number of the credit note, once the refund has succeeded.
    #[schema(required, pattern = "^CN-[0-9]{8,}$", example = "CN-00000042")]
    pub credit_note_number: Option<String>,
    /// The gateway's reason for the failure.
    #[schema(required, example = json!(null))]
    pub failure_code: Option<String>,
    /// The gateway's reference for the refund.
    #[schema(required, example = "re_1")]
    pub gateway_reference: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it succeeded or failed.
    #[schema(required)]
    pub settled_at: Option<DateTime<Utc>>,
}

impl From<Stored<model::Refund>> for Refund {
    fn from(Stored { id, value: refund }: Stored<model::Refund>) -> Self {
        let has_succeeded = matches!(refund.state, RefundState::Succeeded { .. });
        Self {
            id,
            payment_id: refund.payment_id,
            invoice_id: refund.invoice_id,
            customer_id: refund.customer_id,
            amount: refund.amount.into(),
            currency: refund.amount.currency(),
            reason: refund.reason,
            status: RefundStatus::from(&refund.state),
            credit_note_number: has_succeeded.then(|| id.credit_note_number()),
            failure_code: refund.state.failure_code().map(str::to_owned),
            settled_at: refund.state.settled_at(),
            note: refund.note,
            gateway_reference: refund.gateway_reference,
            created_at: refund.created_at,
        }
    }
}
