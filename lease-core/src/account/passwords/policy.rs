//! The passwords that are accepted (rule 3.7).

use secrecy::{ExposeSecret, SecretString};

use super::hasher::composed;
use crate::input::Invalid;
use crate::model::limits::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS};
use crate::text::comparison_key;

/// From this share of common characters on, a password is too similar to a name.
const TOO_LIKE: f32 = 0.7;
/// The length of the longest password in the lists of common passwords.
const COMMON_MAX_CHARS: usize = 20;
/// A password that zxcvbn would guess in fewer attempts is common: this covers each of its 30,000 common passwords.
const COMMON_GUESSES: u64 = 30_001;
/// Shorter parts of names are ignored, because they occur in too many good passwords.
const MIN_PART_CHARS: usize = 4;

/// Every reason to reject a password. It may not be similar to any of `names`, each of which comes with the name of its field.
///
/// This takes up to a tenth of a second, so it belongs into the work of a [`PasswordHasher`](super::PasswordHasher).
pub(crate) fn check_password(password: &SecretString, names: &[(&'static str, &str)]) -> Vec<Invalid> {
    let password = composed(password);
    let password = password.expose_secret();
    if password.len() > MAX_PASSWORD_BYTES {
        // The other checks would have to process all of it.
        return vec![Invalid::PasswordTooLong { max: MAX_PASSWORD_BYTES }];
    }
    let mut errors = Vec::new();
    if password.chars().count() < MIN_PASSWORD_CHARS {
        errors.push(Invalid::PasswordTooShort { min: MIN_PASSWORD_CHARS });
    }
    if password.chars().any(char::is_control) {
        errors.push(Invalid::ControlCharacter);
    }
    if !password.is_empty() && password.chars().all(char::is_numeric) {
        errors.push(Invalid::PasswordNumeric);
    }
    if is_common(password) {
        errors.push(Invalid::PasswordCommon);
    }
    let like = names.iter().find(|(_, name)| is_like(password, name));
    errors.extend(like.map(|(field, _)| Invalid::PasswordSimilar { field }));
    errors
}

/// Whether attackers would try the password early. Either it is guessed in few attempts, or all of it is one simple pattern,
/// regardless of case and look-alike characters: a dictionary word of zxcvbn, a row of keys, a sequence or a repetition.
fn is_common(password: &str) -> bool {
    use zxcvbn::matching::patterns::MatchPattern::{Date, Dictionary, Regex, Repeat, Sequence, Spatial};
    if password.is_empty() || password.chars().count() > COMMON_MAX_CHARS {
        return false;
    }
    let estimate = zxcvbn::zxcvbn(password, &[]);
    // How soon a date or a year is guessed depends on the present date, which a decision must not read.
    let is_dated = estimate.sequence().iter().any(|part| matches!(part.pattern, Date(_) | Regex(_)));
    (!is_dated && estimate.guesses() <= COMMON_GUESSES)
        || matches!(estimate.sequence(), [whole] if matches!(whole.pattern, Dictionary(_) | Repeat(_) | Sequence(_) | Spatial(_)))
}

/// Whether the password is too similar to the name or a part of it, ignoring case.
fn is_like(password: &str, name: &str) -> bool {
    let password = comparison_key(password);
    let name = comparison_key(name);
    let parts = name.split(|character: char| !character.is_alphanumeric());
    parts.chain([name.as_str()]).filter(|part| part.chars().count() >= MIN_PART_CHARS).any(|part| {
        // A password that is much longer cannot reach the ratio; comparing it would only cost time.
        password.chars().count() <= part.chars().count() * 3
            && similar::TextDiff::from_chars(password.as_str(), part).ratio() >= TOO_LIKE
    })
}
