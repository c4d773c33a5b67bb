//! Pages of a list, newest first. A cursor names the row after which a page starts, so that every page costs the same, and rows
//! that are created or deleted in the meantime neither repeat nor hide others (rule 6.5).

use rust_decimal::Decimal;

use crate::id::{Entity, Id, Stored};
use crate::money::check_amount;

/// The number of rows on a page, if the request does not say.
pub const DEFAULT_LIMIT: u8 = 25;
/// The most rows on a page.
pub const MAX_LIMIT: u8 = 100;

/// The position at which a page starts. Clients see it as an opaque text: [`Cursor::encode`] and [`Cursor::decode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// The rows that follow this place in the list: the older ones, unless the list has an order of its own.
    After(Place),
    /// The rows that precede this place in the list: the newer ones, unless the list has an order of its own.
    Before(Place),
}

/// The place of a row in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub id: i64,
    /// Its price, in a list that is sorted by price.
    pub price: Option<PriceKey>,
}

/// The price of a row in a list that is sorted by price; rows of the same price are in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceKey {
    /// Whether the highest price comes first.
    pub is_descending: bool,
    /// The price.
    pub amount: Decimal,
}

impl From<i64> for Place {
    fn from(id: i64) -> Self {
        Self { id, price: None }
    }
}

impl Place {
    /// The place beside it, further down the list or further up.
    fn shifted(self, is_down: bool) -> Self {
        let is_descending = self.price.is_none_or(|price| price.is_descending);
        let step = if is_descending == is_down { -1 } else { 1 };
        Self { id: self.id.saturating_add(step).max(0), ..self }
    }
}

impl Cursor {
    /// A regular expression that matches exactly the texts that are cursors of a list without prices.
    pub const PATTERN: &str = "^[ab][0-7][0-9a-f]{15}$";
    /// A regular expression that matches exactly the texts that are cursors, of lists by price too.
    pub const PRICED_PATTERN: &str = r"^[ab][0-7][0-9a-f]{15}([ud](0|[1-9][0-9]{0,11})(\.[0-9]{0,3}[1-9])?)?$";

    /// The most bytes of a cursor's text: the side, the id, the order of the prices and a price.
    const MAX_BYTES: usize = 1 + 16 + 1 + 17;

    /// The text that a client sends to get this page.
    #[must_use]
    pub fn encode(self) -> String {
        let (side, Place { id, price }) = match self {
            Self::After(place) => ('a', place),
            Self::Before(place) => ('b', place),
        };
        let price = price
            .map(|PriceKey { is_descending, amount }| format!("{}{}", if is_descending { 'd' } else { 'u' }, amount.normalize()));
        format!("{side}{id:016x}{}", price.unwrap_or_default())
    }

    /// Parses the text that [`Cursor::encode`] writes; `None` for any other text.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        if text.len() > Self::MAX_BYTES {
            // A long number would be read digit by digit, however long it is.
            return None;
        }
        let (side, rest) = text.split_at_checked(1)?;
        let (id, price) = rest.split_at_checked(16)?;
        let id = i64::from_str_radix(id, 16).ok()?;
        let price = if price.is_empty() { None } else { Some(PriceKey::decode(price)?) };
        let place = Place { id, price };
        let cursor = match side {
            "a" => Self::After(place),
            "b" => Self::Before(place),
            _ => return None,
        };
        // Only the text that `encode` writes is accepted.
        (cursor.encode() == text).then_some(cursor)
    }

    /// The same position in the list in the other direction.
    const fn reversed(self) -> Self {
        match self {
            Self::After(place) => Self::Before(place),
            Self::Before(place) => Self::After(place),
        }
    }

    /// The place next to which the page starts.
    #[must_use]
    pub const fn place(self) -> Place {
        match self {
            Self::After(place) | Self::Before(place) => place,
        }
    }
}

impl PriceKey {
    fn decode(text: &str) -> Option<Self> {
        let (order, amount) = text.split_at_checked(1)?;
        let amount: Decimal = amount.parse().ok()?;
        let key = |is_descending| check_amount(amount).is_ok().then_some(Self { is_descending, amount });
        match order {
            "u" => key(false),
            "d" => key(true),
            _ => None,
        }
    }
}

/// A request for a page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    limit: u8,
    cursor: Option<Cursor>,
}

impl PageRequest {
    /// A request for at most `limit` rows from `cursor` on, or from the newest row; `None` unless `limit` is 1 to [`MAX_LIMIT`].
    #[must_use]
    pub fn new(limit: u8, cursor: Option<Cursor>) -> Option<Self> {
        (1..=MAX_LIMIT).contains(&limit).then_some(Self { limit, cursor })
    }

    /// A request for the newest rows, as many as a page can have.
    pub(crate) const fn largest() -> Self {
        Self { limit: MAX_LIMIT, cursor: None }
    }

    /// The position at which the page starts; `None` means the newest row.
    #[must_use]
    pub const fn cursor(self) -> Option<Cursor> {
        self.cursor
    }

    /// The number of rows that a store fetches: one more than the page has, to find out whether more follow.
    #[must_use]
    pub const fn fetch(self) -> usize {
        self.limit as usize + 1
    }

    /// The request that finds the same page of a list in the other direction: this one counts from the oldest row after `start`.
    pub(crate) const fn reversed_from(self, start: i64) -> Self {
        let cursor = match self.cursor {
            None => Cursor::Before(Place { id: start, price: None }),
            Some(cursor) => cursor.reversed(),
        };
        Self { limit: self.limit, cursor: Some(cursor) }
    }

    /// Whether the store reads towards the beginning of the list: upwards from the cursor (`id > cursor`, ascending) rather than
    /// downwards (`id < cursor`, descending), unless the list has an order of its own.
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

#[cfg(feature = "serde")]
impl serde::Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.encode())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::decode(&text).ok_or_else(|| serde::de::Error::custom("this is not a cursor of a list"))
    }
}

/// A page of a list, newest first.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page, with older rows, if there are any.
    pub next: Option<Cursor>,
    /// The cursor of the previous page, with newer rows, if there may be any.
    pub previous: Option<Cursor>,
}

impl<T> Page<T> {
    /// Builds a page from the rows that a store fetched: up to [`PageRequest::fetch`] rows in the order in which it read them
    /// (see [`PageRequest::is_backward`]).
    #[must_use]
    pub fn of<P: Into<Place>>(request: PageRequest, mut fetched: Vec<T>, place: impl Fn(&T) -> P) -> Self {
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
        let (first, last) = match (fetched.first(), fetched.last()) {
            (Some(first), Some(last)) => (place(first).into(), place(last).into()),
            _ => return Self::empty(request.cursor),
        };
        let next = older.then_some(Cursor::After(last));
        let previous = newer.then_some(Cursor::Before(first));
        Self { items: fetched, next, previous }
    }

    /// A page without rows, which still leads back: to the rows on the other side of its cursor, and to the cursor's own row.
    fn empty(cursor: Option<Cursor>) -> Self {
        let (next, previous) = match cursor {
            None => (None, None),
            Some(Cursor::After(place)) => (None, Some(Cursor::Before(place.shifted(true)))),
            Some(Cursor::Before(place)) => (Some(Cursor::After(place.shifted(false))), None),
        };
        Self { items: Vec::new(), next, previous }
    }

    /// A page that was found for the [reversed](PageRequest::reversed_from) request, in the order of the original request.
    #[must_use]
    pub(crate) fn reversed(mut self, request: PageRequest) -> Self {
        self.items.reverse();
        // Nothing precedes the row at which the whole list begins.
        let previous = self.next.filter(|_| request.cursor.is_some());
        Self { items: self.items, next: self.previous.map(Cursor::reversed), previous: previous.map(Cursor::reversed) }
    }

    /// The page with `f` applied to every row.
    #[must_use]
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next, previous: self.previous }
    }

    /// The page with `f` applied to every row.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<U, E>(self, f: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let items = self.items.into_iter().map(f).collect::<Result<_, E>>()?;
        Ok(Page { items, next: self.next, previous: self.previous })
    }
}

impl<T: Entity> Page<Stored<T>> {
    /// The same as [`Page::of`], for rows that contain their id.
    #[must_use]
    pub fn of_stored(request: PageRequest, fetched: Vec<Stored<T>>) -> Self {
        Self::of(request, fetched, |row| row.id.get())
    }
}
