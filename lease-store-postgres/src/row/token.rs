use lease_core::account::{Token, TokenHash};
use lease_core::event::NewRow;
use lease_core::repository::RepositoryError;

use super::{Fields, Table, Values, WriteTable};

impl Table for Token {
    const NAME: &'static str = "tokens";
    const COLUMNS: &'static [&'static str] = &["user_id", "hash", "name", "epoch", "created_at", "expires_at"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            user_id: fields.id()?,
            hash: read_hash(fields)?,
            name: fields.get()?,
            epoch: fields.get()?,
            created_at: fields.get()?,
            expires_at: fields.get()?,
        })
    }
}

fn read_hash(fields: &mut Fields<'_>) -> Result<TokenHash, RepositoryError> {
    let hash: &[u8] = fields.get()?;
    fields.parsed(hash.try_into()).map(TokenHash)
}

impl WriteTable for Token {
    const WRITTEN: &'static str = "user_id, hash, name, epoch, created_at, expires_at";
    const NEW_ROW: Option<NewRow> = Some(NewRow::Token);

    fn write(&self, values: &mut Values<'_>) {
        values
            .push_bind(self.user_id.get())
            .push_bind(self.hash.0.as_slice())
            .push_bind(&self.name)
            .push_bind(self.epoch)
            .push_bind(self.created_at)
            .push_bind(self.expires_at);
    }
}
