use serde_json::{Value, json};

use super::{Described, Fields, optional_instant};
use crate::id::CustomerId;
use crate::model::{Customer, Email, NoticeSettings, User};

/// A user with the id of its customer. The password is left out.
impl Described for (&User, Option<CustomerId>) {
    fn fields(&self) -> Fields {
        let (user, customer_id) = self;
        vec![
            ("username", user.username.as_str().into()),
            ("email", user.email.as_ref().map(Email::as_str).into()),
            ("first_name", user.first_name.as_str().into()),
            ("last_name", user.last_name.as_str().into()),
            ("is_active", user.is_active.into()),
            ("is_staff", user.role.is_staff().into()),
            ("is_superuser", user.role.is_superuser().into()),
            ("last_login", optional_instant(user.last_login)),
            ("email_verified_at", optional_instant(user.email_verified_at)),
            ("notification_settings", notices(user.notices)),
            ("customer_id", customer_id.map(CustomerId::get).into()),
        ]
    }
}

fn notices(settings: NoticeSettings) -> Value {
    let NoticeSettings { proposals, invoices, payments } = settings;
    json!({"proposals": proposals, "invoices": invoices, "payments": payments})
}

impl Described for Customer {
    fn fields(&self) -> Fields {
        vec![
            ("job", self.profile.job.as_str().into()),
            ("dob", self.profile.dob.map(|dob| dob.to_string()).into()),
            ("notes", self.profile.notes.as_str().into()),
        ]
    }
}
