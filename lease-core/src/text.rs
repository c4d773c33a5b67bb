//! Text input: trimmed, of bounded length and without control characters. Names that are compared get a comparison key here, so
//! that every backend compares bytes and does not depend on a collation of its own.

mod key;
mod search;

use crate::input::Invalid;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use unicode_normalization::UnicodeNormalization;

pub use self::key::comparison_key;
pub use self::search::{Search, search_text};

/// The most characters in a name, a phone number or a line of an address.
pub const NAME_MAX: usize = 150;
/// The most characters in a title.
pub const TITLE_MAX: usize = 200;
/// The most characters in what another system calls an object.
pub const EXTERNAL_ID_MAX: usize = 255;
/// The most characters in free text: notes, descriptions, messages and reasons.
pub const FREE_TEXT_MAX: usize = 4_000;

/// A line of at most [`NAME_MAX`] characters; may be empty.
pub(crate) fn line(text: &str) -> Result<String, Invalid> {
    read_line(text, NAME_MAX)
}

/// A line of at most [`NAME_MAX`] characters that is not blank.
pub(crate) fn name(text: &str) -> Result<String, Invalid> {
    non_blank(line(text)?)
}

/// A line of at most [`TITLE_MAX`] characters; may be empty.
pub(crate) fn title(text: &str) -> Result<String, Invalid> {
    read_line(text, TITLE_MAX)
}

/// A line of at most [`EXTERNAL_ID_MAX`] characters that is not blank.
pub(crate) fn external_id(text: &str) -> Result<String, Invalid> {
    non_blank(read_line(text, EXTERNAL_ID_MAX)?)
}

/// Text of at most [`FREE_TEXT_MAX`] characters, which may include line breaks and tabs; may be empty.
pub(crate) fn free(text: &str) -> Result<String, Invalid> {
    let is_refused = |character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t');
    check(text.trim(), FREE_TEXT_MAX, is_refused).map(visible)
}

/// [`free`] text that is not blank.
pub(crate) fn reason(text: &str) -> Result<String, Invalid> {
    non_blank(free(text)?)
}

fn read_line(text: &str, max: usize) -> Result<String, Invalid> {
    check_line(text.trim(), max).map(visible)
}

/// The text, or none if it is blank.
fn visible(text: &str) -> String {
    if is_blank(text) { String::new() } else { text.to_owned() }
}

/// Whether the text shows nothing.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(shows_nothing)
}

/// Whether the character shows nothing: white space, a zero-width or another default-ignorable character (the fillers of Hangul
/// are among them), and the empty pattern of Braille.
fn shows_nothing(character: char) -> bool {
    character.is_whitespace() || is_ignorable(character) || character == '\u{2800}'
}

/// Whether the character is one that Unicode says to ignore where it cannot be displayed.
pub(crate) fn is_ignorable(character: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

/// Whether the character ends a line (U+2028, U+2029), or turns the direction of what follows, so that a line reads otherwise than
/// it is stored.
const fn breaks_line(character: char) -> bool {
    matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The canonical composition (NFC): one form for texts that look the same, such as `é` in one character or in two.
pub(crate) fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// The text, if it is not blank.
pub(crate) fn non_blank(text: String) -> Result<String, Invalid> {
    if text.is_empty() { Err(Invalid::Blank) } else { Ok(text) }
}

/// The text, if it is a line of at most `max` characters.
///
/// # Errors
/// [`Invalid`]: what is not allowed.
pub fn check_line(text: &str, max: usize) -> Result<&str, Invalid> {
    check(text, max, |character| character.is_control() || breaks_line(character))
}

fn check(text: &str, max: usize, is_refused: impl Fn(char) -> bool) -> Result<&str, Invalid> {
    if text.chars().any(is_refused) {
        return Err(Invalid::ControlCharacter);
    }
    if text.chars().count() > max {
        return Err(Invalid::TooLong { max });
    }
    Ok(text)
}

/// The message on a text that is none of these names.
#[must_use]
pub fn one_of(names: &[&str]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("One of {} and {last} is required.", others.join(", ")),
        names => format!("{} is required.", names.concat()),
    }
}

/// The text, cut between two characters so that it has at most this many bytes.
#[must_use]
pub fn cut_to(mut text: String, bytes: usize) -> String {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or_default());
    text
}
