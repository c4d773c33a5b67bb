//! The bounds of values, for their parsers and for the schemas of the API alike. Those of text are in [`text`](crate::text), that of
//! amounts is in [`money`](crate::money).

use std::ops::RangeInclusive;

/// The year of the first motor car: the first model year.
pub(crate) const FIRST_MODEL_YEAR: i64 = 1886;
/// The longest time to pay, in days.
pub(crate) const MAX_DUE_DAYS: u16 = 365;
/// The life of a token that a user creates, in days.
pub(crate) const TOKEN_DAYS: RangeInclusive<i64> = 1..=3_650;
/// The months of a year.
pub(crate) const MONTHS: RangeInclusive<u32> = 1..=12;
/// The years in which a card can expire.
pub(crate) const EXPIRY_YEARS: RangeInclusive<i32> = 2_000..=9_999;
/// The most digits in the name on a card. The shortest number of a card has one more.
pub(crate) const MAX_HOLDER_DIGITS: usize = 11;
/// The longest e-mail address (RFC 5321).
pub(crate) const MAX_EMAIL_BYTES: usize = 254;
/// The shortest password, in characters.
#[cfg(any(feature = "openapi", feature = "passwords"))]
pub(crate) const MIN_PASSWORD_CHARS: usize = 8;
/// The longest password, in bytes, so that the cost of hashing is bounded.
#[cfg(any(feature = "openapi", feature = "passwords"))]
pub(crate) const MAX_PASSWORD_BYTES: usize = 1_024;
/// The most keys of metadata.
pub(crate) const MAX_METADATA_KEYS: usize = 50;
/// The longest key in metadata, in characters.
pub(crate) const MAX_METADATA_KEY: usize = 40;
/// The most objects and lists within one another in metadata.
pub(crate) const MAX_METADATA_DEPTH: usize = 5;
/// The longest metadata, as JSON without needless white space.
pub(crate) const MAX_METADATA_BYTES: usize = 8 * 1_024;
