//! The rows that a term applies to, in their order.
//!
//! Most terms apply to a few rows, and some to nearly all, so there are two kinds of set. With a million trades stored, the
//! process of `--bench cycle` took 1.4 GB more with a `BTreeSet` of ids for every term, and 2.5 GB more with a bitmap for
//! every term.

use roaring::RoaringBitmap;

/// A set of row numbers.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    /// In their order.
    Few(Vec<u32>),
    /// A compressed bitmap: small, and changed at the same cost wherever it is touched.
    Many(RoaringBitmap),
}

/// The maximum number of rows in [`Rows::Few`].
const FEW: usize = 64;

impl Default for Rows {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Rows {
    pub(crate) fn insert(&mut self, row: u32) {
        match self {
            Self::Few(rows) => {
                if let Err(place) = rows.binary_search(&row) {
                    rows.insert(place, row);
                }
                if rows.len() > FEW {
                    *self = Self::Many(rows.iter().copied().collect());
                }
            }
            Self::Many(rows) => {
                rows.insert(row);
            }
        }
    }

    pub(crate) fn remove(&mut self, row: u32) {
        match self {
            Self::Few(rows) => rows.retain(|other| *other != row),
            Self::Many(rows) => {
                rows.remove(row);
            }
        }
    }

    pub(crate) fn contains(&self, row: u32) -> bool {
        match self {
            Self::Few(rows) => rows.binary_search(&row).is_ok(),
            Self::Many(rows) => rows.contains(row),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Few(rows) => rows.is_empty(),
            Self::Many(rows) => rows.is_empty(),
        }
    }

    /// The first row from this one on, upwards.
    pub(crate) fn first_from(&self, from: u32) -> Option<u32> {
        match self {
            Self::Few(rows) => rows.get(rows.partition_point(|row| *row < from)).copied(),
            Self::Many(rows) => rows.range(from..).next(),
        }
    }

    /// The last row up to this one.
    pub(crate) fn last_up_to(&self, from: u32) -> Option<u32> {
        match self {
            Self::Few(rows) => rows.get(rows.partition_point(|row| *row <= from).checked_sub(1)?).copied(),
            Self::Many(rows) => rows.range(..=from).next_back(),
        }
    }
}
