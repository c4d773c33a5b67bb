use lease_core::event::NewRow;
use lease_core::model::{Account, Email, NoticeSettings, PasswordHash, User, Username};
use lease_core::repository::RepositoryError;
use sqlx::types::Json;

use super::annotation::read_annotations;
use super::{Fields, Table, Values, WriteTable, write_annotations};

impl Table for User {
    const NAME: &'static str = "users";
    const COLUMNS: &'static [&'static str] = &[
        "username",
        "email",
        "first_name",
        "last_name",
        "password_hash",
        "is_active",
        "role",
        "date_joined",
        "last_login",
        "token_epoch",
        "email_verified_at",
        "links",
        "proposal_notices",
        "invoice_notices",
        "payment_notices",
        "external_id",
        "metadata",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            username: Username::from_stored(fields.get()?),
            email: fields.get::<Option<String>>()?.map(Email::from_stored),
            first_name: fields.get()?,
            last_name: fields.get()?,
            password: PasswordHash::from_phc(fields.get::<String>()?),
            is_active: fields.get()?,
            role: fields.name()?,
            date_joined: fields.get()?,
            last_login: fields.get()?,
            token_epoch: fields.get()?,
            email_verified_at: fields.get()?,
            links: fields.get::<Json<_>>()?.0,
            notices: NoticeSettings { proposals: fields.get()?, invoices: fields.get()?, payments: fields.get()? },
            annotations: read_annotations(fields)?,
        })
    }
}

/// All but `last_login`, which only a login writes.
impl WriteTable for User {
    const WRITTEN: &'static str = "username, email, first_name, last_name, password_hash, is_active, role, date_joined, \
                                   token_epoch, email_verified_at, links, proposal_notices, invoice_notices, payment_notices, \
                                   search_text, external_id, metadata";
    const NEW_ROW: Option<NewRow> = Some(NewRow::User);

    fn write(&self, values: &mut Values<'_>) {
        values
            .push_bind(self.username.as_str())
            .push_bind(self.email.as_ref().map(Email::as_str))
            .push_bind(&self.first_name)
            .push_bind(&self.last_name)
            .push_bind(self.password.expose())
            .push_bind(self.is_active)
            .push_bind::<&str>(self.role.into())
            .push_bind(self.date_joined)
            .push_bind(self.token_epoch)
            .push_bind(self.email_verified_at)
            .push_bind(Json(&self.links))
            .push_bind(self.notices.proposals)
            .push_bind(self.notices.invoices)
            .push_bind(self.notices.payments)
            .push_bind(self.search_text());
        write_annotations(values, &self.annotations);
    }
}

/// Reads a user and the id of the user's customer.
pub(crate) fn read_account(fields: &mut Fields<'_>) -> Result<Account, RepositoryError> {
    Ok(Account { user: fields.row()?, customer_id: fields.optional_id()? })
}
