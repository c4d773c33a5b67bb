//! Exact amounts of money. Only this module adds, subtracts or counts digits, and nothing is rounded but a [percentage](Money::percent).

use std::fmt;
use std::str::FromStr;

use iso_currency::IntoEnumIterator as _;
use rust_decimal::{Decimal, RoundingStrategy};

/// Amounts are below ten to the twelfth, in any currency.
pub const MAX_AMOUNT: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);
/// The most digits after the decimal point that a currency has.
const MAX_DIGITS: u32 = 4;

/// A currency of ISO 4217 with a minor unit (codes for gold and for testing have none), or the code of another that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency(Code);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Code {
    Iso(iso_currency::Currency),
    /// Three capitals.
    Other([u8; 3]),
}

/// The least digits of an amount whose currency is not known.
const USUAL_DIGITS: u32 = 2;

impl Currency {
    /// The US dollar.
    pub const USD: Self = Self(Code::Iso(iso_currency::Currency::USD));

    /// Parses a three-letter code in capitals, such as `USD`, for something new.
    ///
    /// # Errors
    /// [`MoneyError::WithdrawnCurrency`]; [`MoneyError::UnknownCurrency`] for any other text.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let iso = iso(code).ok_or(MoneyError::UnknownCurrency)?;
        if is_withdrawn(iso) { Err(MoneyError::WithdrawnCurrency) } else { Ok(Self(Code::Iso(iso))) }
    }

    /// The currency that is stored under a code of three capitals, whether or not ISO 4217 has it today; `None` for any other
    /// text.
    #[must_use]
    pub fn from_stored(code: &str) -> Option<Self> {
        let other = || code.as_bytes().try_into().ok().filter(|code: &[u8; 3]| code.iter().all(u8::is_ascii_uppercase));
        iso(code).map(Code::Iso).or_else(|| other().map(Code::Other)).map(Self)
    }

    /// All currencies that can be chosen.
    pub fn all() -> impl Iterator<Item = Self> {
        let chosen = |one: &iso_currency::Currency| one.exponent().is_some() && !is_withdrawn(*one);
        iso_currency::Currency::iter().filter(chosen).map(|iso| Self(Code::Iso(iso)))
    }

    /// The three-letter code.
    #[must_use]
    pub fn code(&self) -> &str {
        match &self.0 {
            Code::Iso(iso) => iso.code(),
            // All bytes are ASCII.
            Code::Other(code) => str::from_utf8(code).unwrap_or_default(),
        }
    }

    /// The number of digits after the decimal point: 2 for USD, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn digits(self) -> u32 {
        match self.0 {
            Code::Iso(iso) => iso.exponent().map_or(USUAL_DIGITS, u32::from),
            Code::Other(_) => USUAL_DIGITS,
        }
    }
}

fn iso(code: &str) -> Option<iso_currency::Currency> {
    iso_currency::Currency::from_code(code).filter(|currency| currency.exponent().is_some())
}

/// Whether ISO 4217 has withdrawn the currency. The library calls the bolívar superseded by its digital form; ISO lists both.
fn is_withdrawn(currency: iso_currency::Currency) -> bool {
    currency.is_superseded().is_some() && currency != iso_currency::Currency::VES
}

/// As [`Currency::parse`].
impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        Self::parse(code)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// As [`Currency::from_stored`]: what was written can be read, also if the currency has been withdrawn since.
#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_stored(&code).ok_or_else(|| serde::de::Error::custom(MoneyError::UnknownCurrency))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in a currency: never negative, and below 10¹². One that is not read from a store has no more digits than its currency.
///
/// ```
/// use lease_core::money::{Currency, Money};
///
/// let fee = Money::parse("199.99", Currency::USD)?;
/// assert_eq!(fee.to_string(), "199.99 USD");
/// assert!(Money::parse("199.999", Currency::USD).is_err());
/// # Ok::<(), lease_core::money::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "Written", into = "Written"))]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

/// An amount in JSON. The number is a text here, whatever form `Decimal` has by the features that an app chooses.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Written {
    amount: String,
    currency: Currency,
}

#[cfg(feature = "serde")]
impl From<Money> for Written {
    fn from(Money { amount, currency }: Money) -> Self {
        Self { amount: amount.to_string(), currency }
    }
}

/// One in a currency that can no longer be chosen may have more digits than it, as where it is stored.
#[cfg(feature = "serde")]
impl TryFrom<Written> for Money {
    type Error = MoneyError;

    fn try_from(Written { amount, currency }: Written) -> Result<Self, MoneyError> {
        let amount = check_amount(parse_decimal(&amount)?)?;
        if Currency::parse(currency.code()).is_ok() { Self::new(amount, currency) } else { Self::from_stored(amount, currency) }
    }
}

/// Reads `199.99 USD`, as `Display` writes it, in a currency that can be chosen.
impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (amount, code) = text.split_once(' ').ok_or(MoneyError::NotANumber)?;
        Self::parse(amount, code.parse()?)
    }
}

impl Money {
    /// An amount of zero.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::new(0, currency.digits()), currency }
    }

    /// An amount in this currency, never rounded. Zeros at its end do not count.
    ///
    /// # Errors
    /// [`MoneyError`] if it is negative, too large or has more digits than the currency.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let digits = currency.digits();
        if amount.normalize().scale() > digits {
            Err(MoneyError::TooManyDigits { digits })
        } else {
            Self::from_stored(amount, currency)
        }
    }

    /// An amount that is stored, or the sum or the difference of two: with at least the digits of its currency.
    ///
    /// # Errors
    /// [`MoneyError::Negative`], [`MoneyError::TooLarge`].
    pub fn from_stored(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let mut amount = amount.normalize();
        if amount.is_sign_negative() && !amount.is_zero() {
            return Err(MoneyError::Negative);
        }
        if amount >= MAX_AMOUNT {
            return Err(MoneyError::TooLarge);
        }
        // Each amount has a single form, so that equal amounts have equal digits.
        amount.rescale(amount.scale().max(currency.digits()));
        Ok(Self { amount: amount.abs(), currency })
    }

    /// Parses an amount written as plain digits with an optional decimal point.
    ///
    /// # Errors
    /// As [`Money::new`], and [`MoneyError::NotANumber`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Self::new(parse_decimal(text)?, currency)
    }

    /// The amount, with as many digits as its currency has; with more only if they are stored.
    #[must_use]
    pub const fn amount(self) -> Decimal {
        self.amount
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether the amount is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.amount.is_zero()
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::TooLarge`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let sum = self.amount.checked_add(other.amount).ok_or(MoneyError::TooLarge)?;
        Self::from_stored(sum, self.currency)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], and [`MoneyError::Negative`] if `other` is larger.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let rest = self.amount.checked_sub(other.amount).ok_or(MoneyError::TooLarge)?;
        Self::from_stored(rest, self.currency)
    }

    /// This many per cent of it, rounded to the digits of its currency: half a unit of the last digit becomes a whole one.
    ///
    /// ```
    /// # use lease_core::money::{Currency, Money};
    /// let price = Money::parse("19.90", Currency::USD)?;
    /// assert_eq!(price.percent(5.into())?.to_string(), "1.00 USD");
    /// # Ok::<(), lease_core::money::MoneyError>(())
    /// ```
    ///
    /// # Errors
    /// [`MoneyError::Negative`], [`MoneyError::TooLarge`].
    pub fn percent(self, percent: Decimal) -> Result<Self, MoneyError> {
        let part = self.amount.checked_mul(percent).and_then(|hundredfold| hundredfold.checked_div(Decimal::ONE_HUNDRED));
        let part = part.ok_or(MoneyError::TooLarge)?;
        Self::new(part.round_dp_with_strategy(self.currency.digits(), RoundingStrategy::MidpointAwayFromZero), self.currency)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency { Ok(()) } else { Err(MoneyError::CurrencyMismatch) }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Returns the amount, if it is above zero.
///
/// # Errors
/// [`MoneyError::NotPositive`].
pub fn positive(amount: Decimal) -> Result<Decimal, MoneyError> {
    if amount > Decimal::ZERO { Ok(amount) } else { Err(MoneyError::NotPositive) }
}

/// Parses digits with an optional sign and decimal point; no exponent, no grouping, no `NaN`. Zeros at the end of the fraction are
/// dropped.
///
/// # Errors
/// [`MoneyError::NotANumber`]; [`MoneyError::TooLarge`] or [`MoneyError::TooFine`] if a `Decimal` cannot store all of it.
pub fn parse_decimal(text: &str) -> Result<Decimal, MoneyError> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !fraction.is_none_or(plain) {
        return Err(MoneyError::NotANumber);
    }
    // The library's parser recurses once for each leading zero.
    let whole = format!("{sign}0{}", whole.trim_start_matches('0'));
    let number = Decimal::from_str_exact(&whole).map_err(|_| MoneyError::TooLarge)?;
    match fraction.unwrap_or_default().trim_end_matches('0') {
        "" => Ok(number),
        fraction => Decimal::from_str_exact(&format!("{whole}.{fraction}")).map_err(|_| MoneyError::TooFine),
    }
}

/// Succeeds for an amount in some currency.
///
/// # Errors
/// [`MoneyError::Negative`], [`MoneyError::TooLarge`]; [`MoneyError::TooFine`] if it has more digits than any currency.
pub fn check_amount(amount: Decimal) -> Result<Decimal, MoneyError> {
    match amount {
        _ if amount < Decimal::ZERO => Err(MoneyError::Negative),
        _ if amount >= MAX_AMOUNT => Err(MoneyError::TooLarge),
        _ if amount.scale() > MAX_DIGITS => Err(MoneyError::TooFine),
        _ => Ok(amount),
    }
}

/// The reason why an amount is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr, strum::VariantNames, serde::Serialize)]
#[strum(serialize_all = "snake_case")]
#[serde(tag = "code", content = "params", rename_all = "snake_case")]
#[non_exhaustive]
pub enum MoneyError {
    /// It is not a plain decimal number.
    #[error("A valid amount is required, such as 199.99.")]
    NotANumber,
    /// Below zero.
    #[error("The amount may not be negative.")]
    Negative,
    /// Zero or below, where the amount must be positive.
    #[error("The amount must be above zero.")]
    NotPositive,
    /// Ten to the twelfth or more.
    #[error("The amount must be below {MAX_AMOUNT}.")]
    TooLarge,
    /// More digits than can be stored exactly.
    #[error("The amount has too many digits after the decimal point.")]
    TooFine,
    /// More digits after the decimal point than the currency has.
    #[error("The currency allows at most {digits} digits after the decimal point.")]
    TooManyDigits {
        /// The number of digits that the currency has.
        digits: u32,
    },
    /// Not a currency of ISO 4217.
    #[error("A three-letter ISO 4217 currency code in capitals is required, such as USD.")]
    UnknownCurrency,
    /// ISO 4217 has withdrawn the currency.
    #[error("This currency has been withdrawn.")]
    WithdrawnCurrency,
    /// Amounts in different currencies cannot be added or subtracted.
    #[error("The amounts are in different currencies.")]
    CurrencyMismatch,
}
