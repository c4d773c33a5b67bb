//! One ordered index for everything that a list can ask: which rows does this [`Term`] apply to, in the order of their ids.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;
use std::hash::BuildHasher as _;

use foldhash::HashMap;
use foldhash::fast::FixedState;
use lease_core::id::Id;
use roaring::RoaringBitmap;
use smallvec::SmallVec;

use crate::slots::Slots;

/// What kind of thing a [`Term`] says of a row. Up to [`Kind::Card`] it says it by a small number: an id, a status.
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
    /// It expires in this stretch of time: see [`crate::expiry`].
    Expiry,
    /// Its text has these three characters in a row, or a word that starts with this one.
    Text,
}

/// Something that is true of a row. In 64 bits: 8 say of what kind, 56 what. A name is a hash of it, so a query that uses one
/// looks at the row as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Term(u64);

const VALUE_BITS: u32 = 56;
const VALUE_MASK: u64 = (1 << VALUE_BITS) - 1;
/// How many kinds say something by a small number.
const NUMBERED: usize = Kind::Card as usize + 1;

impl Term {
    const fn of(kind: Kind, value: u64) -> Self {
        Self(((kind as u64) << VALUE_BITS) | (value & VALUE_MASK))
    }

    /// A term about a row of a table.
    pub(crate) fn id(kind: Kind, id: impl Id) -> Self {
        Self::number(kind, row_number(id))
    }

    /// A term about a flag.
    pub(crate) const fn flag(is: bool) -> Self {
        Self::number(Kind::Status, is as u32)
    }

    /// A term about one of a few things.
    pub(crate) const fn number(kind: Kind, number: u32) -> Self {
        Self::of(kind, number as u64)
    }

    /// A term about a number that is asked for from one to another; negative ones come before positive ones.
    pub(crate) const fn ranged(kind: Kind, number: i64) -> Self {
        Self::of(kind, number.cast_unsigned().wrapping_add(1 << (VALUE_BITS - 1)))
    }

    /// A term about a name.
    pub(crate) fn name(kind: Kind, name: &str) -> Self {
        // The same for both copies of the state.
        Self::of(kind, FixedState::default().hash_one(name))
    }

    /// Its kind and number, where it says something by a small number.
    #[expect(clippy::cast_possible_truncation, reason = "such a term was made of such a number")]
    fn by_number(self) -> Option<(usize, u32)> {
        let kind = (self.0 >> VALUE_BITS) as usize;
        (kind < NUMBERED).then_some((kind, self.0 as u32))
    }

    /// Whether it is of a kind that is asked for from one to another.
    const fn is_ranged(self) -> bool {
        let kind = self.0 >> VALUE_BITS;
        kind == Kind::Year as u64 || kind == Kind::Expiry as u64
    }
}

/// The terms of a [`search_text`](lease_core::text::search_text): the trigrams of its words with the space in front, and
/// their starts, by which a piece that is shorter is found. No piece goes on from one word to the next. Each term once.
pub(crate) fn text_terms(text: &str) -> Vec<Term> {
    let starts = windows(text, 2).filter(|part| part.starts_with(' '));
    let parts = windows(text, 3).filter(|part| part.rfind(' ').is_none_or(|at| at == 0));
    let mut terms: Vec<_> = parts.chain(starts).map(|part| Term::name(Kind::Text, part)).collect();
    terms.sort_unstable();
    terms.dedup();
    terms
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
pub(crate) struct Index {
    /// By kind and number, for those terms that say something by a number.
    numbered: [Slots<Rows>; NUMBERED],
    others: HashMap<Term, Rows>,
    /// Its terms of the kinds that are asked for from one to another.
    ranged: BTreeSet<Term>,
}

impl Index {
    /// Notes that a term applies to a row; once is enough.
    pub(crate) fn insert(&mut self, term: Term, id: impl Id) {
        let id = row_number(id);
        if let Some((kind, number)) = term.by_number() {
            return self.numbered[kind].get_or_insert_with(number, Rows::default).insert(id);
        }
        match self.others.entry(term) {
            Entry::Occupied(mut rows) => rows.get_mut().insert(id),
            Entry::Vacant(rows) => {
                rows.insert(Rows::default()).insert(id);
                if term.is_ranged() {
                    self.ranged.insert(term);
                }
            }
        }
    }

    /// Notes that a term does not apply to a row.
    pub(crate) fn remove(&mut self, term: Term, id: impl Id) {
        let rows = match term.by_number() {
            Some((kind, number)) => self.numbered[kind].get_mut(number),
            None => self.others.get_mut(&term),
        };
        let Some(rows) = rows else { return };
        rows.remove(row_number(id));
        if rows.is_empty() {
            // A number keeps its place.
            self.others.remove(&term);
            self.ranged.remove(&term);
        }
    }

    fn get(&self, term: Term) -> Option<&Rows> {
        match term.by_number() {
            Some((kind, number)) => self.numbered[kind].get(number),
            None => self.others.get(&term),
        }
    }

    /// Whether a term applies to a row.
    pub(crate) fn contains(&self, term: Term, id: impl Id) -> bool {
        self.get(term).is_some_and(|rows| rows.contains(row_number(id)))
    }

    /// Whether a term applies to any row.
    pub(crate) fn any(&self, term: Term) -> bool {
        self.get(term).is_some_and(|rows| !rows.is_empty())
    }

    /// The first row from this id on, upwards, that a term applies to.
    pub(crate) fn first_from(&self, term: Term, from: i64) -> Option<i64> {
        self.get(term)?.first_from(u32::try_from(from.max(0)).ok()?).map(i64::from)
    }

    /// The last row up to this id that a term applies to.
    pub(crate) fn last_up_to(&self, term: Term, from: i64) -> Option<i64> {
        self.get(term)?.last_up_to(u32::try_from(from.min(MAX_ROW)).ok()?).map(i64::from)
    }

    /// The rows that a term applies to, upwards.
    pub(crate) fn rows<I: Id>(&self, term: Term) -> impl Iterator<Item = I> + '_ {
        let next = move |from| self.first_from(term, from);
        std::iter::successors(next(0), move |id| next(id + 1)).filter_map(I::new)
    }

    /// The terms of a ranged kind from the one to the other, both included, that apply to any row.
    pub(crate) fn terms_between(&self, first: Term, last: Term) -> impl Iterator<Item = Term> + '_ {
        // A range that ends before it begins is none.
        let ranged = (first <= last).then(|| self.ranged.range(first..=last).copied());
        ranged.into_iter().flatten()
    }
}

/// The highest id of a row: no memory holds more rows.
pub(crate) const MAX_ROW: i64 = u32::MAX as i64;

/// The number of a row. An id that is higher than any row's counts as 0, which is no row's.
pub(crate) fn row_number(id: impl Id) -> u32 {
    u32::try_from(id.get()).unwrap_or(0)
}

/// The rows that a term applies to. Most terms apply to a few, some to nearly all: a bitmap of the latter stays small, and
/// changes at the same cost wherever it is touched.
#[derive(Debug)]
enum Rows {
    /// In their order.
    Few(SmallVec<[u32; 2]>),
    Many(RoaringBitmap),
}

/// More than so many rows are many.
const FEW: usize = 64;

impl Default for Rows {
    fn default() -> Self {
        Self::Few(SmallVec::new())
    }
}

impl Rows {
    fn insert(&mut self, id: u32) {
        match self {
            Self::Few(ids) => {
                if let Err(place) = ids.binary_search(&id) {
                    ids.insert(place, id);
                }
                if ids.len() > FEW {
                    *self = Self::Many(ids.iter().copied().collect());
                }
            }
            Self::Many(ids) => {
                ids.insert(id);
            }
        }
    }

    fn remove(&mut self, id: u32) {
        match self {
            Self::Few(ids) => ids.retain(|other| *other != id),
            Self::Many(ids) => {
                ids.remove(id);
            }
        }
    }

    fn contains(&self, id: u32) -> bool {
        match self {
            Self::Few(ids) => ids.binary_search(&id).is_ok(),
            Self::Many(ids) => ids.contains(id),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Few(ids) => ids.is_empty(),
            Self::Many(ids) => ids.is_empty(),
        }
    }

    fn first_from(&self, from: u32) -> Option<u32> {
        match self {
            Self::Few(ids) => ids.get(ids.partition_point(|id| *id < from)).copied(),
            Self::Many(ids) => ids.range(from..).next(),
        }
    }

    fn last_up_to(&self, from: u32) -> Option<u32> {
        match self {
            Self::Few(ids) => ids.get(ids.partition_point(|id| *id <= from).checked_sub(1)?).copied(),
            Self::Many(ids) => ids.range(..=from).next_back(),
        }
    }
}
