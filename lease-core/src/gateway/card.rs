use card_validate::{Type, Validate};
use secrecy::{ExposeSecret, SecretString};

use crate::model::CardBrand;

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

/// A card number that passed the Luhn check (ISO/IEC 7812-1). `Debug` does not show it.
#[derive(Clone, Debug)]
pub struct CardNumber(SecretString);

impl CardNumber {
    /// Parses a number of 12 to 19 digits; spaces and dashes are allowed between them.
    ///
    /// # Errors
    /// A sentence that does not contain the number.
    pub fn parse(text: &str) -> Result<Self, String> {
        const INVALID: &str = "A valid card number is required.";
        let digits: String = text.trim().chars().filter(|character| !matches!(character, ' ' | '-')).collect();
        let plausible = (12..=19).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if plausible && Validate::is_luhn_valid(&digits) { Ok(Self(digits.into())) } else { Err(INVALID.to_owned()) }
    }

    /// The last four digits.
    #[must_use]
    pub fn last4(&self) -> String {
        let digits = self.expose();
        digits.get(digits.len().saturating_sub(4)..).unwrap_or_default().to_owned()
    }

    /// The card's brand.
    #[must_use]
    pub fn brand(&self) -> CardBrand {
        match Validate::evaluate_type(self.expose()) {
            Ok(Type::Visa | Type::VisaElectron) => CardBrand::Visa,
            Ok(Type::MasterCard) => CardBrand::Mastercard,
            Ok(Type::Amex) => CardBrand::Amex,
            Ok(Type::DinersClub) => CardBrand::Diners,
            Ok(Type::Discover) => CardBrand::Discover,
            Ok(Type::JCB) => CardBrand::Jcb,
            Ok(Type::UnionPay) => CardBrand::Unionpay,
            Ok(Type::Maestro) => CardBrand::Maestro,
            Ok(Type::MIR) => CardBrand::Mir,
            Ok(_) | Err(_) => CardBrand::Unknown,
        }
    }

    /// The complete number, for the provider.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Parses a security code of three or four digits.
pub(crate) fn parse_cvc(text: &SecretString) -> Result<SecretString, String> {
    let digits = text.expose_secret().trim();
    if matches!(digits.len(), 3 | 4) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(digits.into())
    } else {
        Err("A security code of three or four digits is required.".to_owned())
    }
}
