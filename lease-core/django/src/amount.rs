//! Amounts, which Django keeps as floats. Only here is anything ever rounded: what comes out is exact.

use lease_core::money::{Currency, Money};
use rust_decimal::{Decimal, RoundingStrategy};

/// An amount with the digits of its currency, and by how much that differs from the one in Django.
#[derive(Clone, Copy)]
pub(crate) struct Rounding {
    pub(crate) money: Money,
    pub(crate) difference: Decimal,
}

/// The amount, if it is one: not negative, and not too large.
pub(crate) fn amount(number: Option<Decimal>, currency: Currency) -> Option<Rounding> {
    let number = number?;
    let rounded = number.round_dp_with_strategy(currency.digits(), RoundingStrategy::MidpointAwayFromZero);
    let money = Money::new(rounded, currency).ok()?;
    Some(Rounding { money, difference: (rounded - number).abs() })
}

/// As [`amount`], and above zero.
pub(crate) fn positive(number: Option<Decimal>, currency: Currency) -> Option<Rounding> {
    amount(number, currency).filter(|rounding| !rounding.money.is_zero())
}
