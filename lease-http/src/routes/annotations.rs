//! What the company keeps with an object, in the responses to administrative users. To others, the fields are not there.

use lease_core::model::{Annotations, Role};
use lease_core::permission::Actor;
use serde_json::Value;

/// The values of `external_id` and `metadata`; none for a reader who is not administrative.
pub(super) struct Seen {
    pub(super) external_id: Option<Value>,
    pub(super) metadata: Option<Value>,
}

impl Seen {
    /// What this actor sees.
    pub(super) fn by(actor: &Actor, annotations: Annotations) -> Self {
        let Annotations { external_id, metadata } = annotations;
        let is_staff = actor.role().is_some_and(Role::is_staff);
        Self {
            external_id: is_staff.then(|| external_id.map(|id| id.as_str().to_owned()).into()),
            metadata: is_staff.then(|| metadata.into_object().into()),
        }
    }
}
