use lease_core::id::{ServiceId, Stored};
use lease_core::model::{self, BillTo, InvoiceOn, ServiceKind};
use lease_core::money::Currency;
use lease_core::openapi::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Amount;
use crate::schema;

/// A service that the company sells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Service {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// The kind of service.
    pub kind: ServiceKind,
    /// When a trade under it is invoiced.
    pub invoice_on: InvoiceOn,
    /// The party that is billed.
    pub bill_to: BillTo,
    /// The fee; no invoice is issued if it is zero.
    pub amount: Amount,
    /// The currency of the fee.
    #[schema(value_type = schema::Currency)]
    pub currency: Currency,
    /// The number of days from the issue of the invoice to its due date.
    #[schema(minimum = 0, maximum = 365)]
    pub payment_due_days: u16,
    /// Anything else, or empty.
    pub description: String,
    /// Whether new trades may be opened under it.
    pub is_active: bool,
}

impl From<Stored<model::Service>> for Service {
    fn from(service: Stored<model::Service>) -> Self {
        let Stored { id, value: service } = service;
        Self {
            id,
            name: service.name,
            kind: service.kind,
            invoice_on: service.invoice_on,
            bill_to: service.bill_to,
            amount: service.fee.into(),
            currency: service.fee.currency(),
            payment_due_days: service.payment_due_days,
            description: service.description,
            is_active: service.is_active,
        }
    }
}
