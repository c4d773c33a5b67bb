//! Exact money. The only place that adds, subtracts or counts digits; nothing ever rounds.

use std::fmt;
use std::str::FromStr;

use iso_currency::IntoEnumIterator as _;
use rust_decimal::Decimal;

/// The largest amount that is taken: below ten to the twelfth, in any currency.
pub const MAX_AMOUNT: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

/// A currency of ISO 4217 that has a minor unit (gold and test codes have none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The US dollar.
    pub const USD: Self = Self(iso_currency::Currency::USD);

    /// The currency of a three-letter code in capitals, such as `USD`.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] for any other text.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
            .ok_or(MoneyError::UnknownCurrency)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        iso_currency::Currency::iter().filter(|currency| currency.exponent().is_some()).map(Self)
    }

    /// The three-letter code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many digits follow the point: 2 for USD, 0 for JPY, 3 for KWD.
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

/// An amount of a currency: never negative, never more digits than the currency has, below 10¹².
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
    /// Nothing.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::new(0, currency.digits()), currency }
    }

    /// An amount as it was given.
    ///
    /// # Errors
    /// [`MoneyError`] where it is negative, too large or has more digits than the currency.
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
        // One value, one form: equal money is equal to the letter.
        amount.rescale(currency.digits());
        Ok(Self { amount, currency })
    }

    /// An amount written as plain digits with an optional point.
    ///
    /// # Errors
    /// As [`Money::new`], and [`MoneyError::NotANumber`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Self::new(parse_decimal(text)?, currency)
    }

    /// The amount, with exactly the currency's digits.
    #[must_use]
    pub const fn amount(self) -> Decimal {
        self.amount
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether it is nothing.
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
    /// [`MoneyError::CurrencyMismatch`], and [`MoneyError::Negative`] where `other` is more.
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

/// Passes an amount above zero.
///
/// # Errors
/// [`MoneyError::NotPositive`].
pub fn positive(amount: Decimal) -> Result<Decimal, MoneyError> {
    if amount > Decimal::ZERO { Ok(amount) } else { Err(MoneyError::NotPositive) }
}

/// Reads digits with an optional sign and point; no exponent, no grouping, no `NaN`.
///
/// # Errors
/// [`MoneyError::NotANumber`]; [`MoneyError::TooLarge`] where a number has more digits than a decimal holds.
pub fn parse_decimal(text: &str) -> Result<Decimal, MoneyError> {
    /// Digits behind the point that a decimal holds, and one to tell that there were more.
    const FINEST: usize = 29;
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !fraction.is_none_or(plain) {
        return Err(MoneyError::NotANumber);
    }
    // The library goes one call deeper with each zero in front.
    let whole = whole.trim_start_matches('0');
    let text = match fraction {
        Some(fraction) => format!("{sign}0{whole}.{}", fraction.get(..FINEST).unwrap_or(fraction)),
        None => format!("{sign}0{whole}"),
    };
    Decimal::from_str_exact(&text).or_else(|_| Decimal::from_str(&text)).map_err(|_| MoneyError::TooLarge)
}

/// Why an amount was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Not a plain decimal number.
    #[error("A valid amount is required, such as 199.99.")]
    NotANumber,
    /// Below zero.
    #[error("The amount may not be negative.")]
    Negative,
    /// Zero or below, where something must be paid.
    #[error("The amount must be above zero.")]
    NotPositive,
    /// Ten to the twelfth or more.
    #[error("The amount must be below 1000000000000.")]
    TooLarge,
    /// More digits behind the point than the currency has.
    #[error("The currency allows at most {digits} digits after the decimal point.")]
    TooManyDigits {
        /// The digits that the currency has.
        digits: u32,
    },
    /// Not a currency of ISO 4217.
    #[error("A three-letter ISO 4217 currency code in capitals is required, such as USD.")]
    UnknownCurrency,
    /// Two amounts of different currencies do not add up.
    #[error("The amounts are of different currencies.")]
    CurrencyMismatch,
}
