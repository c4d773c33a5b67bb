//! Text as it comes in: trimmed, bounded, free of control characters. Names that are compared get a key here, so
//! that every backend compares bytes and none its own collation.

use unicode_normalization::UnicodeNormalization;

/// Characters of a name, a phone number, a line of an address.
pub const NAME_MAX: usize = 150;
/// Characters of a title.
pub const TITLE_MAX: usize = 200;
/// Characters of free text: notes, descriptions, messages, reasons.
pub const FREE_TEXT_MAX: usize = 4_000;

/// A line of at most [`NAME_MAX`] characters; may be empty.
pub(crate) fn line(text: &str) -> Result<String, String> {
    bounded(text, NAME_MAX, char::is_control)
}

/// A line of at most [`NAME_MAX`] characters that says something.
pub(crate) fn name(text: &str) -> Result<String, String> {
    non_blank(line(text)?)
}

/// A line of at most [`TITLE_MAX`] characters; may be empty.
pub(crate) fn title(text: &str) -> Result<String, String> {
    bounded(text, TITLE_MAX, char::is_control)
}

/// At most [`FREE_TEXT_MAX`] characters, line breaks and tabs among them; may be empty.
pub(crate) fn free(text: &str) -> Result<String, String> {
    bounded(text, FREE_TEXT_MAX, |character| character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
}

/// [`free`] text that says something.
pub(crate) fn reason(text: &str) -> Result<String, String> {
    non_blank(free(text)?)
}

fn non_blank(text: String) -> Result<String, String> {
    if text.is_empty() { Err("This field may not be blank.".to_owned()) } else { Ok(text) }
}

fn bounded(text: &str, max: usize, refused: impl Fn(char) -> bool) -> Result<String, String> {
    let text = text.trim();
    if text.chars().any(refused) {
        return Err("Control characters are not allowed.".to_owned());
    }
    if text.chars().count() > max {
        return Err(format!("At most {max} characters are allowed."));
    }
    Ok(text.to_owned())
}

/// The form in which names are compared: compatibility-normalised (NFKC) and in lower case. The key of a key is the key.
#[must_use]
pub fn comparison_key(text: &str) -> String {
    // ASCII is its own normal form, and nearly all there is to compare.
    if text.is_ascii() {
        return text.trim().to_ascii_lowercase();
    }
    // Letter by letter, for a Σ at the end of a word is no other letter; and normalised again, for lower case may compose with
    // a mark where upper case does not.
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect::<String>().trim().to_owned()
}

/// The text that a `search` looks through: the parts that say something, as comparison keys, one space between and in front,
/// so that every word starts behind a space.
#[must_use]
pub fn search_text(parts: &[&str]) -> String {
    let mut text = String::new();
    for word in parts.iter().flat_map(|part| part.split_whitespace()) {
        text.push(' ');
        text.push_str(&comparison_key(word));
    }
    text
}

/// What is searched for. All of its words must occur: one of three characters or more anywhere in the text, a shorter
/// one at the start of a word (so that an index of trigrams serves both).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search(Vec<String>);

impl Search {
    /// Reads a query. One without a word matches everything.
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

    /// Whether `text`, a [`search_text`], has them all.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.iter().all(|piece| text.contains(piece.as_str()))
    }
}
