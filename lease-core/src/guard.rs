//! Rules of an app's own: a [`Guard`] refuses what the engine's rules allow.

use std::fmt::Debug;

use chrono::{DateTime, Utc};

use crate::error::OwnRefusal;
use crate::id::Stored;
use crate::lifecycle::{AvailableAction, OpeningSnapshot, TradeSnapshot};
use crate::model::{Invoice, Payment, Proposal, Service, Trade, Vehicle};
use crate::permission::Actor;

/// May refuse an act for a reason of the app's own (rule 4.15). It can only refuse: it is asked last, after every rule of the engine
/// has allowed the act.
///
/// It is asked within the decision, about everything as it was loaded. If the trade or the vehicle has changed before the commit,
/// nothing is written, and the engine loads and asks again.
///
/// It must be pure: it neither waits nor asks the time, and does nothing but answer, since the engine asks as often as it needs to,
/// also for the `available_actions`. What else it has to know, the app keeps in memory; nothing holds that still until the commit.
///
/// ```
/// use chrono::{DateTime, Datelike, Utc, Weekday};
/// use lease_core::guard::{Guard, GuardedAct};
/// use lease_core::permission::Actor;
/// use lease_core::{OwnRefusal, RefusalCode};
///
/// const CLOSED: RefusalCode = RefusalCode::new("closed_on_sundays").unwrap();
///
/// /// Nobody comes to terms on a Sunday.
/// #[derive(Debug)]
/// struct Sundays;
///
/// impl Guard for Sundays {
///     fn check(&self, _: &Actor, act: &GuardedAct<'_>, now: DateTime<Utc>) -> Result<(), OwnRefusal> {
///         match act {
///             GuardedAct::Accept { .. } if now.weekday() == Weekday::Sun => {
///                 Err(OwnRefusal::new(CLOSED, "Nothing is agreed on Sundays."))
///             }
///             _ => Ok(()),
///         }
///     }
/// }
/// ```
pub trait Guard: Debug + Send + Sync + 'static {
    /// Whether the actor may do this now.
    ///
    /// # Errors
    /// [`OwnRefusal`], which whoever asked gets as [`Error::RefusedByGuard`](crate::Error::RefusedByGuard), over HTTP as a 409 with its
    /// code. Nothing is changed by it.
    fn check(&self, actor: &Actor, act: &GuardedAct<'_>, now: DateTime<Utc>) -> Result<(), OwnRefusal>;
}

/// An act that a [`Guard`] is asked about, with what it is about as it was loaded.
///
/// Where it is asked only whether the actor could act at all, for the `available_actions`, it is not known yet what would be proposed
/// or paid.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum GuardedAct<'a> {
    /// A vehicle is offered under a service (rule 4.1).
    Open {
        /// The trade that would be opened.
        trade: &'a Trade,
        /// The vehicle.
        vehicle: &'a Stored<Vehicle>,
        /// The service.
        service: &'a Stored<Service>,
    },
    /// A proposal or a counter-proposal is made (rules 4.2, 4.3).
    Propose {
        /// The trade, with what it offers.
        trade: &'a Stored<Trade>,
        /// Its service.
        service: &'a Stored<Service>,
        /// What would be proposed, if it is known.
        proposal: Option<&'a Proposal>,
    },
    /// A proposal is accepted (rule 4.4).
    Accept {
        /// The trade, with what it offers; not agreed yet.
        trade: &'a Stored<Trade>,
        /// Its service.
        service: &'a Stored<Service>,
        /// The proposal.
        proposal: &'a Stored<Proposal>,
    },
    /// An invoice, or a part of it, is paid (rule 5.4). No card has been charged yet.
    Pay {
        /// The trade, with what it offers.
        trade: &'a Stored<Trade>,
        /// Its service.
        service: &'a Stored<Service>,
        /// The invoice, without the payment.
        invoice: &'a Stored<Invoice>,
        /// The payment that would be begun, if it is known.
        payment: Option<&'a Payment>,
    },
}

impl<'a> GuardedAct<'a> {
    /// To open this trade with the snapshot's vehicle, if it has one, under its service.
    pub(crate) fn open(snapshot: &'a OpeningSnapshot, trade: &'a Trade) -> Option<Self> {
        let OpeningSnapshot { vehicle, service } = snapshot;
        Some(Self::Open { trade, vehicle: &vehicle.as_ref()?.vehicle, service: service.as_ref()? })
    }

    pub(crate) fn propose(snapshot: &'a TradeSnapshot, proposal: Option<&'a Proposal>) -> Self {
        Self::Propose { trade: &snapshot.trade, service: &snapshot.service, proposal }
    }

    /// To accept the snapshot's proposal, if it has one.
    pub(crate) fn accept(snapshot: &'a TradeSnapshot) -> Option<Self> {
        let TradeSnapshot { trade, service, proposal, .. } = snapshot;
        Some(Self::Accept { trade, service, proposal: &proposal.as_ref()?.proposal })
    }

    /// To pay the snapshot's invoice, if it has one.
    pub(crate) fn pay(snapshot: &'a TradeSnapshot, payment: Option<&'a Payment>) -> Option<Self> {
        let TradeSnapshot { trade, service, invoice, .. } = snapshot;
        Some(Self::Pay { trade, service, invoice: invoice.as_ref()?, payment })
    }

    /// To take this action; `None` if no guard is asked about it.
    pub(crate) fn behind(action: AvailableAction, snapshot: &'a TradeSnapshot) -> Option<Self> {
        match action {
            AvailableAction::Propose => Some(Self::propose(snapshot, None)),
            AvailableAction::Accept => Self::accept(snapshot),
            AvailableAction::Pay => Self::pay(snapshot, None),
            AvailableAction::Reject
            | AvailableAction::Withdraw
            | AvailableAction::Cancel
            | AvailableAction::End
            | AvailableAction::Refund
            | AvailableAction::Void
            | AvailableAction::WriteOff
            | AvailableAction::MoveDueDate => None,
        }
    }
}
