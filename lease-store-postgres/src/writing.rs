//! Statements that write, made of parts. The first parts check the envelope: they lock the user who acts and the claim, and every
//! part that writes depends on them. The last one marks the claim as used.

use std::borrow::Cow;

use lease_core::decision::RowChange;
use lease_core::event::NewRow;
use lease_core::id::{CustomerId, Id, UserId, Version};
use lease_core::model::Role;
use lease_core::permission::Actor;
use lease_core::repository::{Claim, Envelope, Guarantee, RepositoryError};
use sqlx::QueryBuilder;
use sqlx::postgres::{PgRow, Postgres};

use crate::database::{Database, Statement};
use crate::event::{NewEvents, push_events};
use crate::row::{Fields, WriteTable, parse_optional_id};

/// The expression for the id of the root.
pub(crate) const ROOT_ID: &str = "(select id from root)";

/// The row that a statement makes, from which the response can be built again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Made {
    /// None.
    Nothing,
    /// The root.
    Root,
    /// The row of this part.
    Part(&'static str),
}

/// A statement that writes, while its parts are added.
pub(crate) struct Writing<'e> {
    query: QueryBuilder<Postgres>,
    has_parts: bool,
    checks_actor: bool,
    claim: Option<Claim>,
    envelope: &'e Envelope,
    events: NewEvents,
    /// Conditions of which each must hold, or the whole statement is undone.
    whole: Vec<&'static str>,
}

impl<'e> Writing<'e> {
    /// A statement under this envelope.
    pub(crate) fn begin(envelope: &'e Envelope) -> Self {
        let mut writing = Self::unchecked(envelope);
        writing.check("");
        writing
    }

    /// A statement with a first part that must have run before the envelope is checked.
    pub(crate) fn begin_after(
        first: &'static str,
        envelope: &'e Envelope,
        part: impl FnOnce(&mut QueryBuilder<Postgres>),
    ) -> Self {
        let mut writing = Self::unchecked(envelope);
        part(writing.part(first));
        writing.check(first);
        writing
    }

    fn unchecked(envelope: &'e Envelope) -> Self {
        let (query, events) = (QueryBuilder::new("with "), NewEvents::default());
        Self { query, has_parts: false, checks_actor: false, claim: None, envelope, events, whole: Vec::new() }
    }

    /// Locks the claim, so that of two statements under one claim the second one waits; and the user who acts, so that they can
    /// be neither deactivated nor given another role until the statement ends. (Both columns are in a unique key, so changing
    /// them conflicts with the lock; changing any other column does not.)
    fn check(&mut self, after: &str) {
        let envelope = self.envelope;
        let after = if after.is_empty() { String::new() } else { format!(", (select count(*) from {after}) as first") };
        if let Some(claim) = envelope.claim {
            self.part("claim")
                .push("select key from idempotency_records")
                .push(&after)
                .push(" where key = ")
                .push_bind(claim.key.0.as_slice())
                .push(" and holder = ")
                .push_bind(claim.holder.as_slice())
                .push(" and not has_effect and response is null for update of idempotency_records");
            self.claim = Some(claim);
        }
        if let Some((user, role, customer)) = acting_user(&envelope.actor) {
            let role: &str = role.into();
            let query = self.part("acting").push("select u.id from users u").push(&after).push(" where u.id = ");
            query.push_bind(user.get()).push(" and u.is_active and u.role = ").push_bind(role);
            if let Some(customer) = customer {
                query.push(" and exists (select from customers c where c.user_id = u.id and c.id = ");
                query.push_bind(customer.get()).push(")");
            }
            query.push(" for key share of u");
            self.checks_actor = true;
        }
    }

    /// Adds a part that reads or locks.
    pub(crate) fn part(&mut self, name: &str) -> &mut QueryBuilder<Postgres> {
        self.open(name, " as materialized (")
    }

    /// Adds a part that writes.
    pub(crate) fn write(&mut self, name: &str) -> &mut QueryBuilder<Postgres> {
        self.open(name, " as (")
    }

    fn open(&mut self, name: &str, is: &str) -> &mut QueryBuilder<Postgres> {
        self.query.push(if self.has_parts { "), " } else { "" }).push(name).push(is);
        self.has_parts = true;
        &mut self.query
    }

    /// Adds the condition that the envelope holds. Every part that does not depend on another one ends with it.
    pub(crate) fn only_if_valid(&mut self) -> &mut QueryBuilder<Postgres> {
        if self.claim.is_some() {
            self.query.push(" and exists (select from claim)");
        }
        if self.checks_actor {
            self.query.push(" and exists (select from acting)");
        }
        &mut self.query
    }

    /// Says by which expression the id of a new row is found, for the events that name it.
    pub(crate) fn makes(&mut self, row: NewRow, id: impl Into<Cow<'static, str>>) {
        self.events.ids.push((row, id.into()));
    }

    /// What the statement knows about its events.
    pub(crate) const fn events(&mut self) -> &mut NewEvents {
        &mut self.events
    }

    /// Undoes the whole statement if this condition does not hold in the end, though the root was written.
    pub(crate) fn require(&mut self, condition: &'static str) {
        self.whole.push(condition);
    }

    /// The finished statement. `made` is the row that the act made; `returning` are further columns of the result.
    pub(crate) fn finish(mut self, made: Made, returning: &[&str]) -> Statement {
        let events = std::mem::take(&mut self.events);
        if events.closes_proposals || !self.envelope.events.is_empty() {
            let envelope = self.envelope;
            push_events(self.write("happened"), envelope, &events);
        }
        if let Some(claim) = self.claim {
            self.write("claim_done")
                .push("update idempotency_records set has_effect = true, made = ")
                .push(match made {
                    Made::Nothing => "null".to_owned(),
                    Made::Root => "(select id from root)".to_owned(),
                    Made::Part(name) => format!("(select id from {name})"),
                })
                .push(" from root where key = ")
                .push_bind(claim.key.0.as_slice());
        }
        self.query.push(") select ");
        self.query.push(if self.claim.is_some() { "exists (select from claim)" } else { "true" });
        self.query.push(if self.checks_actor { ", exists (select from acting)" } else { ", true" });
        self.query.push(", (select id from root)");
        for column in returning {
            self.query.push(", ").push(column);
        }
        if !self.whole.is_empty() {
            let whole = self.whole.join(" and ");
            self.query
                .push(", case when exists (select from root) and not (")
                .push(whole)
                .push(") then refuse_half_a_change() end");
        }
        self.query.into()
    }
}

/// The user who acts, if one does.
fn acting_user(actor: &Actor) -> Option<(UserId, Role, Option<CustomerId>)> {
    match *actor {
        Actor::Customer { user, customer } | Actor::Unverified { user, customer } => Some((user, Role::Customer, Some(customer))),
        Actor::Staff { user } => Some((user, Role::Staff, None)),
        Actor::Superuser { user } => Some((user, Role::Superuser, None)),
        Actor::Anonymous | Actor::System | Actor::Gateway => None,
    }
}

/// The result of a statement that writes.
pub(crate) struct Written {
    row: PgRow,
    /// The id of the row that was changed or created; none if it was not as expected.
    pub(crate) root: Option<i64>,
}

impl Written {
    /// The further columns of the result.
    pub(crate) fn returned(&self) -> Fields<'_> {
        let mut fields = Fields::of(&self.row);
        fields.skip(3);
        fields
    }
}

/// Runs a statement that writes.
///
/// # Errors
/// [`Taken`](RepositoryError::Taken) if the envelope does not hold, and as [`Database::write`].
pub(crate) async fn write(database: &Database, statement: impl Fn() -> Statement) -> Result<Written, RepositoryError> {
    let rows = database.write(statement).await?;
    let row = rows.into_iter().next().ok_or(RepositoryError::Conflict)?;
    let mut fields = Fields::of(&row);
    if !fields.get::<bool>()? {
        return Err(RepositoryError::Taken(Guarantee::Claim));
    }
    if !fields.get::<bool>()? {
        return Err(RepositoryError::Taken(Guarantee::Actor));
    }
    let root = fields.get()?;
    Ok(Written { row, root })
}

/// The same as [`write`], if the row must be as expected.
///
/// # Errors
/// [`RepositoryError::Conflict`] if it is not.
pub(crate) async fn write_expected(database: &Database, statement: impl Fn() -> Statement) -> Result<Written, RepositoryError> {
    let written = write(database, statement).await?;
    if written.root.is_none() { Err(RepositoryError::Conflict) } else { Ok(written) }
}

/// Writes a change to a row of a table. `more` adds parts for the rows that belong to it. Returns the id of a new row.
pub(crate) async fn change_row<T: WriteTable>(
    database: &Database,
    change: &RowChange<T>,
    envelope: &Envelope,
    more: impl Fn(&mut Writing<'_>),
) -> Result<Option<T::Id>, RepositoryError> {
    let statement = || {
        let mut writing = Writing::begin(envelope);
        let made = push_row_change(&mut writing, change);
        more(&mut writing);
        writing.finish(made, &[])
    };
    let written = write_expected(database, statement).await?;
    match change {
        RowChange::Create(_) => parse_optional_id(T::NAME, written.root),
        RowChange::Update { .. } | RowChange::Delete { .. } => Ok(None),
    }
}

/// Adds the root of a change to a row. Returns what it makes.
fn push_row_change<T: WriteTable>(writing: &mut Writing<'_>, change: &RowChange<T>) -> Made {
    let query = writing.write("root");
    match change {
        RowChange::Create(value) => {
            push_insert(query, value);
            writing.only_if_valid().push(" returning id");
            if let Some(row) = T::NEW_ROW {
                writing.makes(row, ROOT_ID);
            }
            Made::Root
        }
        RowChange::Update { id, expected, value } => {
            push_update(query, id.get(), *expected, value);
            writing.only_if_valid().push(" returning id");
            Made::Nothing
        }
        RowChange::Delete { id, expected } => {
            push_expected(query.push("delete from ").push(T::NAME), id.get(), *expected);
            writing.only_if_valid().push(" returning id");
            Made::Nothing
        }
    }
}

/// Adds an insert of this row, up to a first condition.
pub(crate) fn push_insert<'q, T: WriteTable>(query: &'q mut QueryBuilder<Postgres>, value: &T) -> &'q mut QueryBuilder<Postgres> {
    query.push("insert into ").push(T::NAME).push(" (").push(T::WRITTEN).push(") select ");
    value.write(&mut query.separated(", "));
    query.push(" where true")
}

/// Adds an update of this row, if it is at the version on which the change was decided.
pub(crate) fn push_update<T: WriteTable>(query: &mut QueryBuilder<Postgres>, id: i64, expected: Version, value: &T) {
    query.push("update ").push(T::NAME).push(" set version = version + 1, (").push(T::WRITTEN).push(") = row(");
    value.write(&mut query.separated(", "));
    push_expected(query.push(")"), id, expected);
}

/// Adds the condition that a row is at the version on which the change was decided.
pub(crate) fn push_expected(query: &mut QueryBuilder<Postgres>, id: i64, expected: Version) {
    query.push(" where id = ").push_bind(id).push(" and version = ").push_bind(expected.0);
}
