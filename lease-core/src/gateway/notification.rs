use crate::model::{ChargeKey, RefundKey};

/// What a provider's notification is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notification {
    /// The charge with this key.
    Charge(ChargeKey),
    /// The refund with this key.
    Refund(RefundKey),
}

/// Why a notification was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotificationError {
    /// The gateway sends no notifications.
    #[error("the gateway sends no notifications")]
    NotSupported,
    /// It is not signed by the provider, or too old.
    #[error("the notification is not signed by the provider, or too old")]
    NotSigned,
    /// It is signed, but cannot be read.
    #[error("the notification cannot be read")]
    NotReadable,
}
