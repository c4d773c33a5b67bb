//! One ordered index for everything that a list can ask: which rows does this [`Term`] apply to, in the order of their ids.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use lease_core::id::Id;

/// What kind of thing a [`Term`] says of a row.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    /// It has this status or flag.
    Status,
    /// It has this role.
    Role,
    /// It is a service of this kind.
    Business,
    /// It is this customer's: its owner, author, payer.
    Customer,
    /// This customer is the other party of it.
    Counterparty,
    /// This customer proposed in it.
    Proposer,
    /// This customer owns the trade it hangs on.
    TradeOwner,
    /// This customer may see it, for a reason of another table.
    Audience,
    /// Everybody may see it, for a reason of another table.
    Public,
    /// It is of this lead.
    Lead,
    /// It is of this service.
    Service,
    /// It is of this vehicle.
    Vehicle,
    /// It is of this trade.
    Trade,
    /// It is of this invoice.
    Invoice,
    /// It is of this card.
    Card,
    /// It is of this make.
    Make,
    /// It is of this model.
    Model,
    /// It is of this model year.
    Year,
    /// It lapses in this stretch of time: see [`crate::lapse`].
    Lapse,
    /// Its text has these three characters in a row, or a word that starts with this one.
    Text,
}

/// Something that is true of a row. In 64 bits: 8 say of what kind, 56 what. A name is a hash of it, so a query that uses one
/// looks at the row as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Term(u64);

const VALUE_BITS: u32 = 56;
const VALUE_MASK: u64 = (1 << VALUE_BITS) - 1;

impl Term {
    const fn of(kind: Kind, value: u64) -> Self {
        Self(((kind as u64) << VALUE_BITS) | (value & VALUE_MASK))
    }

    /// A term about a row of a table.
    pub(crate) fn id(kind: Kind, id: impl Id) -> Self {
        Self::of(kind, id.get().cast_unsigned())
    }

    /// A term about a flag.
    pub(crate) const fn flag(is: bool) -> Self {
        Self::number(Kind::Status, is as i64)
    }

    /// A term about a number; negative ones come before positive ones.
    pub(crate) const fn number(kind: Kind, number: i64) -> Self {
        Self::of(kind, number.cast_unsigned().wrapping_add(1 << (VALUE_BITS - 1)))
    }

    /// A term about a name.
    pub(crate) fn name(kind: Kind, name: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        Self::of(kind, hasher.finish())
    }
}

/// The terms of a [`search_text`](lease_core::text::search_text): its trigrams, and the starts of its words, by which a piece
/// that is shorter is found.
pub(crate) fn text_terms(text: &str) -> impl Iterator<Item = Term> {
    windows(text, 3).chain(windows(text, 2).filter(|part| part.starts_with(' '))).map(|part| Term::name(Kind::Text, part))
}

/// The terms of a text in which this piece of a [`Search`](lease_core::text::Search) occurs.
pub(crate) fn piece_terms(piece: &str) -> impl Iterator<Item = Term> {
    windows(piece, piece.chars().count().min(3)).map(|part| Term::name(Kind::Text, part))
}

/// Every run of so many characters.
fn windows(text: &str, length: usize) -> impl Iterator<Item = &str> {
    let starts = || text.char_indices().map(|(at, _)| at);
    let ends = starts().chain([text.len()]).skip(length);
    starts().zip(ends).filter_map(|(start, end)| text.get(start..end))
}

/// Which rows each term applies to.
#[derive(Debug, Default)]
pub(crate) struct Index(BTreeSet<(Term, i64)>);

impl Index {
    /// Notes that a term applies to a row; once is enough.
    pub(crate) fn insert(&mut self, term: Term, id: impl Id) {
        self.0.insert((term, id.get()));
    }

    /// Notes that a term does not apply to a row.
    pub(crate) fn remove(&mut self, term: Term, id: impl Id) {
        self.0.remove(&(term, id.get()));
    }

    /// Whether a term applies to a row.
    pub(crate) fn contains(&self, term: Term, id: impl Id) -> bool {
        self.0.contains(&(term, id.get()))
    }

    /// Whether a term applies to any row.
    pub(crate) fn any(&self, term: Term) -> bool {
        self.first_from(term, i64::MIN).is_some()
    }

    /// The first row from this id on, upwards, that a term applies to.
    pub(crate) fn first_from(&self, term: Term, from: i64) -> Option<i64> {
        self.0.range((term, from)..=(term, i64::MAX)).next().map(|(_, id)| *id)
    }

    /// The last row up to this id that a term applies to.
    pub(crate) fn last_up_to(&self, term: Term, from: i64) -> Option<i64> {
        self.0.range((term, i64::MIN)..=(term, from)).next_back().map(|(_, id)| *id)
    }

    /// The rows that a term applies to, upwards.
    pub(crate) fn rows<I: Id>(&self, term: Term) -> impl Iterator<Item = I> + '_ {
        self.0.range((term, i64::MIN)..=(term, i64::MAX)).filter_map(|(_, id)| I::new(*id))
    }

    /// The terms from the one to the other, both included, that apply to any row. Costs a look-up each, however many rows.
    pub(crate) fn terms_between(&self, first: Term, last: Term) -> impl Iterator<Item = Term> + '_ {
        let next = move |from: (Term, i64)| {
            if from.0 > last {
                return None;
            }
            self.0.range(from..=(last, i64::MAX)).next().map(|(term, _)| *term)
        };
        std::iter::successors(next((first, i64::MIN)), move |term| next((Term(term.0.checked_add(1)?), i64::MIN)))
    }
}
