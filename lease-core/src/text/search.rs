use icu_properties::CodePointMapData;
use icu_properties::props::Script;

use super::comparison_key;

/// From this many characters on, a word is found anywhere in a text.
const ANYWHERE: usize = 3;

/// The text that `search` searches: the comparison keys of the words of all parts, each preceded by one space. A character of a
/// script that writes its words without spaces is a word of its own.
#[must_use]
pub fn search_text(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        for run in comparison_key(part).split_whitespace() {
            push_words(&mut text, run);
        }
    }
    text
}

/// Adds the words of a run of characters without spaces, each preceded by a space.
fn push_words(text: &mut String, run: &str) {
    let mut goes_on = false;
    for character in run.chars() {
        let stands_alone = stands_alone(character);
        if stands_alone || !goes_on {
            text.push(' ');
        }
        text.push(character);
        goes_on = !stands_alone;
    }
}

/// Whether the character is of a script of Chinese, Japanese or Korean, where nothing says where a word starts.
fn stands_alone(character: char) -> bool {
    let script = || CodePointMapData::<Script>::new().get(character);
    !character.is_ascii()
        && matches!(script(), Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul | Script::Bopomofo)
}

/// A search query. All of its words must occur: one of three or more characters anywhere in the text, a shorter one at the start
/// of a word (so that an index of trigrams serves both). A word of Chinese, Japanese or Korean, however short, is found inside a
/// run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search(Vec<String>);

impl Search {
    /// Parses a query. A query without words matches everything.
    #[must_use]
    pub fn new(query: &str) -> Self {
        Self(comparison_key(query).split_whitespace().map(piece).collect())
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

/// The piece of a search text that a run of characters looks for. It starts with a space where it must start a word.
fn piece(run: &str) -> String {
    let mut piece = String::new();
    push_words(&mut piece, run);
    let first_word = piece.split(' ').nth(1).unwrap_or_default();
    if first_word.chars().count() < ANYWHERE { piece } else { piece.split_off(1) }
}
