use secrecy::{ExposeSecret, SecretString};

use super::brand::brand_of;
use crate::input::Invalid;
use crate::model::{CardBrand, CardToken, ClientSecret};

/// A card as its holder enters it. It is sent to the provider only, never to a store or a log.
#[derive(Clone, Debug)]
pub struct CardDetails {
    /// The number.
    pub number: CardNumber,
    /// Month of expiry, 1 to 12.
    pub exp_month: u32,
    /// Year of expiry.
    pub exp_year: i32,
    /// The security code, if it was given.
    pub cvc: Option<SecretString>,
    /// The name on the card.
    pub holder_name: String,
}

/// The outcome of tokenising a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tokenization {
    /// The card can be charged by this token.
    Accepted(CardToken),
    /// The provider refused the card.
    Refused {
        /// The provider's code for the reason.
        failure_code: String,
    },
}

/// A card that can be charged, of which no number is known here: it was entered with the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenizedCard {
    /// The token by which the gateway charges the card.
    pub token: CardToken,
    /// The card's brand.
    pub brand: CardBrand,
    /// The last four digits of the number.
    pub last4: String,
    /// The month at the end of which it expires, 1 to 12.
    pub exp_month: u32,
    /// The year in which it expires.
    pub exp_year: i32,
    /// The name on the card, or empty.
    pub holder_name: String,
}

/// The outcome of looking for a card that was entered in a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnteredCard {
    /// The card can be charged.
    Accepted(TokenizedCard),
    /// The provider refused the card.
    Refused {
        /// The provider's code for the reason.
        failure_code: String,
    },
    /// This customer has entered no such card.
    Unknown,
}

/// What a browser needs to enter a card with the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardSetup {
    /// The secret with which it does so.
    pub client_secret: ClientSecret,
}

/// A card number that passed the Luhn check (ISO/IEC 7812-1) and has a length of its brand. `Debug` does not show it.
#[derive(Clone, Debug)]
pub struct CardNumber {
    digits: SecretString,
    brand: CardBrand,
}

impl CardNumber {
    /// Parses a number of 12 to 19 digits, not all of them zeros; spaces and dashes are allowed between them.
    ///
    /// # Errors
    /// [`Invalid::NotACardNumber`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let digits: String = text.trim().chars().filter(|character| !matches!(character, ' ' | '-')).collect();
        let is_plausible = (12..=19).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.bytes().any(|byte| byte != b'0')
            && is_luhn_valid(&digits);
        let brand = brand_of(&digits).filter(|_| is_plausible);
        let brand = brand.ok_or(Invalid::NotACardNumber)?;
        Ok(Self { digits: digits.into(), brand })
    }

    /// The last four digits.
    #[must_use]
    pub fn last4(&self) -> String {
        let digits = self.expose();
        digits.get(digits.len().saturating_sub(4)..).unwrap_or_default().to_owned()
    }

    /// The card's brand.
    #[must_use]
    pub const fn brand(&self) -> CardBrand {
        self.brand
    }

    /// The complete number, for the provider.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.digits.expose_secret()
    }
}

/// Whether the digits add up to a multiple of ten, if every second one from the right is doubled and its own digits are added.
fn is_luhn_valid(digits: &str) -> bool {
    let values = digits.bytes().rev().map(|digit| u32::from(digit - b'0'));
    let doubled = |value: u32| if value > 4 { value * 2 - 9 } else { value * 2 };
    let sum: u32 = values.enumerate().map(|(place, value)| if place % 2 == 1 { doubled(value) } else { value }).sum();
    sum.is_multiple_of(10)
}

/// Parses the security code of a card: four digits for American Express, three for other brands. If the brand is not known, it may
/// be either.
pub(crate) fn parse_cvc(text: &SecretString, brand: CardBrand) -> Result<SecretString, Invalid> {
    let digits = text.expose_secret().trim();
    let (min, max) = match brand {
        CardBrand::Amex => (4, 4),
        CardBrand::Unknown => (3, 4),
        _ => (3, 3),
    };
    if (min..=max).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(digits.into())
    } else {
        Err(Invalid::NotASecurityCode { min, max })
    }
}
