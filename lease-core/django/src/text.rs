//! Text that rules for input would refuse, made into text that they take.

use lease_core::text::check_line;

/// Text as it is stored, and whether anything of it was left out.
pub(crate) struct Cleaned {
    pub(crate) text: String,
    pub(crate) is_changed: bool,
}

/// A line of at most `max` characters; may be empty.
pub(crate) fn line(text: Option<&str>, max: usize) -> Cleaned {
    clean(text, max, |character| if character.is_whitespace() { Some(' ') } else { kept(character) })
}

/// Text of at most `max` characters, which may have several lines; may be empty.
pub(crate) fn free(text: Option<&str>, max: usize) -> Cleaned {
    clean(text, max, |character| if matches!(character, '\n' | '\r' | '\t') { Some(character) } else { kept(character) })
}

/// The character, unless it is one that no text may have.
fn kept(character: char) -> Option<char> {
    let mut buffer = [0; 4];
    check_line(character.encode_utf8(&mut buffer), 1).is_ok().then_some(character)
}

fn clean(text: Option<&str>, max: usize, keep: impl Fn(char) -> Option<char>) -> Cleaned {
    let given = text.unwrap_or_default().trim();
    let kept: String = given.chars().filter_map(keep).collect();
    let cut: String = kept.trim().chars().take(max).collect();
    let text = cut.trim_end().to_owned();
    Cleaned { is_changed: text != given, text }
}
