//! What time alone changes: proposals expire and invoices become overdue with nobody writing a thing. Rows are indexed by
//! *when* that happens, in stretches of three sizes (1, 32 and 1,024 units), so that "before" and "from … on" are each a
//! union of a few dozen terms, whatever the number of rows.

use chrono::{DateTime, NaiveDate, Utc};

use crate::index::{Index, Kind, Term};

/// Bits by which a stretch is longer than the one below it.
const STEP: u32 = 5;
/// The last of the sizes; there is no stretch above it, so all of them are looked at.
const TOP: u32 = 2;
/// Where in a term the size is written.
const SIZE_SHIFT: u32 = 40;
const LAST_UNIT: i64 = (1 << SIZE_SHIFT) - 1;

/// The unit in which a day is counted: itself.
pub(crate) fn day(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days().clamp(0, LAST_UNIT)
}

/// The unit in which an instant is counted: the hour.
pub(crate) fn hour(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(3_600).clamp(0, LAST_UNIT)
}

/// The terms of a row that expires in this unit.
pub(crate) fn terms(unit: i64) -> impl Iterator<Item = Term> {
    (0..=TOP).map(move |size| stretch(size, unit >> (STEP * size)))
}

/// The terms of all rows that expire before this unit.
pub(crate) fn before(index: &Index, unit: i64) -> Vec<Term> {
    union(index, |size| {
        let here = unit >> (STEP * size);
        (if size == TOP { 0 } else { parent_start(here) }, here - 1)
    })
}

/// The terms of all rows that expire in this unit or later.
pub(crate) fn from(index: &Index, unit: i64) -> Vec<Term> {
    union(index, |size| {
        let here = unit >> (STEP * size);
        let last = if size == TOP { LAST_UNIT } else { parent_start(here) + (1 << STEP) - 1 };
        (if size == 0 { here } else { here + 1 }, last)
    })
}

fn union(index: &Index, span: impl Fn(u32) -> (i64, i64)) -> Vec<Term> {
    let spans = (0..=TOP).map(|size| (size, span(size))).filter(|(_, (first, last))| first <= last);
    spans.flat_map(|(size, (first, last))| index.terms_between(stretch(size, first), stretch(size, last))).collect()
}

const fn parent_start(stretch: i64) -> i64 {
    (stretch >> STEP) << STEP
}

fn stretch(size: u32, number: i64) -> Term {
    Term::ranged(Kind::Expiry, (i64::from(size) << SIZE_SHIFT) | number)
}

#[cfg(test)]
mod tests {
    use lease_core::id::InvoiceId;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_unit_is_either_before_or_from_and_under_one_term(unit in 0_i64..200_000, others in prop::collection::vec(0_i64..200_000, 1..40)) {
            let mut index = Index::default();
            let id = InvoiceId::new(1).unwrap();
            for other in &others {
                terms(*other).for_each(|term| index.insert(term, id));
            }
            let (before, from) = (before(&index, unit), from(&index, unit));
            for other in others {
                let count = |union: &[Term]| terms(other).filter(|term| union.contains(term)).count();
                prop_assert_eq!(count(&before), usize::from(other < unit));
                prop_assert_eq!(count(&from), usize::from(other >= unit));
            }
        }
    }
}
