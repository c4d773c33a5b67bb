use lease_core::account::{Token, TokenHash};
use lease_core::model::{Customer, Email, NoticeSettings, PasswordHash, Profile, User, Username};
use lease_core::repository::RepositoryError;

use super::{annotation_values, join, read_annotations};
use crate::sql::Fields;
use crate::table::Table;
use crate::value::{Json, Value, name, values};

impl Table for User {
    const NAME: &'static str = "users";
    const COLUMNS: &'static str = "username, email, first_name, last_name, password_hash, is_active, role, date_joined, last_login, \
                                   token_epoch, email_verified_at, links, proposal_notices, invoice_notices, payment_notices, \
                                   external_id, metadata";
    const DERIVED: &'static str = ", search_text";

    fn values(&self) -> Vec<Value> {
        let columns = values![
            self.username.as_str(),
            self.email.as_ref().map(Email::as_str),
            self.first_name,
            self.last_name,
            self.password.expose(),
            self.is_active,
            name(self.role),
            self.date_joined,
            self.last_login,
            self.token_epoch,
            self.email_verified_at,
            Json(&self.links),
            self.notices.proposals,
            self.notices.invoices,
            self.notices.payments,
        ];
        join([columns, annotation_values(&self.annotations), values![self.search_text()]])
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            username: Username::from_stored(fields.get()?),
            email: fields.get::<Option<String>>()?.map(Email::from_stored),
            first_name: fields.get()?,
            last_name: fields.get()?,
            password: PasswordHash::from_phc(fields.get()?),
            is_active: fields.get()?,
            role: fields.name()?,
            date_joined: fields.get()?,
            last_login: fields.get()?,
            token_epoch: fields.get()?,
            email_verified_at: fields.get()?,
            links: fields.get().map(|Json(links)| links)?,
            notices: NoticeSettings { proposals: fields.get()?, invoices: fields.get()?, payments: fields.get()? },
            annotations: read_annotations(fields)?,
        })
    }
}

impl Table for Customer {
    const NAME: &'static str = "customers";
    const COLUMNS: &'static str = "user_id, job, dob, notes, created_at, external_id, metadata";

    fn values(&self) -> Vec<Value> {
        let Profile { job, dob, notes } = &self.profile;
        join([values![self.user_id, job, dob, notes, self.created_at], annotation_values(&self.annotations)])
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            user_id: fields.get()?,
            profile: Profile { job: fields.get()?, dob: fields.get()?, notes: fields.get()? },
            created_at: fields.get()?,
            annotations: read_annotations(fields)?,
        })
    }
}

impl Table for Token {
    const NAME: &'static str = "tokens";
    const COLUMNS: &'static str = "hash, user_id, name, epoch, created_at, expires_at";

    fn values(&self) -> Vec<Value> {
        values![self.hash.0, self.user_id, self.name, self.epoch, self.created_at, self.expires_at]
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            hash: TokenHash(fields.get()?),
            user_id: fields.get()?,
            name: fields.get()?,
            epoch: fields.get()?,
            created_at: fields.get()?,
            expires_at: fields.get()?,
        })
    }
}
