//! The meaning of the constraints of the schema for the core. No other module knows their names.

use lease_core::repository::Guarantee;

/// The meaning of a broken constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Another change was committed first.
    Guarantee(Guarantee),
    /// Something that the decision depended on has changed: a row that it refers to is gone, or a row that it deletes is referred
    /// to.
    Conflict,
}

/// The constraints that concurrent changes can break. All others are broken only by a fault in the code.
pub(crate) fn meaning(name: &str) -> Option<Broken> {
    use Guarantee::{
        AcceptedProposal, AgreedPeriods, ChargeKey, DefaultCard, ExternalId, InvoiceOfTrade, LiveTradeOfVehicle, LoginName,
        PendingProposal, RefundKey, VehicleIdentity,
    };
    let guarantee = match name {
        "login_names_pkey" => LoginName,
        "credit_cards_one_default" => DefaultCard,
        "vehicles_vin_key" | "vehicles_chassis_number_key" => VehicleIdentity,
        "users_external_id_key" | "customers_external_id_key" | "vehicles_external_id_key" | "trades_external_id_key" => {
            ExternalId
        }
        "trades_live_vehicle_key" => LiveTradeOfVehicle,
        "invoices_trade_id_key" => InvoiceOfTrade,
        "proposals_one_pending" => PendingProposal,
        "proposals_accepted_key" => AcceptedProposal,
        "trades_agreed_periods_excl" => AgreedPeriods,
        "payments_charge_key_key" => ChargeKey,
        "refunds_refund_key_key" => RefundKey,
        // A part of a change found no row to write, or the customer of a user was created twice at once.
        "change_is_whole" | "customers_user_id_key" => return Some(Broken::Conflict),
        // The version of the trade is locked, and with it everything that these refer to, so concurrent changes cannot break
        // them.
        "proposals_stage_fkey"
        | "proposals_trade_fkey"
        | "trades_accepted_proposal_fkey"
        | "trades_live_owner_fkey"
        | "invoices_is_owed_fkey"
        | "invoices_is_settled_fkey"
        | "invoices_proposal_fkey"
        | "payments_invoice_fkey"
        | "payments_credit_card_fkey"
        | "refunds_payment_fkey" => return None,
        name if name.ends_with("_fkey") => return Some(Broken::Conflict),
        _ => return None,
    };
    Some(Broken::Guarantee(guarantee))
}
