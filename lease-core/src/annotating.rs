//! How [annotations](crate::model::Annotations) are read from a draft, and what is recorded of a change to them.

use serde_json::{Map, Value};

use crate::event::{Audience, Event};
use crate::input::{Field, Form, Invalid};
use crate::model::{Annotations, ExternalId, Metadata};

/// The annotations in a draft.
#[derive(Clone, Copy)]
pub(crate) struct AnnotationsDraft<'a> {
    pub(crate) external_id: &'a Field<String>,
    pub(crate) metadata: &'a Field<Map<String, Value>>,
}

impl AnnotationsDraft<'_> {
    /// Whether the draft says anything about them.
    pub(crate) const fn is_given(&self) -> bool {
        !self.external_id.is_missing() || !self.metadata.is_missing()
    }

    /// The external id, if it is given and valid.
    pub(crate) fn wanted_id(&self) -> Option<ExternalId> {
        self.external_id.given().and_then(|text| ExternalId::parse(text).ok())
    }

    /// Reads them for an object of this kind; `is_taken` says whether another one has the external id. Metadata is replaced as a whole.
    pub(crate) fn read(
        &self,
        form: &mut Form,
        current: Option<&Annotations>,
        kind: &'static str,
        is_taken: bool,
    ) -> Option<Annotations> {
        let external_id = form.optional("external_id", self.external_id, current.map(|now| &now.external_id), None, |text| {
            let id = ExternalId::parse(text)?;
            if is_taken { Err(Invalid::Taken { kind, field: "external_id" }) } else { Ok(Some(id)) }
        });
        let now = current.map(|now| &now.metadata);
        let metadata = form.optional("metadata", self.metadata, now, Metadata::default(), Metadata::parse);
        Some(Annotations { external_id: external_id?, metadata: metadata? })
    }
}

impl Event {
    /// The event about a change to annotations, if there is one. It is an event of its own, which administrative users alone see.
    pub(crate) fn annotating(self, before: &Annotations, after: &Annotations) -> Option<Self> {
        Self { audience: Audience::Staff, ..self }.changing(before, after).if_changed()
    }
}
