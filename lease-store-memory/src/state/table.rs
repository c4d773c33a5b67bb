use lease_core::decision::RowChange;
use lease_core::id::{Entity, Id, Stored, Version, Versioned};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::RepositoryError;

use crate::index::{Index, MAX_ROW, Term, row_number};
use crate::slots::Slots;
use crate::walk::{Direction, Query};

/// A row, and how often it was changed.
#[derive(Clone, Debug)]
pub(crate) struct Row<T> {
    /// Its version.
    pub(crate) version: Version,
    /// What it says.
    pub(crate) value: T,
}

impl<T> Row<T> {
    /// Passes where the row is still at this version.
    pub(crate) fn expect(&self, version: Version) -> Result<(), RepositoryError> {
        if self.version == version { Ok(()) } else { Err(RepositoryError::Conflict) }
    }

    /// Moves on to the next version.
    pub(crate) const fn bump(&mut self) {
        self.version = self.version.next();
    }
}

/// What is found by terms that follow from its own value. Terms that follow from other tables are set by those who change
/// these.
pub(crate) trait Indexed: Entity {
    /// The terms.
    fn terms(&self) -> Vec<Term>;
}

/// Rows by their ids, so that fresh ones lie together, and their index.
#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: Slots<Row<T>>,
    last_id: i64,
    /// What the rows are found by.
    pub(crate) index: Index,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Slots::default(), last_id: 0, index: Index::default() }
    }
}

impl<T: Entity> Table<T> {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn get(&self, id: T::Id) -> Option<&Row<T>> {
        self.rows.get(row_number(id))
    }

    pub(crate) fn get_mut(&mut self, id: T::Id) -> Option<&mut Row<T>> {
        self.rows.get_mut(row_number(id))
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
        let next = (self.last_id < MAX_ROW).then(|| T::Id::new(self.last_id + 1)).flatten();
        next.ok_or_else(|| RepositoryError::Internal("no ids are left".into()))
    }

    /// Puts a new row in, under its terms.
    pub(crate) fn insert(&mut self, id: T::Id, value: T, terms: impl IntoIterator<Item = Term>) {
        self.rows.insert(row_number(id), Row { version: Version::FIRST, value });
        self.last_id = self.last_id.max(id.get());
        terms.into_iter().for_each(|term| self.index.insert(term, id));
    }

    /// A row moves on to its next version, for something that hangs on it.
    pub(crate) fn bump(&mut self, id: T::Id) {
        if let Some(row) = self.get_mut(id) {
            row.bump();
        }
    }

    /// Exchanges terms of a row.
    pub(crate) fn retag(&mut self, id: T::Id, old: &[Term], new: &[Term]) {
        old.iter().filter(|term| !new.contains(term)).for_each(|term| self.index.remove(*term, id));
        new.iter().filter(|term| !old.contains(term)).for_each(|term| self.index.insert(*term, id));
    }

    /// A page of the rows that `query` finds and `keep` confirms.
    pub(crate) fn list(&self, query: Query, page: PageRequest, keep: impl Fn(&Row<T>) -> bool) -> Page<Stored<T>> {
        let (direction, start) = Direction::of(page);
        let rows = self.walk(query, direction, start).filter(|(_, row)| keep(row)).take(page.fetch());
        Page::of_stored(page, rows.map(|(id, row)| Stored { id, value: row.value.clone() }).collect())
    }

    /// The rows that `query` finds, on the way from `start` on.
    pub(crate) fn walk(&self, mut query: Query, direction: Direction, start: i64) -> impl Iterator<Item = (T::Id, &Row<T>)> + '_ {
        let mut from = start;
        std::iter::from_fn(move || {
            let (id, row) = if query.is_everything() {
                self.neighbour(direction, from)?
            } else {
                let id = T::Id::new(query.next(&self.index, direction, from)?)?;
                (id, self.get(id)?)
            };
            from = direction.step(id.get());
            Some((id, row))
        })
    }

    fn neighbour(&self, direction: Direction, from: i64) -> Option<(T::Id, &Row<T>)> {
        let (number, row) = match direction {
            Direction::Down => self.rows.last_up_to(u32::try_from(from.min(MAX_ROW)).ok()?)?,
            Direction::Up => self.rows.first_from(u32::try_from(from.max(0)).ok()?)?,
        };
        Some((T::Id::new(number.into())?, row))
    }
}

impl<T: Indexed> Table<T> {
    /// What a row says changes; its terms follow.
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

    /// Erases a row with the terms of its value.
    pub(crate) fn erase(&mut self, id: T::Id) {
        if let Some(row) = self.rows.remove(row_number(id)) {
            row.value.terms().into_iter().for_each(|term| self.index.remove(term, id));
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
