use lease_core::model::NoticeSettings;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which notices the user gets by mail. Those about the security of the account always come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct NotificationSettings {
    /// About proposals.
    pub proposals: bool,
    /// About invoices.
    pub invoices: bool,
    /// About payments and refunds.
    pub payments: bool,
}

impl From<NoticeSettings> for NotificationSettings {
    fn from(NoticeSettings { proposals, invoices, payments }: NoticeSettings) -> Self {
        Self { proposals, invoices, payments }
    }
}
