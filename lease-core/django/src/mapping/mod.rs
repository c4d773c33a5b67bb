//! What becomes of the rows, as the guide says. Nothing here knows where they come from or where they go.

mod accounts;
mod invoices;
mod market;
mod metadata;
mod people;
mod trades;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, Utc};
use lease_core::id::{Entity, Id, Stored};
use lease_core::import::Import;
use lease_core::money::Currency;
use rust_decimal::Decimal;
use strum::VariantArray as _;

use crate::amount::Rounding;
use crate::report::{Counts, Fate, Note, Report, Rounded, Sum, Table};
use crate::rows::Rows;
use crate::text::Cleaned;

/// What the rows do not say.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The instant of the import.
    pub now: DateTime<Utc>,
    /// The currency of all amounts, since Django has none.
    pub currency: Currency,
    /// For how long tokens are good from now on.
    pub token_ttl: Duration,
}

/// What becomes of the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    /// What is taken.
    pub import: Import,
    /// What was changed, and what was not taken.
    pub report: Report,
}

/// Ids beyond this are not taken, so that there is room for those of new rows.
const MAX_ID: i64 = i64::MAX / 2;

/// Maps the rows to what is imported. The result keeps the invariants, whatever the rows say.
#[must_use]
pub fn map(rows: &Rows, terms: &Terms) -> Mapped {
    let mut mapping = Mapping { terms: *terms, import: Import::default(), notes: Notes::default() };
    mapping.users(rows);
    mapping.tokens(rows);
    mapping.customers(rows);
    mapping.leads(rows);
    mapping.contacts(rows);
    mapping.vehicles(rows);
    mapping.services(rows);
    let cards = mapping.notes.by_id(Table::Cards, &rows.cards, |row| row.id);
    mapping.trades(rows, &cards);
    mapping.cards(&cards);
    mapping.finish(rows)
}

struct Mapping {
    terms: Terms,
    import: Import,
    notes: Notes,
}

/// What is noted on the way.
#[derive(Default)]
struct Notes {
    /// One for each row that is not taken, and any number for each that is.
    all: Vec<Note>,
    rounded: Rounded,
}

type Reason = Cow<'static, str>;

impl Notes {
    fn add(&mut self, table: Table, fate: Fate, id: impl Into<Option<i64>>, reason: impl Into<Reason>) {
        self.all.push(Note { table, fate, reason: reason.into(), id: id.into() });
    }

    fn dropped(&mut self, table: Table, id: impl Into<Option<i64>>, reason: impl Into<Reason>) {
        self.add(table, Fate::Dropped, id, reason);
    }

    fn changed(&mut self, table: Table, id: i64, reason: impl Into<Reason>) {
        self.add(table, Fate::Changed, id, reason);
    }

    /// The rows of which it was noted why they are not taken.
    fn all_dropped(&self) -> BTreeSet<(Table, i64)> {
        let dropped = self.all.iter().filter(|note| note.fate == Fate::Dropped);
        dropped.filter_map(|note| Some((note.table, note.id?))).collect()
    }

    /// Adds what was noted elsewhere.
    fn absorb(&mut self, other: Self) {
        self.all.extend(other.all);
        self.rounded.count += other.rounded.count;
        self.rounded.total += other.rounded.total;
    }

    /// The text of a row that is taken.
    fn text(&mut self, table: Table, id: i64, cleaned: Cleaned) -> String {
        if cleaned.is_changed {
            self.changed(table, id, "its text was cut, or had characters that are not allowed");
        }
        cleaned.text
    }

    /// Notes the amount of a row that is taken.
    fn rounded(&mut self, table: Table, id: i64, rounding: Rounding) {
        if !rounding.difference.is_zero() {
            self.changed(table, id, "its amount was rounded");
            self.rounded.count += 1;
            self.rounded.total += rounding.difference;
        }
    }

    /// The rows of a table by their ids, and the highest id.
    fn by_id<'a, T>(&mut self, table: Table, rows: &'a [T], id: impl Fn(&T) -> Option<i64>) -> BTreeMap<i64, &'a T> {
        let mut found = BTreeMap::new();
        for row in rows {
            match id(row).filter(|id| (1..=MAX_ID).contains(id)) {
                None => self.dropped(table, None, "its id is no positive number"),
                Some(id) if found.contains_key(&id) => self.dropped(table, None, format!("an earlier row has its id, {id}")),
                Some(id) => _ = found.insert(id, row),
            }
        }
        found
    }
}

/// The highest id of the rows.
fn last_id<I: Id, T>(rows: &BTreeMap<i64, T>) -> Option<I> {
    rows.last_key_value().and_then(|(id, _)| I::new(*id))
}

/// The row with this id, in a table that is in the order of its ids.
fn find<T: Entity>(rows: &[Stored<T>], id: Option<i64>) -> Option<&Stored<T>> {
    let id = T::Id::new(id?)?;
    rows.get(rows.binary_search_by_key(&id, |row| row.id).ok()?)
}

/// As [`find`], to change the row.
fn find_mut<T: Entity>(rows: &mut [Stored<T>], id: T::Id) -> Option<&mut Stored<T>> {
    rows.get_mut(rows.binary_search_by_key(&id, |row| row.id).ok()?)
}

/// The date, if the API can write it.
fn date(date: Option<NaiveDate>) -> Option<NaiveDate> {
    date.filter(|date| (1..=9_999).contains(&date.year()))
}

/// An instant of the past, or that of the import.
fn past(instant: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    /// The first day of the calendar of RFC 3339: 0001-01-01.
    const FIRST: i64 = -62_135_596_800;
    instant.filter(|instant| instant.timestamp() >= FIRST && *instant <= now).unwrap_or(now)
}

impl Mapping {
    fn past(&self, instant: Option<DateTime<Utc>>) -> DateTime<Utc> {
        past(instant, self.terms.now)
    }

    fn finish(self, rows: &Rows) -> Mapped {
        let dropped = self.notes.all_dropped();
        let Self { terms, import, notes: Notes { all: mut notes, rounded } } = self;
        notes.retain(|note| note.fate == Fate::Dropped || note.id.is_none_or(|id| !dropped.contains(&(note.table, id))));
        notes.sort();
        notes.dedup_by(|one, next| one == next && next.fate == Fate::Changed);
        let read = |table| match table {
            Table::Users => (rows.users.len(), import.users.len()),
            Table::Tokens => (rows.tokens.len(), import.tokens.len()),
            Table::Customers => (rows.customers.len(), import.customers.len()),
            Table::Cards => (rows.cards.len(), import.cards.len()),
            Table::Leads => (rows.leads.len(), import.leads.len()),
            Table::Contacts => (rows.contacts.len(), import.contacts.len()),
            Table::Vehicles => (rows.vehicles.len(), import.vehicles.len()),
            Table::Services => (rows.services.len(), import.services.len()),
            Table::Trades => (rows.trades.len(), import.trades.len()),
            Table::Proposals => (rows.proposals.len(), import.proposals.len()),
            Table::Invoices => (rows.invoices.len(), import.invoices.len()),
            Table::Payments => (rows.payments.len(), import.payments.len()),
        };
        let count = |table: &Table| {
            let (read, taken) = read(*table);
            let of_fate = |fate| notes.iter().filter(move |note| (note.table, note.fate) == (*table, fate));
            let changed = of_fate(Fate::Changed).map(|note| note.id).collect::<BTreeSet<_>>().len();
            let (dropped, added) = (of_fate(Fate::Dropped).count(), of_fate(Fate::Added).count());
            let counts = Counts { read, taken, changed, dropped, added };
            (*table, counts)
        };
        let counts = Table::VARIANTS.iter().map(count).collect();
        let sum = |there: &mut dyn Iterator<Item = Option<Decimal>>, here: Decimal| {
            let there = there.flatten().fold(Decimal::ZERO, Decimal::saturating_add);
            Sum { there, here, less: there.saturating_sub(here) }
        };
        let invoices = import.invoices.iter().map(|invoice| invoice.amount.amount()).sum();
        let payments = import.payments.iter().map(|payment| payment.amount.amount()).sum();
        let report = Report {
            currency: terms.currency,
            counts,
            rounded,
            without_password: import.users.iter().filter(|user| user.password.is_unusable()).map(|user| user.id).collect(),
            invoices: sum(&mut rows.invoices.iter().map(|row| row.amount), invoices),
            payments: sum(&mut rows.payments.iter().map(|row| row.amount), payments),
            notes,
        };
        Mapped { import, report }
    }
}
