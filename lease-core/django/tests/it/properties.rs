//! Any rows, however odd, give an import in which the invariants and the guarantees hold.

use std::collections::BTreeSet;

use chrono::{Duration, TimeZone as _, Utc};
use lease_core::id::{Entity, Stored};
use lease_core::import::Import;
use lease_core::invariants::Books;
use lease_core::model::{Agreement, InvoiceState, ProposalState, Role, ServiceKind, TradeState};
use lease_core::money::Currency;
use lease_django::{Fate, Mapped, Report, Rows, Table, Terms, TradeRow, UserRow, map};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::any_rows::rows;

fn terms(currency: Currency) -> Terms {
    Terms { now: Utc.with_ymd_and_hms(2026, 6, 1, 12, 0, 0).unwrap(), currency, token_ttl: Duration::days(30) }
}

/// Each table is in the order of its ids, without doubles.
fn assert_ascending<T: Entity>(rows: &[Stored<T>]) {
    assert!(rows.is_sorted_by(|one, next| one.id < next.id), "{rows:?}");
}

fn assert_guaranteed(import: &Import) {
    assert_ascending(&import.users);
    assert_ascending(&import.tokens);
    assert_ascending(&import.customers);
    assert_ascending(&import.cards);
    assert_ascending(&import.leads);
    assert_ascending(&import.contacts);
    assert_ascending(&import.vehicles);
    assert_ascending(&import.services);
    assert_ascending(&import.trades);
    assert_ascending(&import.proposals);
    assert_ascending(&import.invoices);
    assert_ascending(&import.payments);
    let mut names = BTreeSet::new();
    for user in &import.users {
        let own: BTreeSet<_> = user.login_names().into_iter().collect();
        assert!(own.iter().all(|name| !name.as_str().is_empty() && names.insert(name.clone())), "{user:?}");
        let customers = import.customers.iter().filter(|customer| customer.user_id == user.id).count();
        assert_eq!(customers, usize::from(user.role == Role::Customer), "{user:?}");
    }
    assert!(import.customers.iter().all(|customer| import.users.iter().any(|user| user.id == customer.user_id)));
    assert!(import.tokens.iter().all(|token| import.users.iter().any(|user| user.id == token.user_id)));
    let hashes: BTreeSet<_> = import.tokens.iter().map(|token| token.hash).collect();
    assert_eq!(hashes.len(), import.tokens.len());
    for vehicle in &import.vehicles {
        assert!(import.customers.iter().any(|customer| customer.id == vehicle.customer_id), "{vehicle:?}");
    }
}

/// The books after every live trade with a proposal was agreed and completed.
fn completed(mut books: Books) -> Books {
    let at = terms(Currency::USD).now;
    for trade in books.trades.iter_mut().filter(|trade| trade.is_live()) {
        let offers =
            || books.proposals.iter().filter(|offer| offer.trade_id == trade.id && offer.customer_id != trade.customer_id);
        let offer = offers().find(|offer| offer.state == ProposalState::Pending);
        let agreement = trade.agreement().copied().or_else(|| {
            let Stored { id, value } = offer?;
            Some(Agreement { counterparty_id: value.customer_id, proposal_id: *id, days: None, agreed_at: at })
        });
        let Some(agreement) = agreement else { continue };
        for offer in books.proposals.iter_mut().filter(|offer| offer.trade_id == trade.id) {
            match offer.state {
                _ if offer.id == agreement.proposal_id => offer.state = ProposalState::Accepted { at },
                ProposalState::Pending => offer.state = ProposalState::Closed { at },
                _ => {}
            }
        }
        for invoice in books.invoices.iter_mut().filter(|invoice| invoice.trade_id == trade.id && invoice.is_open()) {
            invoice.state = InvoiceState::WrittenOff { at, reason: String::new() };
        }
        let is_sale = books.services.iter().any(|service| service.id == trade.service_id && service.kind == ServiceKind::Sell);
        for vehicle in books.vehicles.iter_mut().filter(|vehicle| is_sale && vehicle.id == trade.vehicle_id) {
            vehicle.customer_id = agreement.counterparty_id;
        }
        (trade.state, trade.asking) = (TradeState::Completed { agreement, completed_at: at }, None);
    }
    books
}

/// What is not taken is named with its reason, and nothing is counted twice.
fn assert_accounted_for(rows: &Rows, report: &Report) {
    for (table, counts) in &report.counts {
        assert_eq!(counts.taken, counts.read - counts.dropped + counts.added, "{table}: {counts:?} {report}");
    }
    let sum = |amounts: Vec<Option<Decimal>>| amounts.into_iter().flatten().sum::<Decimal>();
    assert_eq!(report.invoices.there, sum(rows.invoices.iter().map(|row| row.amount).collect()));
    assert_eq!(report.payments.there, sum(rows.payments.iter().map(|row| row.amount).collect()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_rows_give_an_import_in_which_the_invariants_hold(rows in rows()) {
        let Mapped { import, report } = map(&rows, &terms(Currency::USD));
        prop_assert_eq!(import.books().violations(), Vec::<String>::new());
        prop_assert_eq!(completed(import.books()).violations(), Vec::<String>::new());
        assert_guaranteed(&import);
        assert_accounted_for(&rows, &report);
        prop_assert_eq!(map(&rows, &terms(Currency::USD)), Mapped { import, report });
    }

    #[test]
    fn no_secret_is_in_what_is_said(rows in rows()) {
        let Mapped { import, report } = map(&rows, &terms(Currency::USD));
        let said = format!("{report} {report:?} {import:?} {rows:?}");
        for secret in ["5e01356d9fcd4de865b6be357a6c401b24a4a82d", "4242424242424242", "4000 0000 0000 0002", "4000000000000002"] {
            prop_assert!(!said.contains(secret));
        }
    }
}

#[test]
fn rows_without_anything_in_them_are_not_taken() {
    let rows = Rows {
        users: vec![UserRow::default()],
        trades: vec![TradeRow { id: Some(3), ..TradeRow::default() }],
        ..Rows::default()
    };
    let Mapped { import, report } = map(&rows, &terms(Currency::USD));
    assert_eq!((import.users, import.trades), (Vec::new(), Vec::new()));
    assert_eq!(report.ids(Table::Trades, Fate::Dropped, "its vehicle or its service is not taken"), [3]);
    assert_eq!(report.counts[&Table::Users].dropped, 1);
}
