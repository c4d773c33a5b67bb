//! Queries over a table: an AND of ORs of terms, answered in the order of ids by leaping from one candidate to the next
//! (leapfrog), so that the rarest term bounds the cost and not the table.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use lease_core::id::Id;
use lease_core::page::{Cursor, PageRequest};
use lease_core::text::Search;

use crate::index::{Index, MAX_ROW, Term, piece_terms, row_number};
use crate::rows::Rows;

/// The place of a row; empty once the row is deleted.
pub(crate) type Slot<R> = Option<Box<R>>;

/// The direction in which a page is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To the newer rows.
    Up,
    /// To the older rows.
    Down,
}

impl Direction {
    /// The row at which a walk over all rows starts.
    pub(crate) const fn start(self) -> u32 {
        match self {
            Self::Up => 1,
            Self::Down => MAX_ROW,
        }
    }

    /// The way of a page, and the first row that may be on it.
    pub(crate) fn of(page: PageRequest) -> (Self, Option<u32>) {
        match page.cursor() {
            None => (Self::Down, Some(Self::Down.start())),
            Some(Cursor::After(place)) => (Self::Down, u32::try_from(place.id.saturating_sub(1).min(MAX_ROW.into())).ok()),
            Some(Cursor::Before(place)) => (Self::Up, u32::try_from(place.id.saturating_add(1).max(1)).ok()),
        }
    }

    /// The row behind this one.
    const fn step(self, row: u32) -> Option<u32> {
        match self {
            Self::Up => row.checked_add(1),
            Self::Down => row.checked_sub(1),
        }
    }

    /// Whether `row` lies at `from` or behind it.
    const fn reaches(self, row: u32, from: u32) -> bool {
        match self {
            Self::Up => row >= from,
            Self::Down => row <= from,
        }
    }

    fn nearest(self, rows: impl Iterator<Item = u32>) -> Option<u32> {
        match self {
            Self::Up => rows.min(),
            Self::Down => rows.max(),
        }
    }

    fn first_of(self, rows: &Rows, from: u32) -> Option<u32> {
        match self {
            Self::Up => rows.first_from(from),
            Self::Down => rows.last_up_to(from),
        }
    }

    fn first_in<R>(self, slots: &[Slot<R>], from: u32) -> Option<(u32, &R)> {
        let (from, end) = (from as usize, slots.len());
        let place = match self {
            Self::Up => from + slots.get(from..)?.iter().position(Option::is_some)?,
            Self::Down => slots[..end.min(from.saturating_add(1))].iter().rposition(Option::is_some)?,
        };
        Some((u32::try_from(place).ok()?, slots.get(place)?.as_deref()?))
    }
}

/// Rows to which something of each group applies; all rows where there is no group.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<AnyOf>);

/// Rows to which at least one of these applies.
#[derive(Debug)]
enum AnyOf {
    /// A term of these ranges applies.
    Terms(Vec<RangeInclusive<Term>>),
    /// It is this very row.
    Row(Option<u32>),
}

impl Query {
    /// Of those, the rows to which this term applies, where one is given.
    pub(crate) fn and(self, term: Option<Term>) -> Self {
        match term {
            Some(term) => self.and_any([term]),
            None => self,
        }
    }

    /// Of those, the rows to which one of these terms applies.
    pub(crate) fn and_any(self, terms: impl IntoIterator<Item = Term>) -> Self {
        self.and_within(terms.into_iter().map(Term::exactly))
    }

    /// Of those, the rows to which a term of one of these ranges applies.
    pub(crate) fn and_within(mut self, ranges: impl IntoIterator<Item = RangeInclusive<Term>>) -> Self {
        self.0.push(AnyOf::Terms(ranges.into_iter().collect()));
        self
    }

    /// Of those, this row or none.
    pub(crate) fn and_row(mut self, id: Option<impl Id>) -> Self {
        self.0.push(AnyOf::Row(id.map(row_number)));
        self
    }

    /// Of those, the rows whose text may match; the row's text must be asked as well.
    pub(crate) fn and_search(self, search: Option<&Search>) -> Self {
        let pieces = search.into_iter().flat_map(Search::pieces);
        let terms: BTreeSet<Term> = pieces.flat_map(|piece| piece_terms(piece)).collect();
        terms.into_iter().fold(self, |query, term| query.and(Some(term)))
    }

    /// A test of whether this finds a row.
    pub(crate) fn test<I: Id>(self, index: &Index) -> impl Fn(I) -> bool + use<'_, I> {
        let groups: Vec<_> = self.0.into_iter().map(|group| group.rows(index)).collect();
        move |id| groups.iter().all(|group| group.iter().any(|rows| rows.contains(row_number(id))))
    }

    /// Walks the rows that this finds, from one on.
    pub(crate) fn walk<'a, R>(
        self,
        slots: &'a [Slot<R>],
        index: &'a Index,
        direction: Direction,
        from: Option<u32>,
    ) -> Walk<'a, R> {
        let list = |rows: Cow<'a, Rows>| List { next: from.and_then(|from| direction.first_of(&rows, from)), rows };
        let groups = self.0.into_iter().map(|group| group.rows(index).into_iter().map(list).collect()).collect();
        Walk { slots, groups, direction, from }
    }
}

impl AnyOf {
    /// Of each term, the rows it applies to.
    fn rows(self, index: &Index) -> Vec<Cow<'_, Rows>> {
        match self {
            Self::Terms(ranges) => ranges.into_iter().flat_map(|range| index.of_terms(range)).map(Cow::Borrowed).collect(),
            Self::Row(id) => vec![Cow::Owned(Rows::Few(id.into_iter().collect()))],
        }
    }
}

/// The rows that a query finds, in their order.
#[derive(Debug)]
pub(crate) struct Walk<'a, R> {
    slots: &'a [Slot<R>],
    /// A row is in one list of each.
    groups: Vec<Vec<List<'a>>>,
    direction: Direction,
    /// The row to go on from; `None` at the end.
    from: Option<u32>,
}

impl<'a, R> Iterator for Walk<'a, R> {
    type Item = (u32, &'a R);

    fn next(&mut self) -> Option<Self::Item> {
        let mut candidate = self.from?;
        loop {
            let start = candidate;
            for group in &mut self.groups {
                let next = group.iter_mut().filter_map(|list| list.next(self.direction, candidate));
                candidate = self.direction.nearest(next)?;
            }
            if candidate == start {
                let (number, row) = self.direction.first_in(self.slots, candidate)?;
                if number == candidate {
                    self.from = self.direction.step(candidate);
                    return Some((number, row));
                }
                candidate = number;
            }
        }
    }
}

/// Rows in their order, and how far along them the walk is.
#[derive(Debug)]
struct List<'a> {
    rows: Cow<'a, Rows>,
    /// The last row that was found; `None` at the end.
    next: Option<u32>,
}

impl List<'_> {
    /// The first of the rows from `from` on.
    fn next(&mut self, direction: Direction, from: u32) -> Option<u32> {
        if !direction.reaches(self.next?, from) {
            self.next = direction.first_of(&self.rows, from);
        }
        self.next
    }
}

#[cfg(test)]
mod tests {
    use lease_core::id::TradeId;
    use lease_core::text::search_text;
    use proptest::prelude::*;

    use super::*;
    use crate::index::{Kind, text_terms};

    fn term(number: i64) -> Term {
        Term::number(Kind::Status, number)
    }

    fn id(number: i64) -> TradeId {
        TradeId::new(number).unwrap()
    }

    /// A table in which every row has these terms.
    fn table(rows: &[BTreeSet<i64>]) -> (Vec<Slot<()>>, Index) {
        let mut index = Index::default();
        for (number, terms) in (1..).zip(rows) {
            for of in terms {
                index.insert(term(*of), id(number));
            }
        }
        ([None].into_iter().chain(rows.iter().map(|_| Some(Box::new(())))).collect(), index)
    }

    fn found(query: Query, (slots, index): &(Vec<Slot<()>>, Index), direction: Direction, from: u32) -> Vec<u32> {
        query.walk(slots, index, direction, Some(from)).map(|(number, ())| number).collect()
    }

    proptest! {
        #[test]
        fn a_walk_finds_the_same_rows_as_a_naive_filter(
            rows in prop::collection::vec(prop::collection::btree_set(0_i64..6, 0..5), 0..60),
            groups in prop::collection::vec(prop::collection::vec((0_i64..7, 0_i64..7), 0..4), 0..4),
            start in 0_u32..64,
        ) {
            let table = table(&rows);
            let query = || groups.iter().fold(Query::default(), |query, group| {
                query.and_within(group.iter().map(|(first, last)| term(*first)..=term(*last)))
            });
            let in_group = |terms: &BTreeSet<i64>, group: &[(i64, i64)]| {
                group.iter().any(|(first, last)| terms.iter().any(|of| (first..=last).contains(&of)))
            };
            let fits = |terms: &BTreeSet<i64>| groups.iter().all(|group| in_group(terms, group));
            let all: Vec<u32> = (1..).zip(&rows).filter(|(_, terms)| fits(terms)).map(|(number, _)| number).collect();
            let up: Vec<u32> = all.iter().copied().filter(|number| *number >= start).collect();
            let down: Vec<u32> = all.iter().copied().rev().filter(|number| *number <= start).collect();
            prop_assert_eq!(found(query(), &table, Direction::Up, start), up);
            prop_assert_eq!(found(query(), &table, Direction::Down, start), down);
        }

        #[test]
        fn every_matching_row_is_found_by_its_terms(text in "[ab大众 ]{0,12}", query in "[ab大众 ]{0,6}") {
            let (text, search) = (search_text(&[&text]), Search::new(&query));
            let (slots, mut index) = table(&[BTreeSet::new()]);
            for term in text_terms(&text) {
                index.insert(term, id(1));
            }
            let query = Query::default().and_search(Some(&search));
            if search.matches(&text) {
                prop_assert_eq!(found(query, &(slots, index), Direction::Up, 1), vec![1]);
            }
        }
    }

    #[test]
    fn one_row_is_found_only_where_the_terms_apply_to_it() {
        let table = table(&[BTreeSet::from([1]), BTreeSet::from([1, 2])]);
        let only = |row, number| {
            let query = Query::default().and_row(row).and(Some(term(number)));
            found(query, &table, Direction::Down, Direction::Down.start())
        };
        assert_eq!(only(TradeId::new(2), 2), vec![2]);
        assert!(only(TradeId::new(1), 2).is_empty());
        assert!(only(TradeId::new(3), 1).is_empty());
        assert!(only(None, 1).is_empty());
    }

    #[test]
    fn deleted_rows_are_skipped() {
        let (mut slots, index) = table(&[BTreeSet::new(), BTreeSet::new(), BTreeSet::new()]);
        slots[2] = None;
        let table = (slots, index);
        assert_eq!(found(Query::default(), &table, Direction::Up, 1), vec![1, 3]);
        assert_eq!(found(Query::default(), &table, Direction::Down, u32::MAX), vec![3, 1]);
    }
}
