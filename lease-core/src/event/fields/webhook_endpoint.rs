use super::{Described, Fields};
use crate::model::WebhookEndpoint;

/// The secrets are left out.
impl Described for WebhookEndpoint {
    fn fields(&self) -> Fields {
        vec![
            ("url", self.url.as_str().into()),
            ("description", self.description.as_str().into()),
            ("event_types", self.event_types.iter().map(ToString::to_string).collect::<Vec<_>>().into()),
            ("is_active", self.is_active().into()),
            ("disabled_reason", self.disabled_reason().map(<&str>::from).into()),
        ]
    }
}
