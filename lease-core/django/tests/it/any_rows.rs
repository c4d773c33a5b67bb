//! Any rows: few ids, so that they refer to each other, and cells that make no sense.

use chrono::{DateTime, NaiveDate, Utc};
use lease_django::{
    CardRow, ContactRow, CustomerRow, InvoiceRow, LeadRow, PaymentRow, ProposalRow, Rows, ServiceRow, TokenRow, TradeRow,
    UserRow, VehicleRow,
};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;
use secrecy::SecretString;

/// A cell that is rarely missing.
fn cell<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    weighted(0.95, value)
}

/// Few ids, so that rows refer to each other, and some that are none.
fn id() -> impl Strategy<Value = Option<i64>> {
    cell(prop_oneof![40 => 1_i64..7, 1 => select(vec![0, -1, i64::MIN, i64::MAX, i64::MAX / 2])])
}

fn status() -> impl Strategy<Value = Option<i64>> {
    cell(prop_oneof![20 => 1_i64..4, 3 => 4_i64..6, 1 => select(vec![0, -1, 6, i64::MAX])])
}

fn amount() -> impl Strategy<Value = Option<Decimal>> {
    let odd = ["0", "-1", "0.004", "0.005", "1000000000000", "999999999999.995", "0.1000000000000000055511151231"];
    let odd = select(odd.map(|text| text.parse::<Decimal>().unwrap()).to_vec());
    cell(prop_oneof![20 => (1_i64..400, 0_u32..4).prop_map(|(units, digits)| Decimal::new(units, digits)), 2 => odd])
}

fn text() -> impl Strategy<Value = Option<String>> {
    let names =
        ["bob", "Bob", "BOB ", "bob@example.com", "Bob@Example.com", "straße", "STRASSE", "", "\u{200b}", "a\0b\nc\u{202e}"];
    let long = (100_usize..5_000).prop_map(|length| "ä".repeat(length));
    cell(prop_oneof![20 => select(names.to_vec()).prop_map(str::to_owned), 2 => "\\PC{0,8}", 1 => long, 1 => any::<String>()])
}

fn secret() -> impl Strategy<Value = Option<SecretString>> {
    let known = ["5e01356d9fcd4de865b6be357a6c401b24a4a82d", "4242424242424242", "4000 0000 0000 0002", "secret", "!", ""];
    cell(select(known.to_vec()).prop_map(SecretString::from))
}

fn instant() -> impl Strategy<Value = Option<DateTime<Utc>>> {
    let odd = vec![DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC];
    cell(prop_oneof![20 => (0_i64..2_000_000_000).prop_map(|at| DateTime::from_timestamp(at, 0).unwrap()), 1 => select(odd)])
}

fn date() -> impl Strategy<Value = Option<NaiveDate>> {
    let odd = vec![NaiveDate::MIN, NaiveDate::MAX, NaiveDate::from_ymd_opt(9_999, 12, 31).unwrap()];
    cell(prop_oneof![20 => (0_i32..50_000).prop_map(|day| NaiveDate::from_epoch_days(day).unwrap()), 1 => select(odd)])
}

/// Rows of a type whose fields have these strategies.
macro_rules! some {
    ($row:ident { $($field:ident: $strategy:expr),+ $(,)? }) => {
        {
            prop_compose! {
                fn row()($($field in $strategy),+) -> $row { $row { $($field),+ } }
            }
            vec(row(), 0..9)
        }
    };
}

prop_compose! {
    fn people()(
        users in some!(UserRow {
            id: id(), username: text(), email: text(), first_name: text(), last_name: text(), password: secret(),
            is_active: any::<Option<bool>>(), is_staff: weighted(0.1, any::<bool>()), is_superuser: weighted(0.1, any::<bool>()),
            date_joined: instant(), last_login: instant(),
        }),
        tokens in some!(TokenRow { key: secret(), user: id(), created: instant() }),
        customers in some!(CustomerRow {
            id: id(), user: id(), first_name: text(), last_name: text(), job: text(), notes: text(), dob: date(), status: status(),
            created_at: instant(),
        }),
        cards in some!(CardRow {
            id: id(), customer: id(), name_in_card: text(), expire_month: status(), expire_year: id(), card_number: secret(),
            created_at: instant(),
        }),
        leads in some!(LeadRow {
            id: id(), first_name: text(), last_name: text(), source: text(), notes: text(), dob: date(), created_at: instant(),
        }),
        contacts in some!(ContactRow {
            id: id(), customer: id(), lead: id(), phone: text(), email: text(), note: text(), created_at: instant(),
        }),
    ) -> Rows {
        Rows { users, tokens, customers, cards, leads, contacts, ..Rows::default() }
    }
}

/// Any rows. Most of them refer to rows that are there, so that much is taken.
pub(crate) fn rows() -> impl Strategy<Value = Rows> {
    (loose_rows(), 0..5).prop_map(|(rows, dice)| if dice == 0 { rows } else { firm(rows) })
}

/// The rows, with four customers, two vehicles of the first two, three services, and trades of these vehicles.
fn firm(mut rows: Rows) -> Rows {
    rows.users.resize_with(4, UserRow::default);
    rows.customers.resize_with(4, CustomerRow::default);
    rows.vehicles.resize_with(2, VehicleRow::default);
    rows.services.resize_with(3, ServiceRow::default);
    for (id, user) in (1..).zip(&mut rows.users) {
        (user.id, user.is_staff, user.is_superuser) = (Some(id), None, None);
    }
    for (id, customer) in (1..).zip(&mut rows.customers) {
        (customer.id, customer.user) = (Some(id), Some(id));
    }
    for (id, vehicle) in (1..).zip(&mut rows.vehicles) {
        (vehicle.id, vehicle.customer) = (Some(id), Some(id));
    }
    for (id, service) in (1..).zip(&mut rows.services) {
        (service.id, service.service_type) = (Some(id), Some(id));
    }
    for (id, trade) in (1..).zip(&mut rows.trades) {
        (trade.id, trade.vehicle, trade.service) =
            (Some(id), Some(1 + id % 2), trade.service.map(|service| 1 + service.rem_euclid(3)));
    }
    for (id, card) in (1..).zip(&mut rows.cards) {
        (card.id, card.customer) = (Some(id), Some(1 + id % 2));
    }
    for (id, proposal) in (1..).zip(&mut rows.proposals) {
        (proposal.id, proposal.created_by_customer) = (Some(id), proposal.created_by_customer.map(|by| 1 + by.rem_euclid(4)));
    }
    for (id, invoice) in (1..).zip(&mut rows.invoices) {
        (invoice.id, invoice.customer) = (Some(id), invoice.trade.map(|trade| 1 + trade.rem_euclid(2)));
    }
    rows
}

prop_compose! {
    fn loose_rows()(
        people in people(),
        vehicles in some!(VehicleRow {
            id: id(), customer: id(), make_model: text(), make: text(), model: text(), category: text(), year: id(),
            machine_make_model: text(), machine_make: text(), machine_model: text(), machine_category: text(), machine_year: id(),
            created_at: instant(),
        }),
        services in some!(ServiceRow {
            id: id(), name: text(), cost: amount(), description: text(), when_to_pay: status(), service_type: status(),
        }),
        trades in some!(TradeRow {
            id: id(), service: id(), vehicle: id(), note: text(), status: status(), created_at: instant(), updated_at: instant(),
        }),
        proposals in some!(ProposalRow {
            id: id(), trade: id(), created_by_customer: id(), accepted_by_customer: id(), note: text(), system_note: text(),
            total_amount: amount(), down_payment: amount(), total_days_to_pay: id(), pay_frequency: status(), status: status(),
        }),
        invoices in some!(InvoiceRow {
            id: id(), trade: id(), customer: id(), amount: amount(), status: status(), due_date: date(), created_at: instant(),
            updated_at: instant(),
        }),
        payments in some!(PaymentRow { id: id(), card: id(), invoice: id(), amount: amount(), created_at: instant() }),
    ) -> Rows {
        Rows { vehicles, services, trades, proposals, invoices, payments, ..people }
    }
}
