//! Paths as they are meant: a percent-encoded character that needs no encoding is that character (RFC 3986, 6.2.2.2).

use std::borrow::Cow;

/// The path with every percent-encoded unreserved character decoded, and nothing else.
pub(crate) fn plain(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut parts = path.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (character, rest) = unreserved(part).unwrap_or(('%', part));
        decoded.push(character);
        decoded.push_str(rest);
    }
    if decoded.len() == path.len() { Cow::Borrowed(path) } else { Cow::Owned(decoded) }
}

/// The character that the two digits at the beginning encode, if it is unreserved, and what follows them.
fn unreserved(text: &str) -> Option<(char, &str)> {
    let (digits, rest) = text.split_at_checked(2)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let character = char::from(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
    (character.is_ascii_alphanumeric() || "-._~".contains(character)).then_some((character, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_are_decoded() {
        let cases = [
            ("/api/trades", "/api/trades"),
            ("/%61pi/%74rades/%31%32", "/api/trades/12"),
            ("/%2D%2e%5F%7E%7e", "/-._~~"),
            ("/a%2Fb%20c%25%41", "/a%2Fb%20c%25A"),
            ("/%2541", "/%2541"),
            ("/%", "/%"),
            ("/%4", "/%4"),
            ("/%+4%4\u{e4}%c3%a4", "/%+4%4\u{e4}%c3%a4"),
        ];
        for (path, expected) in cases {
            assert_eq!(plain(path), expected, "{path}");
        }
    }
}
