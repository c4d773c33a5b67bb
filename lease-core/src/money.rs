//! Exact amounts of money. Only this module adds, subtracts or counts digits, and it never rounds.

use std::fmt;
use std::str::FromStr;

use iso_currency::IntoEnumIterator as _;
use rust_decimal::Decimal;

/// Amounts are below ten to the twelfth, in any currency.
pub const MAX_AMOUNT: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

/// A currency of ISO 4217 with a defined minor unit (codes for gold and for testing have none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The US dollar.
    pub const USD: Self = Self(iso_currency::Currency::USD);

    /// Parses a three-letter code in capitals, such as `USD`.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] for any other text.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
            .ok_or(MoneyError::UnknownCurrency)
    }

    /// All currencies.
    pub fn all() -> impl Iterator<Item = Self> {
        iso_currency::Currency::iter().filter(|currency| currency.exponent().is_some()).map(Self)
    }

    /// The three-letter code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// The number of digits after the decimal point: 2 for USD, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn digits(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in a currency: never negative, with no more digits than the currency has, and below 10¹².
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
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// An amount of zero.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::new(0, currency.digits()), currency }
    }

    /// An amount in this currency, never rounded.
    ///
    /// # Errors
    /// [`MoneyError`] if it is negative, too large or has more digits than the currency.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        if amount.scale() > currency.digits() {
            return Err(MoneyError::TooManyDigits { digits: currency.digits() });
        }
        if amount.is_sign_negative() && !amount.is_zero() {
            return Err(MoneyError::Negative);
        }
        if amount >= MAX_AMOUNT {
            return Err(MoneyError::TooLarge);
        }
        let mut amount = amount.abs();
        // Each amount has a single form, so that equal amounts have equal digits.
        amount.rescale(currency.digits());
        Ok(Self { amount, currency })
    }

    /// Parses an amount written as plain digits with an optional decimal point.
    ///
    /// # Errors
    /// As [`Money::new`], and [`MoneyError::NotANumber`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Self::new(parse_decimal(text)?, currency)
    }

    /// The amount, with exactly as many digits as the currency has.
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
        Self::new(sum, self.currency)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], and [`MoneyError::Negative`] if `other` is larger.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let rest = self.amount.checked_sub(other.amount).ok_or(MoneyError::TooLarge)?;
        Self::new(rest, self.currency)
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

/// Parses digits with an optional sign and decimal point; no exponent, no grouping, no `NaN`.
///
/// # Errors
/// [`MoneyError::NotANumber`]; [`MoneyError::TooLarge`] if a number has more digits than a `Decimal` can store.
pub fn parse_decimal(text: &str) -> Result<Decimal, MoneyError> {
    /// The number of digits after the point that a `Decimal` can store, and one more to detect that there were more.
    const FINEST: usize = 29;
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !fraction.is_none_or(plain) {
        return Err(MoneyError::NotANumber);
    }
    // The library's parser recurses once for each leading zero.
    let whole = whole.trim_start_matches('0');
    let text = match fraction {
        Some(fraction) => format!("{sign}0{whole}.{}", fraction.get(..FINEST).unwrap_or(fraction)),
        None => format!("{sign}0{whole}"),
    };
    Decimal::from_str_exact(&text).or_else(|_| Decimal::from_str(&text)).map_err(|_| MoneyError::TooLarge)
}

/// The reason why an amount is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// More digits after the decimal point than the currency has.
    #[error("The currency allows at most {digits} digits after the decimal point.")]
    TooManyDigits {
        /// The number of digits that the currency has.
        digits: u32,
    },
    /// Not a currency of ISO 4217.
    #[error("A three-letter ISO 4217 currency code in capitals is required, such as USD.")]
    UnknownCurrency,
    /// Amounts in different currencies cannot be added or subtracted.
    #[error("The amounts are in different currencies.")]
    CurrencyMismatch,
}
