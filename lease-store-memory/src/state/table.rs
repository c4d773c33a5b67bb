use lease_core::decision::RowChange;
use lease_core::id::{Entity, Id, Stored, Version, Versioned};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::RepositoryError;

use crate::index::{Index, Term, row_number};
use crate::walk::{Direction, Query, Slot};

/// A row with its version.
#[derive(Clone, Debug)]
pub(crate) struct Row<T> {
    /// Its version.
    pub(crate) version: Version,
    /// Its value.
    pub(crate) value: T,
}

impl<T> Row<T> {
    /// Succeeds if the row is still at this version.
    pub(crate) fn expect(&self, version: Version) -> Result<(), RepositoryError> {
        if self.version == version { Ok(()) } else { Err(RepositoryError::Conflict) }
    }

    /// Moves on to the next version.
    pub(crate) const fn bump(&mut self) {
        self.version = self.version.next();
    }
}

/// A value that is found by terms. Terms that follow from other tables are set by the code that changes those tables.
pub(crate) trait Indexed: Entity {
    /// The terms that follow from the value alone.
    fn terms(&self) -> Vec<Term>;
}

/// Rows, and their index. Ids are given out one after the other and never twice, so a row lies in the slot of its number.
///
/// With a `BTreeMap` instead, a cycle of `--bench cycle` took a fifth longer with a million trades stored.
#[derive(Debug)]
pub(crate) struct Table<T> {
    slots: Vec<Slot<Row<T>>>,
    /// The number of the first row, if the rows before it were taken.
    first: u32,
    /// Finds the rows by their terms.
    pub(crate) index: Index,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        // No row has the number 0.
        Self { slots: vec![None], first: 1, index: Index::default() }
    }
}

impl<T: Entity> Table<T> {
    pub(crate) fn len(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    pub(crate) fn get(&self, id: T::Id) -> Option<&Row<T>> {
        self.slots.get(row_number(id) as usize)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: T::Id) -> Option<&mut Row<T>> {
        self.slots.get_mut(row_number(id) as usize)?.as_deref_mut()
    }

    /// The row, where it is still there and at this version.
    pub(crate) fn expect(&self, id: T::Id, version: Version) -> Result<&Row<T>, RepositoryError> {
        let row = self.require(id)?;
        row.expect(version)?;
        Ok(row)
    }

    /// The row, where it is still there.
    pub(crate) fn require(&self, id: T::Id) -> Result<&Row<T>, RepositoryError> {
        self.get(id).ok_or(RepositoryError::Conflict)
    }

    /// The row as it is handed out.
    pub(crate) fn stored(&self, id: T::Id) -> Option<Stored<T>> {
        self.get(id).map(|row| Stored { id, value: row.value.clone() })
    }

    /// The row as it is handed out, with its version.
    pub(crate) fn versioned(&self, id: T::Id) -> Option<Versioned<Stored<T>>> {
        let row = self.get(id)?;
        Some(Versioned { version: row.version, value: Stored { id, value: row.value.clone() } })
    }

    /// The id of the next new row. Ids are never given out twice.
    pub(crate) fn next_id(&self) -> Result<T::Id, RepositoryError> {
        let next = u32::try_from(self.slots.len()).ok().and_then(|number| T::Id::new(number.into()));
        next.ok_or_else(|| RepositoryError::Internal("no ids are left".into()))
    }

    /// The id that was given out last.
    pub(crate) fn last_id(&self) -> Option<T::Id> {
        i64::try_from(self.slots.len() - 1).ok().and_then(T::Id::new)
    }

    /// Inserts a new row, under its terms. Its id is [`next_id`](Self::next_id).
    pub(crate) fn insert(&mut self, id: T::Id, value: T, terms: impl IntoIterator<Item = Term>) {
        self.slots.push(Some(Box::new(Row { version: Version::FIRST, value })));
        terms.into_iter().for_each(|term| self.index.insert(term, id));
    }

    /// The first row, if rows are only ever taken from the beginning.
    pub(crate) fn first(&self) -> Option<&T> {
        Some(&self.slots.get(self.first as usize)?.as_deref()?.value)
    }

    /// Takes the [first](Self::first) row away. Its terms are still to be removed.
    pub(crate) fn take_first(&mut self) -> Option<(T::Id, T)> {
        let row = self.slots.get_mut(self.first as usize)?.take()?;
        let id = T::Id::new(self.first.into())?;
        self.first += 1;
        Some((id, row.value))
    }

    /// The id of the last row that was taken from the beginning.
    pub(crate) fn last_taken(&self) -> Option<T::Id> {
        T::Id::new(i64::from(self.first) - 1)
    }

    /// A row moves on to its next version, for something that hangs on it.
    pub(crate) fn bump(&mut self, id: T::Id) {
        if let Some(row) = self.get_mut(id) {
            row.bump();
        }
    }

    /// Exchanges terms of a row.
    pub(crate) fn retag(&mut self, id: T::Id, old: &[Term], new: &[Term]) {
        for term in old {
            self.index.remove(*term, id);
        }
        for term in new {
            self.index.insert(*term, id);
        }
    }

    /// All rows, the newest first.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().rev().flatten().map(|row| &row.value)
    }

    /// A page of the rows that `query` finds and `keep` confirms.
    pub(crate) fn list(&self, query: Query, page: PageRequest, keep: impl Fn(T::Id, &Row<T>) -> bool) -> Page<Stored<T>> {
        let (direction, start) = Direction::of(page);
        let rows = self.walk(query, direction, start).filter(|(id, row)| keep(*id, row)).take(page.fetch());
        Page::of_stored(page, rows.map(|(id, row)| Stored { id, value: row.value.clone() }).collect())
    }

    /// The rows that `query` finds.
    pub(crate) fn find(&self, query: Query, direction: Direction) -> impl Iterator<Item = (T::Id, &Row<T>)> {
        self.walk(query, direction, Some(direction.start()))
    }

    /// The rows after this one, or all, that `query` finds.
    pub(crate) fn find_after(&self, query: Query, after: Option<T::Id>) -> impl Iterator<Item = (T::Id, &Row<T>)> {
        let start = after.map_or(Some(1), |id| u32::try_from(id.get().saturating_add(1)).ok());
        self.walk(query, Direction::Up, start)
    }

    /// The rows that `query` finds, on the way from `start` on.
    fn walk(&self, query: Query, direction: Direction, start: Option<u32>) -> impl Iterator<Item = (T::Id, &Row<T>)> {
        let start = match direction {
            Direction::Up => start.map(|start| start.max(self.first)),
            Direction::Down => start,
        };
        let rows = query.walk(&self.slots, &self.index, direction, start);
        rows.filter_map(|(number, row)| Some((T::Id::new(number.into())?, row)))
    }
}

impl<T: Indexed> Table<T> {
    /// Replaces the value of a row, and its terms.
    pub(crate) fn replace(&mut self, id: T::Id, value: T) {
        let terms = value.terms();
        self.replace_with(id, value, &terms);
    }

    /// [`replace`](Self::replace), the terms of the new value being known.
    pub(crate) fn replace_with(&mut self, id: T::Id, value: T, terms: &[Term]) {
        let Some(row) = self.get_mut(id) else { return };
        let old = std::mem::replace(&mut row.value, value).terms();
        row.bump();
        self.retag(id, &old, terms);
    }

    /// Deletes a row with the terms of its value.
    pub(crate) fn erase(&mut self, id: T::Id) {
        if let Some(row) = self.slots.get_mut(row_number(id) as usize).and_then(Option::take) {
            row.value.terms().iter().for_each(|term| self.index.remove(*term, id));
        }
    }

    /// The id that a change is about, where the row is still at the expected version.
    pub(crate) fn target(&self, change: &RowChange<T>) -> Result<T::Id, RepositoryError> {
        match change {
            RowChange::Create(_) => self.next_id(),
            RowChange::Update { id, expected, .. } | RowChange::Delete { id, expected } => {
                self.expect(*id, *expected)?;
                Ok(*id)
            }
        }
    }

    /// Writes a change; `created` is the id of a new row.
    pub(crate) fn write(&mut self, change: &RowChange<T>, created: Option<T::Id>) {
        match (change, created) {
            (RowChange::Create(value), Some(id)) => self.insert(id, value.clone(), value.terms()),
            (RowChange::Create(_), None) => {}
            (RowChange::Update { id, value, .. }, _) => self.replace(*id, value.clone()),
            (RowChange::Delete { id, .. }, _) => self.erase(*id),
        }
    }
}
