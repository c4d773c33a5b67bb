use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::account::require_visible_customer;
use crate::annotating::AnnotationsDraft;
use crate::decision::{Decision, RowChange};
use crate::error::Error;
use crate::event::{Audience, Event, EventType};
use crate::id::{CustomerId, Stored, Versioned};
use crate::input::{Field, Form, Invalid, UpdateMode, draft};
use crate::model::{Customer, Profile};
use crate::permission::{Act, Actor, Resource};
use crate::text;

draft! {
    /// The fields for updating a customer.
    pub struct ProfileDraft as CustomerInput {
        /// Occupation.
        pub job: Field<String> as nullable Line like "Engineer",
        /// Date of birth, in the past.
        pub dob: Field<NaiveDate> as nullable DateInput like "1990-12-31",
        /// Anything else worth knowing.
        pub notes: Field<String> as nullable FreeText like "Prefers to be called in the evening.",
        /// What another system calls the customer; unique.
        pub external_id: Field<String> as annotation ExternalIdInput,
        /// What the company keeps with the customer.
        pub metadata: Field<Map<String, Value>> as annotation MetadataInput,
    }
}

impl ProfileDraft {
    pub(crate) const fn annotations(&self) -> AnnotationsDraft<'_> {
        AnnotationsDraft { external_id: &self.external_id, metadata: &self.metadata }
    }

    pub(super) fn read(&self, form: &mut Form, current: Option<&Profile>, today: NaiveDate) -> Option<Profile> {
        let job = form.optional("job", &self.job, current.map(|now| &now.job), String::new(), |job| text::line(job));
        let dob = form.optional("dob", &self.dob, current.map(|now| &now.dob), None, |dob| {
            if *dob < today { Ok(Some(*dob)) } else { Err(Invalid::BirthNotPast) }
        });
        let notes = form.optional("notes", &self.notes, current.map(|now| &now.notes), String::new(), |notes| text::free(notes));
        Some(Profile { job: job?, dob: dob?, notes: notes? })
    }
}

/// Changes a customer's profile (rule 6.1). Every field is optional, so `PUT` and `PATCH` mean the same. `taken_by` is the customer
/// that already has the draft's external id.
///
/// # Errors
/// [`Error::NotFound`]; invalid fields.
pub fn update_profile(
    customer: &Versioned<Stored<Customer>>,
    actor: &Actor,
    draft: &ProfileDraft,
    taken_by: Option<CustomerId>,
    today: NaiveDate,
) -> Result<Decision<RowChange<Customer>>, Error> {
    require_visible_customer(actor, customer.id)?;
    actor.require(Resource::Customer, Act::Update)?;
    let mut form = Form::new(UpdateMode::Partial);
    let profile = draft.read(&mut form, Some(&customer.profile), today);
    let is_taken = taken_by.is_some_and(|other| other != customer.id);
    let annotations = draft.annotations().read(&mut form, Some(&customer.annotations), "customer", is_taken);
    let (Some(profile), Some(annotations)) = (profile, annotations) else { return Err(form.errors.into()) };
    let value = Customer { profile, annotations, ..Customer::clone(customer) };
    let updated =
        || Event::new(EventType::CustomerUpdated, customer.id, Audience::customer(customer.id)).id("user_id", customer.user_id);
    let events = [
        updated().changing(&customer.value.value, &value).if_changed(),
        updated().annotating(&customer.annotations, &value.annotations),
    ];
    Ok(Decision::new(RowChange::update(customer, value), events.into_iter().flatten()))
}
