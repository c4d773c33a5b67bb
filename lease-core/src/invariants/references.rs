use std::fmt::Display;

use crate::id::{Entity, Stored};
use crate::invariants::Books;
use crate::invariants::read::find;

impl Books {
    /// I7: rows that others refer to but that do not exist. The other invariants are about rows that exist.
    pub(super) fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for trade in &self.trades {
            there(&mut missing, &self.vehicles, trade.vehicle_id, &format_args!("vehicle of trade {}", trade.id));
            there(&mut missing, &self.services, trade.service_id, &format_args!("service of trade {}", trade.id));
        }
        for proposal in &self.proposals {
            there(&mut missing, &self.trades, proposal.trade_id, &format_args!("trade of proposal {}", proposal.id));
        }
        for invoice in &self.invoices {
            there(&mut missing, &self.trades, invoice.trade_id, &format_args!("trade of invoice {}", invoice.id));
        }
        for payment in &self.payments {
            there(&mut missing, &self.invoices, payment.invoice_id, &format_args!("invoice of payment {}", payment.id));
            there(&mut missing, &self.cards, payment.credit_card_id, &format_args!("card of payment {}", payment.id));
        }
        for refund in &self.refunds {
            there(&mut missing, &self.payments, refund.payment_id, &format_args!("payment of refund {}", refund.id));
        }
        missing
    }
}

fn there<T: Entity>(missing: &mut Vec<String>, rows: &[Stored<T>], id: T::Id, what: &dyn Display) {
    if find(rows, id).is_none() {
        missing.push(format!("I7: the {what}, {id}, does not exist"));
    }
}
