use std::collections::BTreeMap;

use lease_core::id::{PaymentId, RefundId};
use serde::{Deserialize, Serialize};

/// An error (RFC 9457, rule 6.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// Always `about:blank`.
    pub r#type: String,
    /// The standard name of the status.
    pub title: String,
    /// The status of the response.
    pub status: u16,
    /// An explanation of the error for people.
    pub detail: String,
    /// The stable code of the error for programs.
    pub code: String,
    /// The messages for each wrong field or parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<BTreeMap<String, Vec<String>>>,
    /// The gateway's reason for refusing the card or the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<String>,
    /// The failed payment, which is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// The failed refund, which is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<RefundId>,
}
