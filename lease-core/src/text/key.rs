use icu_casemap::CaseMapper;
use unicode_normalization::UnicodeNormalization;

use super::is_ignorable;

/// The form in which names are compared: compatibility-normalised (NFKC), with full case folding, and without the characters that
/// Unicode ignores. `STRASSE` is `straße`, and `ΝΙΚΟΣ` is `νικος`. The key of a key is the key.
#[must_use]
pub fn comparison_key(text: &str) -> String {
    // ASCII text is its own normal form, and most text is ASCII.
    if text.is_ascii() {
        return text.trim().to_ascii_lowercase();
    }
    // What one round has composed or folded may fold once more.
    folded(&folded(text)).trim().to_owned()
}

fn folded(text: &str) -> String {
    let normal: String = text.nfkc().collect();
    CaseMapper::new().fold_string(&normal).chars().filter(|character| !is_ignorable(*character)).nfkc().collect()
}
