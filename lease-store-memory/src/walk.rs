//! Queries over an [`Index`]: an AND of ORs of terms, answered in the order of ids by leaping from one candidate to the next
//! (leapfrog), so that the rarest term bounds the cost and not the table.

use lease_core::id::Id;
use lease_core::page::{Cursor, PageRequest};
use lease_core::text::Search;

use crate::index::{Index, Term, piece_terms};

/// Which way a page is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To the newer rows.
    Up,
    /// To the older rows.
    Down,
}

impl Direction {
    /// The way of a page, and the first id on it.
    pub(crate) const fn of(page: PageRequest) -> (Self, i64) {
        match page.cursor() {
            None => (Self::Down, i64::MAX),
            Some(Cursor::After(id)) => (Self::Down, id.saturating_sub(1)),
            Some(Cursor::Before(id)) => (Self::Up, id.saturating_add(1)),
        }
    }

    /// The id behind this one.
    pub(crate) const fn step(self, id: i64) -> i64 {
        match self {
            Self::Up => id.saturating_add(1),
            Self::Down => id.saturating_sub(1),
        }
    }

    /// Whether `id` lies at `from` or behind it.
    const fn reaches(self, id: i64, from: i64) -> bool {
        match self {
            Self::Up => id >= from,
            Self::Down => id <= from,
        }
    }

    fn seek(self, index: &Index, term: Term, from: i64) -> Option<i64> {
        match self {
            Self::Up => index.first_from(term, from),
            Self::Down => index.last_up_to(term, from),
        }
    }

    fn nearest(self, ids: impl Iterator<Item = i64>) -> Option<i64> {
        match self {
            Self::Up => ids.min(),
            Self::Down => ids.max(),
        }
    }
}

/// Rows to which at least one of these applies.
#[derive(Debug)]
enum AnyOf {
    /// One of these terms applies.
    Terms(Vec<Alternative>),
    /// It is this very row.
    Row(Option<i64>),
}

/// A term, and how far along its rows the walk is.
#[derive(Debug)]
struct Alternative {
    term: Term,
    /// The next of its rows; `None` before the first look.
    next: Option<i64>,
    /// No row is left.
    done: bool,
}

/// Rows to which something of each group applies; all rows where there is no group.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<AnyOf>);

impl Query {
    /// Of those, the rows to which this term applies, where one is given.
    pub(crate) fn and(self, term: Option<Term>) -> Self {
        match term {
            Some(term) => self.and_any([term]),
            None => self,
        }
    }

    /// Of those, the rows to which one of these terms applies.
    pub(crate) fn and_any(mut self, terms: impl IntoIterator<Item = Term>) -> Self {
        let alternative = |term| Alternative { term, next: None, done: false };
        self.0.push(AnyOf::Terms(terms.into_iter().map(alternative).collect()));
        self
    }

    /// Of those, this row or none.
    pub(crate) fn and_row(mut self, id: Option<impl Id>) -> Self {
        self.0.push(AnyOf::Row(id.map(Id::get)));
        self
    }

    /// Of those, the rows whose text may match; the row's text must be asked as well.
    pub(crate) fn and_search(mut self, search: Option<&Search>) -> Self {
        let pieces = search.into_iter().flat_map(Search::pieces);
        let mut terms: Vec<Term> = pieces.flat_map(|piece| piece_terms(piece)).collect();
        terms.sort_unstable();
        terms.dedup();
        for term in terms {
            self = self.and_any([term]);
        }
        self
    }

    /// Whether it asks for all rows.
    pub(crate) const fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// The next row from this id on.
    pub(crate) fn next(&mut self, index: &Index, direction: Direction, from: i64) -> Option<i64> {
        let mut candidate = from;
        loop {
            let start = candidate;
            for group in &mut self.0 {
                candidate = group.next(index, direction, candidate)?;
            }
            if candidate == start {
                return Some(candidate);
            }
        }
    }
}

impl AnyOf {
    fn next(&mut self, index: &Index, direction: Direction, from: i64) -> Option<i64> {
        match self {
            Self::Terms(terms) => direction.nearest(terms.iter_mut().filter_map(|term| term.next(index, direction, from))),
            Self::Row(id) => id.filter(|id| direction.reaches(*id, from)),
        }
    }
}

impl Alternative {
    fn next(&mut self, index: &Index, direction: Direction, from: i64) -> Option<i64> {
        if self.done {
            return None;
        }
        if !self.next.is_some_and(|id| direction.reaches(id, from)) {
            self.next = direction.seek(index, self.term, from);
            self.done = self.next.is_none();
        }
        self.next
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lease_core::id::TradeId;
    use lease_core::text::search_text;
    use proptest::prelude::*;

    use super::*;
    use crate::index::{Kind, text_terms};

    fn term(number: u32) -> Term {
        Term::number(Kind::Status, number)
    }

    fn walk(index: &Index, mut query: Query, direction: Direction, start: i64) -> Vec<i64> {
        let step = |query: &mut Query, from| query.next(index, direction, from);
        let first = step(&mut query, start);
        std::iter::successors(first, |id| step(&mut query, direction.step(*id))).collect()
    }

    proptest! {
        #[test]
        fn leaping_finds_what_a_naive_filter_finds(
            rows in prop::collection::vec(prop::collection::btree_set(0_u32..6, 0..5), 0..60),
            groups in prop::collection::vec(prop::collection::vec(0_u32..7, 0..4), 1..4),
            start in 0_i64..64,
        ) {
            let mut index = Index::default();
            for (id, terms) in (1..).zip(&rows) {
                for number in terms {
                    index.insert(term(*number), TradeId::new(id).unwrap());
                }
            }
            let query = || groups.iter().fold(Query::default(), |query, group| query.and_any(group.iter().copied().map(term)));
            let fits = |terms: &BTreeSet<u32>| groups.iter().all(|group| group.iter().any(|number| terms.contains(number)));
            let all: Vec<i64> = (1..).zip(&rows).filter(|(_, terms)| fits(terms)).map(|(id, _)| id).collect();
            let up: Vec<i64> = all.iter().copied().filter(|id| *id >= start).collect();
            let down: Vec<i64> = all.iter().copied().rev().filter(|id| *id <= start).collect();
            prop_assert_eq!(walk(&index, query(), Direction::Up, start), up);
            prop_assert_eq!(walk(&index, query(), Direction::Down, start), down);
        }

        #[test]
        fn whatever_matches_is_found_by_its_terms(text in "[ab ]{0,12}", query in "[ab ]{0,6}") {
            let (text, search) = (search_text(&[&text]), Search::new(&query));
            let mut index = Index::default();
            for term in text_terms(&text) {
                index.insert(term, TradeId::new(1).unwrap());
            }
            let found = Query::default().and_row(TradeId::new(1)).and_search(Some(&search));
            if search.matches(&text) {
                prop_assert_eq!(walk(&index, found, Direction::Up, 1), vec![1]);
            }
        }
    }

    #[test]
    fn one_row_is_found_only_where_the_terms_apply_to_it() {
        let mut index = Index::default();
        index.insert(term(1), TradeId::new(7).unwrap());
        let only = |id, number| Query::default().and_row(TradeId::new(id)).and(Some(term(number)));
        assert_eq!(walk(&index, only(7, 1), Direction::Down, i64::MAX), vec![7]);
        assert!(walk(&index, only(7, 2), Direction::Down, i64::MAX).is_empty());
        assert!(walk(&index, only(8, 1), Direction::Down, i64::MAX).is_empty());
        assert!(walk(&index, Query::default().and_row(None::<TradeId>), Direction::Up, 0).is_empty());
    }
}
