use super::{Described, Fields};
use crate::model::{Annotations, ExternalId};

impl Described for Annotations {
    fn fields(&self) -> Fields {
        vec![
            ("external_id", self.external_id.as_ref().map(ExternalId::as_str).into()),
            ("metadata", self.metadata.as_object().clone().into()),
        ]
    }
}
