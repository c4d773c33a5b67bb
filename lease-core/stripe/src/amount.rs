//! Amounts as Stripe counts them: whole numbers of a currency's smallest unit. <https://docs.stripe.com/currencies>

use lease_core::money::Money;
use rust_decimal::Decimal;

/// Currencies that Stripe counts in whole units. It does so with the ariary, whose fifth parts ISO 4217 knows.
const WHOLE: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// Currencies that Stripe counts in hundredths, of which there must be whole hundreds: they had hundredths once.
const WHOLE_IN_HUNDREDTHS: [&str; 2] = ["ISK", "UGX"];
/// Currencies that Stripe counts in thousandths, of which there must be whole tens.
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// How many of Stripe's units an amount is; `None` if Stripe cannot take exactly this amount.
pub(crate) fn units(amount: Money) -> Option<u64> {
    let currency = amount.currency();
    let (units_of_one, multiple_of) = if WHOLE.contains(&currency.code()) {
        (1, 1)
    } else if WHOLE_IN_HUNDREDTHS.contains(&currency.code()) {
        (100, 100)
    } else if THOUSANDTHS.contains(&currency.code()) {
        (1000, 10)
    } else {
        (100, 1)
    };
    let units = amount.amount().checked_mul(Decimal::from(units_of_one))?;
    let is_exact = (units % Decimal::from(multiple_of)).is_zero();
    u64::try_from(units).ok().filter(|_| is_exact)
}

/// The code of an amount's currency as Stripe writes it.
pub(crate) fn currency(amount: Money) -> String {
    amount.currency().code().to_ascii_lowercase()
}
