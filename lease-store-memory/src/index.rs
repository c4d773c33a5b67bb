//! One index for everything that a list can ask of a table: the rows to which a [`Term`] applies, in the order of their ids.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::RangeInclusive;

use lease_core::id::Id;

use crate::rows::Rows;

/// The property of a row that a [`Term`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// It has this status or flag.
    Status,
    /// It has this role.
    Role,
    /// It is of this user.
    User,
    /// It is a service of this kind.
    Business,
    /// It is this customer's: its owner, author, payer.
    Customer,
    /// This customer is the other party of it.
    Counterparty,
    /// This customer proposed in it.
    Proposer,
    /// This customer owns the trade that it belongs to.
    TradeOwner,
    /// This customer may see it, for a reason of another table.
    Audience,
    /// Everybody may see it, for a reason of another table.
    Public,
    /// This user may see it.
    Reader,
    /// It is the act of this user.
    Actor,
    /// It is about this object.
    Subject,
    /// It is of this lead.
    Lead,
    /// It is of this service.
    Service,
    /// It is of this vehicle.
    Vehicle,
    /// It is a vehicle with an odometer reading of so many binary digits.
    Mileage,
    /// It is of this trade.
    Trade,
    /// It is of this invoice.
    Invoice,
    /// It is of this payment.
    Payment,
    /// It is of this card.
    Card,
    /// It is to this webhook endpoint.
    Endpoint,
    /// It is of this make.
    Make,
    /// It is of this model.
    Model,
    /// It is of this model year.
    Year,
    /// It expires or falls due on this day.
    Expiry,
    /// Another system calls it so.
    ExternalId,
    /// Its text has these three characters in a row, or a word that starts with this one.
    Text,
}

/// Something that is true of a row: a kind of property, and its value as a number. It is small and cheap to compare, because a
/// commit looks up dozens of them. A name is represented by its hash, so a query that uses one checks the row as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Term {
    kind: Kind,
    value: i64,
}

impl Term {
    /// A term about a row of a table.
    pub(crate) fn id(kind: Kind, id: impl Id) -> Self {
        Self::number(kind, id.get())
    }

    /// A term about a flag.
    pub(crate) const fn flag(is: bool) -> Self {
        Self::number(Kind::Status, is as i64)
    }

    /// A term about a number: a status, a year, a day.
    pub(crate) const fn number(kind: Kind, value: i64) -> Self {
        Self { kind, value }
    }

    /// A term about a name.
    pub(crate) fn name(kind: Kind, name: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        Self::number(kind, hasher.finish().cast_signed())
    }

    /// A term about at most three characters, of 21 bits each.
    fn text(part: &[char]) -> Self {
        Self::number(Kind::Text, part.iter().fold(0, |value, character| (value << 21) | i64::from(u32::from(*character))))
    }

    /// This term and no other, as a range.
    pub(crate) const fn exactly(self) -> RangeInclusive<Self> {
        self..=self
    }

    /// The terms of a kind from the one number to the other; open where there is none.
    pub(crate) fn numbers(kind: Kind, first: Option<i64>, last: Option<i64>) -> RangeInclusive<Self> {
        Self::number(kind, first.unwrap_or(i64::MIN))..=Self::number(kind, last.unwrap_or(i64::MAX))
    }
}

/// The terms of a [`search_text`](lease_core::text::search_text): the trigrams of its words with the space in front, and
/// their starts, by which a word that is shorter is found.
pub(crate) fn text_terms(text: &str) -> Vec<Term> {
    let text: Vec<char> = text.chars().collect();
    let starts = text.windows(2).filter(|part| part[0] == ' ');
    let parts = text.windows(3).filter(|part| !part[1..].contains(&' '));
    starts.chain(parts).map(Term::text).collect()
}

/// The terms of every text in which this piece of a [`Search`](lease_core::text::Search) occurs: those of each of its words.
pub(crate) fn piece_terms(piece: &str) -> Vec<Term> {
    let piece: Vec<char> = piece.chars().collect();
    let words = piece.chunk_by(|_, next| *next != ' ');
    words.flat_map(|word| word.windows(word.len().clamp(1, 3))).map(Term::text).collect()
}

/// The highest id of a row.
pub(crate) const MAX_ROW: u32 = u32::MAX;

/// The number of a row in an index. An id that is higher than any row's counts as 0, which is no row's.
pub(crate) fn row_number(id: impl Id) -> u32 {
    u32::try_from(id.get()).unwrap_or(0)
}

/// The rows to which each term applies.
#[derive(Debug, Default)]
pub(crate) struct Index(BTreeMap<Term, Rows>);

impl Index {
    /// Notes that a term applies to a row; once is enough.
    pub(crate) fn insert(&mut self, term: Term, id: impl Id) {
        self.0.entry(term).or_default().insert(row_number(id));
    }

    /// Notes that a term does not apply to a row.
    pub(crate) fn remove(&mut self, term: Term, id: impl Id) {
        let Some(rows) = self.0.get_mut(&term) else { return };
        rows.remove(row_number(id));
        if rows.is_empty() {
            self.0.remove(&term);
        }
    }

    /// Whether a term applies to a row.
    pub(crate) fn contains(&self, term: Term, id: impl Id) -> bool {
        self.0.get(&term).is_some_and(|rows| rows.contains(row_number(id)))
    }

    /// Whether a term applies to any row.
    pub(crate) fn any(&self, term: Term) -> bool {
        self.0.contains_key(&term)
    }

    /// The rows that a term applies to, upwards.
    pub(crate) fn rows<I: Id>(&self, term: Term) -> impl Iterator<Item = I> + '_ {
        let rows = self.0.get(&term);
        let next = move |from| rows.and_then(|rows| rows.first_from(from));
        std::iter::successors(next(1), move |row| next(row.checked_add(1)?)).filter_map(|row| I::new(row.into()))
    }

    /// The rows of each term in a range; a range that ends before it begins has none.
    pub(crate) fn of_terms(&self, terms: RangeInclusive<Term>) -> impl Iterator<Item = &Rows> {
        let range = (!terms.is_empty()).then(|| self.0.range(terms));
        range.into_iter().flatten().map(|(_, rows)| rows)
    }
}
