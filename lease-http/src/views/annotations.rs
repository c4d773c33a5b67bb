//! What the company keeps with an object, as administrative users see it. To others, the fields are not there.

use lease_core::model::{Annotations, Role};
use lease_core::permission::Actor;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The values of `external_id` and `metadata`; none for a reader who is not administrative.
#[expect(clippy::option_option, reason = "a field that is not there is not one that is null")]
pub(super) struct Seen {
    pub(super) external_id: Option<Option<String>>,
    pub(super) metadata: Option<Map<String, Value>>,
}

impl Seen {
    /// What this actor sees.
    pub(super) fn by(actor: &Actor, annotations: Annotations) -> Self {
        let Annotations { external_id, metadata } = annotations;
        let is_staff = actor.role().is_some_and(Role::is_staff);
        Self {
            external_id: is_staff.then(|| external_id.map(|id| id.as_str().to_owned())),
            metadata: is_staff.then(|| metadata.into_object()),
        }
    }
}

/// Reads a field that is there, and may be null.
pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
