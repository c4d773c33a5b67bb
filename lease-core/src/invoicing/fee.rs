use std::fmt::Debug;

use chrono::{DateTime, Utc};

use crate::id::{CustomerId, Stored};
use crate::model::{Proposal, Service, Trade};
use crate::money::{Money, MoneyError};

/// Decides the company's fee at the moment of invoicing (rule 5.2): an app's own percentages, tiers or free days. Without one the fee
/// is the amount of the service, as [`ServiceFee`] says.
///
/// It is asked once for each invoice, within the decision that issues it, and the invoice keeps the amount whatever the policy says
/// later. A fee of zero means that there is no invoice, now or later (rule 4.8).
///
/// It must be pure: the same basis has the same fee, and it neither waits nor asks the time. The engine may ask again if another
/// commit came first, and then only the last fee counts.
///
/// ```
/// use lease_core::invoicing::{FeeBasis, FeePolicy};
/// use lease_core::money::{Money, MoneyError};
///
/// /// Three per cent of the price, and at least the amount of the service.
/// #[derive(Debug)]
/// struct Commission;
///
/// impl FeePolicy for Commission {
///     fn fee(&self, basis: &FeeBasis<'_>) -> Result<Money, MoneyError> {
///         let commission = basis.proposal.amount.percent(3.into())?;
///         let least = basis.service.fee;
///         Ok(if commission.amount() < least.amount() { least } else { commission })
///     }
/// }
/// ```
pub trait FeePolicy: Debug + Send + Sync + 'static {
    /// The fee, in the currency of the service.
    ///
    /// # Errors
    /// Whatever stood in the way of calculating it. The act that would have issued the invoice is then refused as
    /// [`Error::Internal`](crate::Error::Internal) with a [`FeeError`], and so it is if the fee is in another currency or has more
    /// digits than the currency. Nothing is changed by it.
    fn fee(&self, basis: &FeeBasis<'_>) -> Result<Money, MoneyError>;
}

/// What a fee is decided by: everything as it is at the moment of invoicing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeeBasis<'a> {
    /// The trade, with what it offers; not agreed yet.
    pub trade: &'a Stored<Trade>,
    /// Its service. All amounts are in the currency of [`Service::fee`].
    pub service: &'a Stored<Service>,
    /// The proposal on which the invoice is issued: the one that is accepted or, under
    /// [`FirstProposal`](crate::model::InvoiceOn::FirstProposal), the owner's first, which is only being made. Nobody has agreed to that
    /// price yet, and the price that is agreed in the end may be another.
    pub proposal: &'a Proposal,
    /// Who is billed.
    pub customer_id: CustomerId,
    /// The moment of invoicing, in UTC.
    pub issued_at: DateTime<Utc>,
}

/// The default: the fee is the amount of the service.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServiceFee;

impl FeePolicy for ServiceFee {
    fn fee(&self, basis: &FeeBasis<'_>) -> Result<Money, MoneyError> {
        Ok(basis.service.fee)
    }
}

/// The [`FeePolicy`] came to no fee, or to one that no invoice can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fee policy came to no valid fee")]
pub struct FeeError(#[from] pub MoneyError);

/// The fee for an invoice under this service.
pub(super) fn fee(policy: &dyn FeePolicy, basis: &FeeBasis<'_>) -> Result<Money, FeeError> {
    let fee = policy.fee(basis)?;
    let of_service = basis.service.fee;
    // What is stored is not judged again: a currency may have had more digits once.
    if fee == of_service {
        return Ok(fee);
    }
    if fee.currency() != of_service.currency() {
        return Err(MoneyError::CurrencyMismatch.into());
    }
    Ok(Money::new(fee.amount(), fee.currency())?)
}
