//! Lists with filters, page by page.

use std::fmt::Debug;

use lease_core::LeaseEngine;
use lease_core::model::{InvoiceStatus, LeadStatus, PaymentStatus, ProposalStatus, RefundStatus, ServiceKind, TradeStatus, Vin};
use lease_core::page::{Page, PageRequest};
use lease_core::permission::Actor;
use lease_core::repository::{
    CardFilter, ContactFilter, CustomerFilter, InvoiceFilter, LeadFilter, PaymentFilter, ProposalFilter, RefundFilter,
    ServiceFilter, TradeFilter, UserFilter, VehicleFilter,
};
use lease_core::text::{Search, comparison_key};
use strum::VariantArray;

use super::backend::{Answer, say};
use super::step::{Conditions, Table};
use crate::engine::id;

/// The maximum number of pages.
const PAGES: usize = 4;

/// Reads one page after another, and then the page before the last.
macro_rules! walk {
    ($engine:ident.$list:ident($actor:ident, $filter:expr, $limit:ident)) => {{
        let mut responses = Vec::new();
        let mut cursor = None;
        for page in 0..PAGES {
            let request = PageRequest::new($limit, cursor).unwrap();
            let response = $engine.$list($actor, $filter, request).await;
            let found = response.as_ref().ok().map(cursors);
            responses.push(say(response)?);
            cursor = match found {
                Some((_, previous)) if page + 2 == PAGES => previous,
                Some((next, _)) => next,
                None => None,
            };
            if cursor.is_none() {
                break;
            }
        }
        Ok(responses.join("\n"))
    }};
}

pub(super) async fn list(engine: &LeaseEngine, actor: &Actor, table: Table, by: &Conditions, limit: u8) -> Answer {
    let Conditions { first, second, third, choice, flag, years, word } = by;
    let search = word.map(Search::new);
    let (year_min, year_max) = *years;
    let key = |at: usize| word.filter(|_| *choice == Some(at)).map(comparison_key);
    match table {
        Table::User => {
            let filter = UserFilter { is_active: *flag, role: chosen(*choice), search, ..UserFilter::default() };
            let filter = UserFilter { is_staff: first.map(|number| number % 2 == 0), ..filter };
            walk!(engine.list_users(actor, filter.clone(), limit))
        }
        Table::Customer => {
            let filter = CustomerFilter { user_id: first.map(id), ..CustomerFilter::default() };
            walk!(engine.list_customers(actor, filter.clone(), limit))
        }
        Table::Card => {
            let filter = CardFilter { customer_id: first.map(id), ..CardFilter::default() };
            walk!(engine.list_cards(actor, filter.clone(), limit))
        }
        Table::Contact => {
            let filter = ContactFilter { customer_id: first.map(id), lead_id: second.map(id), ..ContactFilter::default() };
            walk!(engine.list_contacts(actor, filter.clone(), limit))
        }
        Table::Lead => {
            let filter = LeadFilter { status: chosen::<LeadStatus>(*choice), customer_id: first.map(id), search };
            walk!(engine.list_leads(actor, filter.clone(), limit))
        }
        Table::Vehicle => {
            let vin = third.map(|number| Vin::parse(&format!("1HGCM82633A{number:06}")).unwrap());
            let filter = VehicleFilter {
                visible_to: None,
                customer_id: first.map(id),
                make: key(0),
                model: key(1),
                year_min,
                year_max,
                vin,
                chassis_number: None,
                external_id: None,
                search,
            };
            walk!(engine.list_vehicles(actor, filter.clone(), limit))
        }
        Table::Service => {
            let filter = ServiceFilter { is_active: *flag, kind: chosen::<ServiceKind>(*choice) };
            walk!(engine.list_services(actor, filter.clone(), limit))
        }
        Table::Trade => {
            let filter = TradeFilter {
                visible_to: None,
                status: chosen::<TradeStatus>(*choice),
                service_id: first.map(id),
                vehicle_id: second.map(id),
                customer_id: third.map(id),
                counterparty_id: first.filter(|_| *flag == Some(true)).map(id),
                kind: flag.map(|is_lease| if is_lease { ServiceKind::Lease } else { ServiceKind::Sell }),
                make: key(5),
                model: key(6),
                year_min,
                year_max,
                search,
                ..TradeFilter::default()
            };
            walk!(engine.list_trades(actor, filter.clone(), limit))
        }
        Table::Proposal => {
            let filter = ProposalFilter {
                visible_to: None,
                trade_id: first.map(id),
                customer_id: second.map(id),
                status: chosen::<ProposalStatus>(*choice),
            };
            walk!(engine.list_proposals(actor, filter.clone(), limit))
        }
        Table::Invoice => {
            let filter = InvoiceFilter {
                visible_to: None,
                status: chosen::<InvoiceStatus>(*choice),
                overdue: *flag,
                trade_id: first.map(id),
                customer_id: second.map(id),
            };
            walk!(engine.list_invoices(actor, filter.clone(), limit))
        }
        Table::Payment => {
            let filter = payments(by);
            walk!(engine.list_payments(actor, filter.clone(), limit))
        }
        Table::Refund => {
            let filter = refunds(by);
            walk!(engine.list_refunds(actor, filter.clone(), limit))
        }
    }
}

fn payments(by: &Conditions) -> PaymentFilter {
    PaymentFilter {
        visible_to: None,
        invoice_id: by.first.map(id),
        status: chosen::<PaymentStatus>(by.choice),
        customer_id: by.second.map(id),
        credit_card_id: by.third.map(id),
    }
}

fn refunds(by: &Conditions) -> RefundFilter {
    RefundFilter {
        visible_to: None,
        payment_id: by.first.map(id),
        invoice_id: by.second.map(id),
        customer_id: by.third.map(id),
        status: chosen::<RefundStatus>(by.choice),
    }
}

fn cursors<T: Debug>(page: &Page<T>) -> (Option<lease_core::page::Cursor>, Option<lease_core::page::Cursor>) {
    (page.next, page.previous)
}

fn chosen<T: VariantArray + Copy>(number: Option<usize>) -> Option<T> {
    T::VARIANTS.get(number?).copied()
}
