//! Pages of a list, newest first. A cursor names the row it starts behind, so that every page costs the same
//! and rows that come or go meanwhile neither repeat nor hide another (rule 6.5).

use crate::id::{Entity, Id, Stored};

/// Rows on a page where none is asked for.
pub const DEFAULT_LIMIT: u8 = 25;
/// Rows on a page at the most.
pub const MAX_LIMIT: u8 = 100;

/// Where a page starts. Opaque outside: [`Cursor::encode`] and [`Cursor::decode`] are its text form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// The rows that follow this id in the list: the older ones.
    After(i64),
    /// The rows that precede this id in the list: the newer ones.
    Before(i64),
}

impl Cursor {
    /// Exactly the texts that are cursors, as a regular expression.
    pub const PATTERN: &str = "^[ab][0-7][0-9a-f]{15}$";

    /// The text that a client hands back to get this page.
    #[must_use]
    pub fn encode(self) -> String {
        match self {
            Self::After(id) => format!("a{id:016x}"),
            Self::Before(id) => format!("b{id:016x}"),
        }
    }

    /// Reads [`Cursor::encode`]'s text; `None` where it is none.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let (side, id) = text.split_at_checked(1)?;
        let id = i64::from_str_radix(id, 16).ok()?;
        let cursor = match side {
            "a" => Self::After(id),
            "b" => Self::Before(id),
            _ => return None,
        };
        // Only the one text that `encode` writes is a cursor.
        (cursor.encode() == text).then_some(cursor)
    }

    /// The id it starts behind.
    #[must_use]
    pub const fn id(self) -> i64 {
        match self {
            Self::After(id) | Self::Before(id) => id,
        }
    }
}

/// Which page of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    limit: u8,
    cursor: Option<Cursor>,
}

impl PageRequest {
    /// A page of at most `limit` rows (1 to [`MAX_LIMIT`], else `None`) from `cursor` on, or from the newest.
    #[must_use]
    pub fn new(limit: u8, cursor: Option<Cursor>) -> Option<Self> {
        (1..=MAX_LIMIT).contains(&limit).then_some(Self { limit, cursor })
    }

    /// Where it starts; `None`: at the newest row.
    #[must_use]
    pub const fn cursor(self) -> Option<Cursor> {
        self.cursor
    }

    /// How many rows a store fetches: one more than are shown, to learn whether more follow.
    #[must_use]
    pub const fn fetch(self) -> usize {
        self.limit as usize + 1
    }

    /// Whether the store walks upwards from the cursor (`id > cursor`, ascending) and not downwards
    /// (`id < cursor`, descending).
    #[must_use]
    pub const fn is_backward(self) -> bool {
        matches!(self.cursor, Some(Cursor::Before(_)))
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, cursor: None }
    }
}

/// A page of a list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The page of older rows, where there are any.
    pub next: Option<Cursor>,
    /// The page of newer rows, where there may be any.
    pub previous: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page of what a store fetched: up to [`PageRequest::fetch`] rows in the order it walked
    /// (see [`PageRequest::is_backward`]).
    #[must_use]
    pub fn of(request: PageRequest, mut fetched: Vec<T>, id: impl Fn(&T) -> i64) -> Self {
        let more = fetched.len() >= request.fetch();
        fetched.truncate(usize::from(request.limit));
        if request.is_backward() {
            fetched.reverse();
        }
        let (newer, older) = match request.cursor {
            None => (false, more),
            Some(Cursor::After(_)) => (true, more),
            Some(Cursor::Before(_)) => (more, true),
        };
        let next = older.then(|| fetched.last().map(|row| Cursor::After(id(row)))).flatten();
        let previous = newer.then(|| fetched.first().map(|row| Cursor::Before(id(row)))).flatten();
        Self { items: fetched, next, previous }
    }

    /// The page with every row changed by `f`.
    #[must_use]
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next, previous: self.previous }
    }
}

impl<T: Entity> Page<Stored<T>> {
    /// [`Page::of`] for rows that carry their id.
    #[must_use]
    pub fn of_stored(request: PageRequest, fetched: Vec<Stored<T>>) -> Self {
        Self::of(request, fetched, |row| row.id.get())
    }
}
