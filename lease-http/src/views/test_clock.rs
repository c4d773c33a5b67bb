use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The server's clock, which superusers can move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct TestClock {
    /// The present time of the server.
    pub now: DateTime<Utc>,
}

impl From<DateTime<Utc>> for TestClock {
    fn from(now: DateTime<Utc>) -> Self {
        Self { now }
    }
}
