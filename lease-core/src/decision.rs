//! The outcome of a decision, and the changes that are the same for every kind of row.

use std::ops::{Deref, DerefMut};

use crate::event::Event;
use crate::id::{Entity, Stored, Version, Versioned};

/// The outcome of a decision: the changes and the events.
///
/// A decision is a pure function of a snapshot, the actor, the input and the time. It changes nothing by itself: the engine hands
/// the decision to [`Repository::commit`](crate::repository::Repository::commit), which writes all of it or nothing.
///
/// It dereferences to the changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<C> {
    /// The changes.
    pub changes: C,
    /// The events, in order.
    pub events: Vec<Event>,
}

impl<C> Decision<C> {
    /// A decision with these events.
    #[must_use]
    pub fn new(changes: C, events: impl IntoIterator<Item = Event>) -> Self {
        Self { changes, events: events.into_iter().collect() }
    }

    /// The same events, with other changes.
    pub fn map<D>(self, change: impl FnOnce(C) -> D) -> Decision<D> {
        Decision { changes: change(self.changes), events: self.events }
    }
}

impl<C> Deref for Decision<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.changes
    }
}

impl<C> DerefMut for Decision<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.changes
    }
}

/// A change to one row.
#[derive(Clone, Debug, PartialEq)]
pub enum RowChange<T: Entity> {
    /// Creates the row.
    Create(T),
    /// Replaces the row's value, if the row is still at `expected`.
    Update {
        /// The row.
        id: T::Id,
        /// The version that the decision was made on.
        expected: Version,
        /// The new value.
        value: T,
    },
    /// Deletes the row, if it is still at `expected`.
    Delete {
        /// The row.
        id: T::Id,
        /// The version that the decision was made on.
        expected: Version,
    },
}

impl<T: Entity> RowChange<T> {
    /// Replaces the value of a row that was read.
    pub(crate) fn update(row: &Versioned<Stored<T>>, value: T) -> Self {
        Self::Update { id: row.id, expected: row.version, value }
    }

    /// Deletes a row that was read.
    pub(crate) fn delete(row: &Versioned<Stored<T>>) -> Self {
        Self::Delete { id: row.id, expected: row.version }
    }

    /// The value that is written; `None` for a deletion.
    #[must_use]
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Create(value) | Self::Update { value, .. } => Some(value),
            Self::Delete { .. } => None,
        }
    }

    /// The row as it is stored after the commit. `created` is the id that the commit assigned to a new row.
    ///
    /// `None` after a deletion, and for a new row without an id.
    #[must_use]
    pub fn into_stored(self, created: Option<T::Id>) -> Option<Stored<T>> {
        match self {
            Self::Create(value) => Some(Stored { id: created?, value }),
            Self::Update { id, value, .. } => Some(Stored { id, value }),
            Self::Delete { .. } => None,
        }
    }
}
