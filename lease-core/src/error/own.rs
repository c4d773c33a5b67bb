use std::borrow::Cow;

/// Why an app's own [`Guard`](crate::guard::Guard) refuses an act: a code for programs and a message for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{message}")]
pub struct OwnRefusal {
    code: RefusalCode,
    message: Cow<'static, str>,
}

impl OwnRefusal {
    /// A refusal with this code and this message, which whoever is refused gets to read.
    pub fn new(code: RefusalCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> RefusalCode {
        self.code
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// The stable code of an [`OwnRefusal`]: at most 64 lower-case letters, digits and underscores, of which the first is a letter. It is
/// part of the program, so that there are only so many.
///
/// ```
/// use lease_core::RefusalCode;
///
/// // Wrong ones do not compile.
/// const TOO_OLD: RefusalCode = RefusalCode::new("vehicle_too_old").unwrap();
/// assert_eq!(TOO_OLD.as_str(), "vehicle_too_old");
/// assert_eq!(RefusalCode::new("Too old"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefusalCode(&'static str);

/// The most characters of a code.
const MAX_CODE: usize = 64;

impl RefusalCode {
    /// This code; `None` for a text that is none.
    #[must_use]
    pub const fn new(code: &'static str) -> Option<Self> {
        if is_code(code.as_bytes()) { Some(Self(code)) } else { None }
    }

    /// The code as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

const fn is_code(text: &[u8]) -> bool {
    let [first, ..] = text else { return false };
    let mut place = 0;
    // Iterators cannot be used in constants.
    while place < text.len() {
        if !matches!(text[place], b'a'..=b'z' | b'0'..=b'9' | b'_') {
            return false;
        }
        place += 1;
    }
    first.is_ascii_lowercase() && text.len() <= MAX_CODE
}
