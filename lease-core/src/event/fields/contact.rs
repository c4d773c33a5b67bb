use super::{Described, Fields};
use crate::id::{CustomerId, LeadId};
use crate::model::Contact;

impl Described for Contact {
    fn fields(&self) -> Fields {
        vec![
            ("customer_id", self.owner.customer().map(CustomerId::get).into()),
            ("lead_id", self.owner.lead().map(LeadId::get).into()),
            ("label", self.label.as_str().into()),
            ("name", self.name.as_str().into()),
            ("email", self.email.as_str().into()),
            ("phone", self.phone.as_str().into()),
            ("address_line1", self.address_line1.as_str().into()),
            ("address_line2", self.address_line2.as_str().into()),
            ("city", self.city.as_str().into()),
            ("state", self.state.as_str().into()),
            ("postal_code", self.postal_code.as_str().into()),
            ("country", self.country.as_str().into()),
        ]
    }
}
