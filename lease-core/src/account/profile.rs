use chrono::NaiveDate;

use crate::account::require_visible_customer;
use crate::decision::{Decision, RowChange};
use crate::error::Error;
use crate::event::{Audience, Event, EventType};
use crate::id::{Stored, Versioned};
use crate::input::{Field, Form, UpdateMode, draft};
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
    }
}

impl ProfileDraft {
    pub(super) fn read(&self, form: &mut Form, current: Option<&Profile>, today: NaiveDate) -> Option<Profile> {
        let job = form.optional("job", &self.job, current.map(|now| &now.job), String::new(), |job| text::line(job));
        let dob = form.optional("dob", &self.dob, current.map(|now| &now.dob), None, |dob| {
            if *dob < today { Ok(Some(*dob)) } else { Err("The date of birth must be in the past.") }
        });
        let notes = form.optional("notes", &self.notes, current.map(|now| &now.notes), String::new(), |notes| text::free(notes));
        Some(Profile { job: job?, dob: dob?, notes: notes? })
    }
}

/// Changes a customer's profile (rule 6.1). Every field is optional, so `PUT` and `PATCH` mean the same.
///
/// # Errors
/// [`Error::NotFound`]; invalid fields.
pub fn update_profile(
    customer: &Versioned<Stored<Customer>>,
    actor: &Actor,
    draft: &ProfileDraft,
    today: NaiveDate,
) -> Result<Decision<RowChange<Customer>>, Error> {
    require_visible_customer(actor, customer.id)?;
    actor.require(Resource::Customer, Act::Update)?;
    let mut form = Form::new(UpdateMode::Partial);
    let Some(profile) = draft.read(&mut form, Some(&customer.profile), today) else { return Err(form.errors.into()) };
    let value = Customer { profile, ..Customer::clone(customer) };
    let event = Event::new(EventType::CustomerUpdated, customer.id, Audience::customer(customer.id))
        .id("user_id", customer.user_id)
        .changing(&customer.value.value, &value);
    Ok(Decision::new(RowChange::update(customer, value), event.if_changed()))
}
