//! What became of the rows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use lease_core::id::UserId;
use lease_core::money::Currency;
use rust_decimal::Decimal;

/// The tables that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Table {
    /// Users.
    Users,
    /// Tokens.
    Tokens,
    /// Customers.
    Customers,
    /// Credit cards.
    Cards,
    /// Leads.
    Leads,
    /// Contacts.
    Contacts,
    /// Vehicles.
    Vehicles,
    /// Services.
    Services,
    /// Trades.
    Trades,
    /// Proposals.
    Proposals,
    /// Invoices.
    Invoices,
    /// Payments.
    Payments,
}

/// What became of a row that is not simply taken as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is not taken.
    Dropped,
    /// It is taken, and says something else than before.
    Changed,
    /// It is new: Django has no such row.
    Added,
}

/// Why a row is not simply taken as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Its table.
    pub table: Table,
    /// What became of it.
    pub fate: Fate,
    /// The reason. It has nothing secret, and no names or addresses.
    pub reason: Cow<'static, str>,
    /// Its id, or that of its user if it is a token; none if it has no usable one.
    pub id: Option<i64>,
}

/// How many rows of a table there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In Django.
    pub read: usize,
    /// Here, new ones included.
    pub taken: usize,
    /// Taken ones that say something else than before.
    pub changed: usize,
    /// Not taken.
    pub dropped: usize,
    /// New ones.
    pub added: usize,
}

/// How many amounts were rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rounded {
    /// How many.
    pub count: usize,
    /// By how much in all, whether up or down.
    pub total: Decimal,
}

/// The sum of a column on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// In Django, of the amounts that are any.
    pub there: Decimal,
    /// Here.
    pub here: Decimal,
    /// Of the rows that are not taken, and of what was taken off the others; negative where rounding added something.
    pub less: Decimal,
}

/// What became of all rows. `Display` writes it for people, with a line for each reason that names the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The currency of the sums.
    pub currency: Currency,
    /// How many rows of each table.
    pub counts: BTreeMap<Table, Counts>,
    /// The rows that are not simply taken as they were, ordered by table and reason.
    pub notes: Vec<Note>,
    /// The amounts that were rounded.
    pub rounded: Rounded,
    /// The users who cannot log in before they have a new password.
    pub without_password: Vec<UserId>,
    /// The amounts of the invoices.
    pub invoices: Sum,
    /// The amounts of the payments.
    pub payments: Sum,
}

impl Report {
    /// The ids of the rows of a table to which this happened for this reason.
    #[must_use]
    pub fn ids(&self, table: Table, fate: Fate, reason: &str) -> Vec<i64> {
        let is_it = |note: &&Note| (note.table, note.fate, &*note.reason) == (table, fate, reason);
        self.notes.iter().filter(is_it).filter_map(|note| note.id).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<10} {:>9} {:>9} {:>9} {:>9} {:>9}", "", "read", "taken", "changed", "dropped", "added")?;
        for (table, Counts { read, taken, changed, dropped, added }) in &self.counts {
            writeln!(f, "{:<10} {read:>9} {taken:>9} {changed:>9} {dropped:>9} {added:>9}", table.to_string())?;
        }
        for notes in self.notes.chunk_by(|one, next| (one.table, one.fate, &one.reason) == (next.table, next.fate, &next.reason))
        {
            write_notes(f, notes)?;
        }
        if !self.without_password.is_empty() {
            let ids: Vec<_> = self.without_password.iter().map(UserId::to_string).collect();
            writeln!(f, "users who need a new password, {}: {}", ids.len(), ids.join(", "))?;
        }
        writeln!(f, "amounts rounded: {}, by {} {} in all", self.rounded.count, self.rounded.total, self.currency)?;
        for (name, Sum { there, here, less }) in [("invoices", &self.invoices), ("payments", &self.payments)] {
            writeln!(f, "sum of {name}: {there} {} in Django, {here} here, {less} not taken", self.currency)?;
        }
        Ok(())
    }
}

fn write_notes(f: &mut fmt::Formatter<'_>, notes: &[Note]) -> fmt::Result {
    let Some(Note { table, fate, reason, .. }) = notes.first() else { return Ok(()) };
    let word = match fate {
        Fate::Dropped => "dropped",
        Fate::Changed => "changed",
        Fate::Added => "added",
    };
    let id = |note: &Note| note.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    let ids: Vec<_> = notes.iter().map(id).collect();
    writeln!(f, "{table} {word}, {}: {reason}: {}", ids.len(), ids.join(", "))
}
