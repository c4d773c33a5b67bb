//! The rows of Django's tables. Nothing is certain about them: every cell may be missing.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use secrecy::SecretString;

use crate::cell::{Cells, date, decimal, flag, instant, integer, secret, text};

/// Declares the rows of a table: the model that Django calls it by, and for each field how it is read, and from which columns.
macro_rules! rows {
    ($(
        $(#[$doc:meta])*
        $row:ident in $all:ident, $model:literal {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $read:ident($($column:literal),+)),+ $(,)?
        }
    )+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default)]
            pub struct $row {
                $($(#[$field_doc])* pub $field: Option<$type>,)+
            }

            impl $row {
                fn read(cells: &Cells) -> Self {
                    Self { $($field: $read(cells, &[$($column),+]),)+ }
                }
            }
        )+

        /// All rows that are read, table by table.
        #[derive(Clone, Debug, Default)]
        pub struct Rows {
            $(#[doc = concat!("Those of `", $model, "`.")] pub $all: Vec<$row>,)+
        }

        impl Rows {
            /// The models whose rows are read.
            pub(crate) const MODELS: &[&str] = &[$($model),+];

            /// Adds a row of a model, if it is one of those that are read.
            pub(crate) fn add(&mut self, model: &str, cells: &Cells) {
                match model {
                    $($model => self.$all.push($row::read(cells)),)+
                    _ => {}
                }
            }
        }
    };
}

rows! {
    /// A user.
    UserRow in users, "auth.user" {
        /// The id.
        id: i64 = integer("id"),
        /// The user name.
        username: String = text("username"),
        /// The e-mail address; several users may have the same.
        email: String = text("email"),
        /// Given name.
        first_name: String = text("first_name"),
        /// Family name.
        last_name: String = text("last_name"),
        /// A hash, or anything else.
        password: SecretString = secret("password"),
        /// Whether the user may log in.
        is_active: bool = flag("is_active"),
        /// Whether the user administers.
        is_staff: bool = flag("is_staff"),
        /// Whether the user may do everything.
        is_superuser: bool = flag("is_superuser"),
        /// When the user was created.
        date_joined: DateTime<Utc> = instant("date_joined"),
        /// When the user last logged in.
        last_login: DateTime<Utc> = instant("last_login"),
    }
    /// A token, which has no other id than itself.
    TokenRow in tokens, "authtoken.token" {
        /// The token.
        key: SecretString = secret("key", "id"),
        /// The user.
        user: i64 = integer("user_id", "user"),
        /// When it was created.
        created: DateTime<Utc> = instant("created"),
    }
    /// A customer.
    CustomerRow in customers, "app_lease.customer" {
        /// The id.
        id: i64 = integer("id"),
        /// The user.
        user: i64 = integer("user_id", "user"),
        /// Given name.
        first_name: String = text("first_name"),
        /// Family name.
        last_name: String = text("last_name"),
        /// Occupation.
        job: String = text("job"),
        /// Anything else.
        notes: String = text("notes"),
        /// Date of birth.
        dob: NaiveDate = date("dob"),
        /// 1 active, 2 inactive.
        status: i64 = integer("status"),
        /// When it was created.
        created_at: DateTime<Utc> = instant("created_at"),
    }
    /// A card. Its security code is not read.
    CardRow in cards, "app_lease.creditcard" {
        /// The id.
        id: i64 = integer("id"),
        /// The customer.
        customer: i64 = integer("customer_id", "customer"),
        /// The name on it.
        name_in_card: String = text("name_in_card"),
        /// The month of its expiry.
        expire_month: i64 = integer("expire_month"),
        /// The year of its expiry.
        expire_year: i64 = integer("expire_year"),
        /// The number, of which the brand and the last four digits are kept.
        card_number: SecretString = secret("card_number"),
        /// When it was created.
        created_at: DateTime<Utc> = instant("created_at"),
    }
    /// A lead.
    LeadRow in leads, "app_lease.lead" {
        /// The id.
        id: i64 = integer("id"),
        /// Given name.
        first_name: String = text("first_name"),
        /// Family name.
        last_name: String = text("last_name"),
        /// An address on the web.
        source: String = text("source"),
        /// Anything else.
        notes: String = text("notes"),
        /// Date of birth.
        dob: NaiveDate = date("dob"),
        /// When it was created.
        created_at: DateTime<Utc> = instant("created_at"),
    }
    /// A contact.
    ContactRow in contacts, "app_lease.contact" {
        /// The id.
        id: i64 = integer("id"),
        /// The customer that it belongs to.
        customer: i64 = integer("customer_id", "customer"),
        /// The lead that it belongs to.
        lead: i64 = integer("lead_id", "lead"),
        /// Phone number.
        phone: String = text("phone"),
        /// E-mail address.
        email: String = text("email"),
        /// Anything else.
        note: String = text("note"),
        /// When it was created.
        created_at: DateTime<Utc> = instant("created_at"),
    }
    /// A vehicle.
    VehicleRow in vehicles, "app_lease.vehicle" {
        /// The id.
        id: i64 = integer("id"),
        /// The owner.
        customer: i64 = integer("customer_id", "customer"),
        /// Make and model in one.
        make_model: String = text("make_model"),
        /// Manufacturer.
        make: String = text("make"),
        /// Model.
        model: String = text("model"),
        /// What kind of vehicle it is.
        category: String = text("category"),
        /// The model year.
        year: i64 = integer("year"),
        /// Make and model of the machine on it.
        machine_make_model: String = text("machine_make_model"),
        /// Manufacturer of the machine.
        machine_make: String = text("machine_make"),
        /// Model of the machine.
        machine_model: String = text("machine_model"),
        /// What kind of machine it is.
        machine_category: String = text("machine_category"),
        /// The year of the machine.
        machine_year: i64 = integer("machine_year"),
        /// When it was created.
        created_at: DateTime<Utc> = instant("created_at"),
    }
    /// A service.
    ServiceRow in services, "app_lease.service" {
        /// The id.
        id: i64 = integer("id"),
        /// The name.
        name: String = text("name"),
        /// The fee.
        cost: Decimal = decimal("cost"),
        /// Anything else.
        description: String = text("description"),
        /// 1 at the start, 2 at the end.
        when_to_pay: i64 = integer("when_to_pay"),
        /// 1 lease, 2 sale.
        service_type: i64 = integer("service_type", "type"),
    }
    /// A trade.
    TradeRow in trades, "app_lease.trade" {
        /// The id.
        id: i64 = integer("id"),
        /// The service.
        service: i64 = integer("service_id", "service"),
        /// The vehicle.
        vehicle: i64 = integer("vehicle_id", "vehicle"),
        /// Anything else.
        note: String = text("note"),
        /// 1 open, 2 accepted, 3 cancelled.
        status: i64 = integer("status"),
        /// When it was created.
        created_at: DateTime<Utc> = instant("created_at"),
        /// When it was last changed.
        updated_at: DateTime<Utc> = instant("updated_at"),
    }
    /// A proposal.
    ProposalRow in proposals, "app_lease.proposal" {
        /// The id.
        id: i64 = integer("id"),
        /// The trade.
        trade: i64 = integer("trade_id", "trade"),
        /// Who made it.
        created_by_customer: i64 = integer("created_by_customer_id", "created_by_customer"),
        /// Who accepted it.
        accepted_by_customer: i64 = integer("accepted_by_customer_id", "accepted_by_customer"),
        /// A message.
        note: String = text("note"),
        /// What the system noted.
        system_note: String = text("system_note"),
        /// The price in all.
        total_amount: Decimal = decimal("total_amount"),
        /// What is paid at once.
        down_payment: Decimal = decimal("down_payment"),
        /// In how many days the rest is paid.
        total_days_to_pay: i64 = integer("total_days_to_pay"),
        /// 1 once, 2 monthly, 3 every two weeks, 4 weekly.
        pay_frequency: i64 = integer("pay_frequency"),
        /// 1 pending, 2 accepted, 3 refused, 4 closed, 5 cancelled.
        status: i64 = integer("_status", "status"),
    }
    /// An invoice.
    InvoiceRow in invoices, "app_lease.invoice" {
        /// The id.
        id: i64 = integer("id"),
        /// The trade.
        trade: i64 = integer("trade_id", "trade"),
        /// The customer who is billed.
        customer: i64 = integer("customer_id", "customer"),
        /// The amount.
        amount: Decimal = decimal("amount"),
        /// 1 pending, 2 paid.
        status: i64 = integer("_status", "status"),
        /// The last day to pay on time.
        due_date: NaiveDate = date("due_date"),
        /// When it was created.
        created_at: DateTime<Utc> = instant("created_at"),
        /// When it was last changed.
        updated_at: DateTime<Utc> = instant("updated_at"),
    }
    /// A payment.
    PaymentRow in payments, "app_lease.payment" {
        /// The id.
        id: i64 = integer("id"),
        /// The card.
        card: i64 = integer("creditcard_id", "creditcard"),
        /// The invoice.
        invoice: i64 = integer("invoice_id", "invoice"),
        /// The amount.
        amount: Decimal = decimal("amount"),
        /// When it was made.
        created_at: DateTime<Utc> = instant("created_at"),
    }
}
