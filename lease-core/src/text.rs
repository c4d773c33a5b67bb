//! Text input: trimmed, of bounded length and without control characters. Names that are compared get a comparison key here, so
//! that every backend compares bytes and does not depend on a collation of its own.

use unicode_normalization::UnicodeNormalization;

/// The most characters in a name, a phone number or a line of an address.
pub const NAME_MAX: usize = 150;
/// The most characters in a title.
pub const TITLE_MAX: usize = 200;
/// The most characters in free text: notes, descriptions, messages and reasons.
pub const FREE_TEXT_MAX: usize = 4_000;

/// A line of at most [`NAME_MAX`] characters; may be empty.
pub(crate) fn line(text: &str) -> Result<String, String> {
    check_line(text.trim(), NAME_MAX).map(str::to_owned)
}

/// A line of at most [`NAME_MAX`] characters that is not blank.
pub(crate) fn name(text: &str) -> Result<String, String> {
    non_blank(line(text)?)
}

/// A line of at most [`TITLE_MAX`] characters; may be empty.
pub(crate) fn title(text: &str) -> Result<String, String> {
    check_line(text.trim(), TITLE_MAX).map(str::to_owned)
}

/// Text of at most [`FREE_TEXT_MAX`] characters, which may include line breaks and tabs; may be empty.
pub(crate) fn free(text: &str) -> Result<String, String> {
    let is_refused = |character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t');
    check(text.trim(), FREE_TEXT_MAX, is_refused).map(str::to_owned)
}

/// [`free`] text that is not blank.
pub(crate) fn reason(text: &str) -> Result<String, String> {
    non_blank(free(text)?)
}

/// The text, if it is not blank.
pub(crate) fn non_blank(text: String) -> Result<String, String> {
    if text.is_empty() { Err("This field may not be blank.".to_owned()) } else { Ok(text) }
}

/// The text, if it is a line of at most `max` characters.
///
/// # Errors
/// A sentence that says what is not allowed.
pub fn check_line(text: &str, max: usize) -> Result<&str, String> {
    check(text, max, char::is_control)
}

fn check(text: &str, max: usize, is_refused: impl Fn(char) -> bool) -> Result<&str, String> {
    if text.chars().any(is_refused) {
        return Err("Control characters are not allowed.".to_owned());
    }
    if text.chars().count() > max {
        return Err(format!("At most {max} characters are allowed."));
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

/// The form in which names are compared: compatibility-normalised (NFKC) and in lower case. The key of a key is the key.
#[must_use]
pub fn comparison_key(text: &str) -> String {
    // ASCII text is its own normal form, and most text is ASCII.
    if text.is_ascii() {
        return text.trim().to_ascii_lowercase();
    }
    // Each character is lower-cased by itself, so that Σ has the same key at the end of a word; the result is normalised again,
    // because a lower-case letter may compose with a mark where the upper-case letter does not.
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect::<String>().trim().to_owned()
}

/// The text that `search` searches: the comparison keys of all parts that are not blank, each preceded by one space, so that
/// every word follows a space.
#[must_use]
pub fn search_text(parts: &[&str]) -> String {
    let mut text = String::new();
    for word in parts.iter().flat_map(|part| part.split_whitespace()) {
        text.push(' ');
        text.push_str(&comparison_key(word));
    }
    text
}

/// A search query. All of its words must occur: a word of three or more characters anywhere in the text, a shorter one at the
/// start of a word (so that an index of trigrams serves both).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search(Vec<String>);

impl Search {
    /// Parses a query. A query without words matches everything.
    #[must_use]
    pub fn new(query: &str) -> Self {
        let key = comparison_key(query);
        Self(
            key.split_whitespace()
                .map(|word| if word.chars().count() < 3 { format!(" {word}") } else { word.to_owned() })
                .collect(),
        )
    }

    /// The pieces that must all occur in a [`search_text`].
    #[must_use]
    pub fn pieces(&self) -> &[String] {
        &self.0
    }

    /// Whether `text`, which is a [`search_text`], contains all pieces.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.iter().all(|piece| text.contains(piece.as_str()))
    }
}
