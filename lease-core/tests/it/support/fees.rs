use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use lease_core::invoicing::{FeeBasis, FeePolicy, ServiceFee};
use lease_core::money::{Currency, Money, MoneyError};
use rust_decimal::Decimal;

use super::usd;

/// What decides the fees of a test.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fees {
    /// The amount of the service.
    OfService,
    /// Another fee for each trade, price, party and instant; now and then none, and now and then one that no invoice can have.
    Whim(u64),
}

impl FeePolicy for Fees {
    fn fee(&self, basis: &FeeBasis<'_>) -> Result<Money, MoneyError> {
        let Self::Whim(seed) = self else { return ServiceFee.fee(basis) };
        let mut whim = DefaultHasher::new();
        (seed, basis.trade.id, basis.proposal.amount, basis.customer_id, basis.issued_at).hash(&mut whim);
        let whim = whim.finish();
        match whim % 16 {
            0..=3 => Ok(usd("0")),
            4 => Ok(Money::zero(Currency::parse("EUR").unwrap())),
            5 => Money::from_stored(Decimal::new(1, 3), Currency::USD),
            6 => Err(MoneyError::TooLarge),
            _ => Money::new(Decimal::new((1 + whim / 16 % 20_000).try_into().unwrap(), 2), Currency::USD),
        }
    }
}
