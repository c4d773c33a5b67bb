use super::{Described, Fields};
use crate::id::CustomerId;
use crate::model::{Lead, LeadStatus};

impl Described for Lead {
    fn fields(&self) -> Fields {
        vec![
            ("first_name", self.first_name.as_str().into()),
            ("last_name", self.last_name.as_str().into()),
            ("email", self.email.as_str().into()),
            ("phone", self.phone.as_str().into()),
            ("company", self.company.as_str().into()),
            ("source", self.source.as_str().into()),
            ("status", <&str>::from(LeadStatus::from(self.state)).into()),
            ("notes", self.notes.as_str().into()),
            ("customer_id", self.customer_id().map(CustomerId::get).into()),
        ]
    }
}
