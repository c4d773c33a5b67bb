use std::fmt;

use chrono::{DateTime, Utc};
use lease_core::engine::WithActions;
use lease_core::id::{CreditCardId, CustomerId, InvoiceId, PaymentId};
use lease_core::lifecycle::AvailableAction;
use lease_core::model::{self, PaymentStatus};
use lease_core::money::Currency;
use lease_core::openapi::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Amount, Secret};
use crate::schema;

/// One attempt to pay an invoice with a card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Payment {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: PaymentId,
    /// The invoice that is paid.
    #[schema(value_type = Id)]
    pub invoice_id: InvoiceId,
    /// The card that is charged.
    #[schema(value_type = Id)]
    pub credit_card_id: CreditCardId,
    /// The customer who pays.
    #[schema(value_type = Id)]
    pub customer_id: CustomerId,
    /// The amount that is paid.
    pub amount: Amount,
    /// The currency of the amounts.
    #[schema(value_type = schema::Currency)]
    pub currency: Currency,
    /// Its status.
    pub status: PaymentStatus,
    /// The sum of the refunds that succeeded.
    pub amount_refunded: Amount,
    /// The gateway's reason for the failure.
    #[schema(required, example = json!(null))]
    pub failure_code: Option<String>,
    /// What the payer must do before the card is charged, if they must.
    #[schema(required)]
    pub next_action: Option<NextAction>,
    /// Whether it was made after the due date.
    pub is_late: bool,
    /// The gateway's reference for the charge.
    #[schema(required, example = "sandbox_9f86d081884c7d65")]
    pub gateway_reference: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it succeeded, failed or was cancelled.
    #[schema(required)]
    pub settled_at: Option<DateTime<Utc>>,
    /// What the caller may do with it now.
    pub available_actions: Vec<AvailableAction>,
}

/// What a payer must do before their card is charged. Only the payer gets the secret.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct NextAction {
    /// The gateway's word for it: `use_stripe_sdk`, `redirect_to_url`, or `sandbox`.
    #[schema(example = "sandbox")]
    pub r#type: String,
    /// The address at which the payer acts.
    #[schema(example = "/api/sandbox/payments/1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The secret with which the payer's browser acts.
    #[schema(value_type = Option<String>, example = "pi_1_secret_2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
}

/// Shows only the type: an address may hold a secret as well.
impl fmt::Debug for NextAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextAction").field("type", &self.r#type).finish_non_exhaustive()
    }
}

impl From<&model::NextAction> for NextAction {
    fn from(action: &model::NextAction) -> Self {
        let client_secret = action.client_secret.as_ref().map(|secret| Secret::new(secret.expose()));
        Self { r#type: action.kind.clone(), url: action.url.clone(), client_secret }
    }
}

impl From<WithActions<model::Payment>> for Payment {
    fn from(WithActions { stored: payment, available_actions, .. }: WithActions<model::Payment>) -> Self {
        Self {
            id: payment.id,
            invoice_id: payment.invoice_id,
            credit_card_id: payment.credit_card_id,
            customer_id: payment.customer_id,
            amount: payment.amount.into(),
            currency: payment.amount.currency(),
            status: PaymentStatus::from(&payment.state),
            amount_refunded: payment.refunded.into(),
            failure_code: payment.state.failure_code().map(str::to_owned),
            next_action: payment.state.next_action().map(NextAction::from),
            is_late: payment.is_late,
            gateway_reference: payment.gateway_reference.clone(),
            created_at: payment.created_at,
            settled_at: payment.state.settled_at(),
            available_actions,
        }
    }
}
