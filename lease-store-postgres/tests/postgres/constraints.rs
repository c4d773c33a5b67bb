//! Broken states, written by hand. The database refuses each of them, even if the code has a fault.

use sqlx::{AssertSqlSafe, Executor as _};

use crate::support::{TestDatabase, WORLD};

/// Runs `statement` in the prepared world and expects it to break exactly this constraint.
async fn refuses(constraint: &str, statement: &str) {
    let database = TestDatabase::create().await;
    let mut connection = database.connection().await;
    connection.execute(WORLD).await.expect("the world is in order");
    let outcome = connection.execute(AssertSqlSafe(statement)).await;
    drop(connection);
    database.drop().await;
    let error = outcome.expect_err("the database lets the broken state in");
    let broken = error.as_database_error().and_then(|error| error.constraint());
    assert_eq!(broken, Some(constraint), "{error}");
}

macro_rules! refused {
    ($($name:ident: $constraint:literal, $statement:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            refuses($constraint, $statement).await;
        }
    )+};
}

const NEW_CONTACT: &str = "insert into contacts (customer_id, lead_id, label, name, email, phone, address_line1, address_line2, \
    city, state, postal_code, country, created_at) values ";
const NEW_TRADE: &str = "insert into trades (vehicle_id, vehicle_make, vehicle_model, vehicle_year, offered_make, offered_model, offered_color, offered_license_plate, offered_description, service_id, service_kind, \
    customer_id, title, description, status, created_at, search_text) values ";
const NEW_PROPOSAL: &str = "insert into proposals (trade_id, trade_owner_id, customer_id, amount, currency, start_date, \
    end_date, message, status, created_at, decided_at, is_public) values ";
const NEW_INVOICE: &str =
    "insert into invoices (trade_id, proposal_id, customer_id, amount, currency, issued_at, due_date) values ";
const NEW_PAYMENT: &str = "insert into payments (invoice_id, credit_card_id, customer_id, amount, currency, status, is_late, \
    charge_key, created_at) values ";
/// Payment 1, which failed, waits for its payer.
const ASK_PAYER: &str = "update payments set status = 'requires_action', settled_at = null, failure_code = null";
/// Payment 1, of 50, has succeeded.
const CHARGE: &str = "update payments set status = 'succeeded', failure_code = null";
const NEW_REFUND: &str = "insert into refunds (payment_id, invoice_id, customer_id, amount, currency, reason, note, status, \
    refund_key, created_at) values ";
const NEW_CLAIM: &str = "insert into idempotency_records (key, holder, fingerprint, held_until, expires_at, made) values ";
const NEW_DELIVERY: &str = "insert into webhook_deliveries (endpoint_id, event_id, event_type, status, next_attempt_at, tries, attempts, \
    created_at) values ";
const NEW_MAIL: &str = "insert into mails (kind, event_id, customer_id, user_id, address, facts, status, next_attempt_at, tries, \
    created_at) values ";
const NEW_TOKEN: &str = "insert into tokens (hash, user_id, name, epoch, created_at, expires_at) values ";
const ZEROES_16: &str = "decode(repeat('00', 16), 'hex')";
const ZEROES_32: &str = "decode(repeat('00', 32), 'hex')";
const AGREE_TRADE_1: &str = "update trades set status = 'agreed', counterparty_id = 2, agreed_at = now(), ";
const CANCEL: &str = "update trades set status = 'cancelled', cancelled_at = now(), cancel_reason = ''";
/// The same of a trade that was agreed.
const CANCEL_AGREED: &str =
    "update trades set status = 'cancelled', cancelled_at = now(), cancel_reason = '', agreed_from = null, agreed_until = null";

// Accounts.
refused! {
    two_users_cannot_share_a_login_name: "login_names_pkey", "insert into login_names (name, user_id) values ('owner', 2)";
    a_role_that_is_none_is_refused: "users_role_check", "update users set role = 'boss' where id = 3";
    the_links_of_a_user_are_a_list: "users_links_check", "update users set links = '{}' where id = 3";
    two_users_cannot_share_an_external_id: "users_external_id_key", "update users set external_id = 'x' where id in (3, 4)";
    what_is_kept_with_a_user_is_an_object: "users_metadata_check", "update users set metadata = '[]' where id = 3";
    two_customers_cannot_share_an_external_id: "customers_external_id_key", "update customers set external_id = 'x'";
    what_is_kept_with_a_customer_is_an_object: "customers_metadata_check", "update customers set metadata = '1' where id = 1";
    a_login_name_of_nobody_is_refused: "login_names_user_id_fkey", "insert into login_names (name, user_id) values ('x', 99)";
    staff_cannot_have_a_customer: "customers_user_fkey",
        "insert into customers (user_id, job, notes, created_at) values (3, '', '', now())";
    a_customer_cannot_become_staff_and_keep_the_customer: "customers_user_fkey", "update users set role = 'staff' where id = 1";
    a_customer_behind_staff_cannot_be_passed_off: "customers_user_role_check",
        "insert into customers (user_id, user_role, job, notes, created_at) values (3, 'staff', '', '', now())";
    a_customer_is_as_active_as_the_user: "customers_is_active_fkey", "update customers set is_active = false where id = 1";
    a_user_cannot_have_two_customers: "customers_user_id_key",
        "insert into customers (user_id, job, notes, created_at) values (1, '', '', now())";
    a_customer_that_something_hangs_on_cannot_go: "credit_cards_customer_id_fkey", "delete from customers where id = 1";
    a_refused_card_is_of_somebody_who_exists: "card_refusals_customer_id_fkey",
        "insert into card_refusals (customer_id, refused_at) values (99, now())";
    a_token_of_nobody_is_refused: "tokens_user_id_fkey",
        &format!("{NEW_TOKEN} ({ZEROES_32}, 99, '', 0, now(), now())");
    a_token_that_is_no_hash_is_refused: "tokens_hash_check",
        &format!("{NEW_TOKEN} ('plain', 1, '', 0, now(), now())");
    two_tokens_cannot_share_a_hash: "tokens_hash_key",
        &format!("{NEW_TOKEN} ({ZEROES_32}, 1, '', 0, now(), now()), ({ZEROES_32}, 2, '', 0, now(), now())");
    a_customer_cannot_have_two_default_cards: "credit_cards_one_default", "update credit_cards set is_default = true where id = 2";
    a_deleted_card_cannot_be_the_default: "credit_cards_deleted_check", "update credit_cards set deleted_at = now() where id = 1";
    a_whole_card_number_is_refused: "credit_cards_last4_check",
        "update credit_cards set last4 = '4242424242424242' where id = 1";
    a_year_has_twelve_months: "credit_cards_exp_month_check", "update credit_cards set exp_month = 13 where id = 1";
}

// The directory.
refused! {
    a_converted_lead_names_its_customer: "leads_converted_check", "update leads set status = 'converted' where id = 1";
    a_lead_that_is_not_converted_names_none: "leads_converted_check", "update leads set customer_id = 1 where id = 1";
    a_lead_became_a_customer_that_exists: "leads_customer_id_fkey",
        "update leads set status = 'converted', customer_id = 99 where id = 1";
    a_status_of_a_lead_that_is_none_is_refused: "leads_status_check", "update leads set status = 'gone' where id = 1";
    a_contact_has_an_owner: "contacts_owner_check",
        &format!("{NEW_CONTACT} (null, null, '', '', '', '', '', '', '', '', '', '', now())");
    a_contact_has_one_owner_only: "contacts_owner_check",
        &format!("{NEW_CONTACT} (1, 1, '', '', '', '', '', '', '', '', '', '', now())");
    a_contact_is_of_a_customer_that_exists: "contacts_customer_id_fkey",
        &format!("{NEW_CONTACT} (99, null, '', '', '', '', '', '', '', '', '', '', now())");
    a_contact_is_of_a_lead_that_exists: "contacts_lead_id_fkey",
        &format!("{NEW_CONTACT} (null, 99, '', '', '', '', '', '', '', '', '', '', now())");
}

// Versions start at one.
refused! {
    a_user_has_a_version: "users_version_check", "update users set version = 0 where id = 1";
    a_customer_has_a_version: "customers_version_check", "update customers set version = 0 where id = 1";
    a_lead_has_a_version: "leads_version_check", "update leads set version = 0 where id = 1";
    a_contact_has_a_version: "contacts_version_check",
        &format!("{NEW_CONTACT} (1, null, '', '', '', '', '', '', '', '', '', '', now()); update contacts set version = 0");
    a_vehicle_has_a_version: "vehicles_version_check", "update vehicles set version = 0 where id = 1";
    a_service_has_a_version: "services_version_check", "update services set version = 0 where id = 1";
    a_trade_has_a_version: "trades_version_check", "update trades set version = 0 where id = 1";
}

// Vehicles and services.
refused! {
    two_vehicles_cannot_share_a_vin: "vehicles_vin_key", "update vehicles set vin = '1HGCM82633A004352' where id = 2";
    a_vin_that_is_none_is_refused: "vehicles_vin_check", "update vehicles set vin = 'short' where id = 1";
    two_vehicles_cannot_share_a_chassis_number: "vehicles_chassis_number_key",
        "update vehicles set vin = null, chassis_number = 'GJ7-123456' where id in (2, 3)";
    a_chassis_number_that_is_none_is_refused: "vehicles_chassis_number_check",
        "update vehicles set vin = null, chassis_number = 'gj7' where id = 1";
    two_vehicles_cannot_share_an_external_id: "vehicles_external_id_key", "update vehicles set external_id = 'x'";
    what_is_kept_with_a_vehicle_is_an_object: "vehicles_metadata_check", "update vehicles set metadata = 'null' where id = 1";
    a_vehicle_has_one_number: "vehicles_identity_check", "update vehicles set chassis_number = 'GJ7-123456' where id = 1";
    a_traded_vehicle_cannot_go: "trades_vehicle_fkey", "delete from vehicles where id = 1";
    a_mileage_is_not_negative: "vehicles_mileage_check", "update vehicles set mileage = -1 where id = 1";
    who_sees_a_vehicle_exists: "vehicle_parties_customer_id_fkey", "insert into vehicle_parties values (99, 1)";
    a_vehicle_that_is_seen_exists: "vehicle_parties_vehicle_id_fkey", "insert into vehicle_parties values (1, 99)";
    a_kind_of_service_that_is_none_is_refused: "services_kind_check", "update services set kind = 'gift' where id = 2";
    a_lease_is_billed_with_the_first_proposal: "services_invoice_on_check",
        "update services set invoice_on = 'acceptance' where id = 1";
    the_counterparty_is_billed_on_acceptance_only: "services_bill_to_check",
        "update services set bill_to = 'counterparty' where id = 1";
    the_kind_of_a_used_service_is_fixed: "trades_service_fkey",
        "update services set kind = 'custom' where id = 1";
    a_fee_is_not_negative: "services_fee_check", "update services set fee_amount = -1 where id = 1";
    a_fee_has_a_currency: "services_fee_currency_check", "update services set fee_currency = 'usd' where id = 1";
    a_fee_is_due_within_a_year: "services_payment_due_days_check", "update services set payment_due_days = 366 where id = 1";
}

// Trades: I5, I6.
refused! {
    two_trades_cannot_share_an_external_id: "trades_external_id_key", "update trades set external_id = 'x'";
    what_is_kept_with_a_trade_is_an_object: "trades_metadata_check", "update trades set metadata = '\"text\"' where id = 1";
    a_vehicle_cannot_be_in_two_open_trades: "trades_live_vehicle_key",
        &format!("{NEW_TRADE} (1, 'honda', 'accord', 2003, '', '', '', '', '', 1, 'lease', 1, '', '', 'open', now(), '')");
    a_vehicle_in_an_agreed_trade_cannot_be_offered: "trades_live_vehicle_key",
        &format!("{NEW_TRADE} (2, 'acura', 'legend', 1993, '', '', '', '', '', 1, 'lease', 1, '', '', 'open', now(), '')");
    a_vehicle_has_an_owner_that_exists: "vehicles_customer_id_fkey", "update vehicles set customer_id = 99 where id = 3";
    a_trade_has_an_owner_that_exists: "trades_customer_id_fkey",
        &format!("{NEW_TRADE} (3, 'vw', 'golf', 1999, '', '', '', '', '', 1, 'lease', 99, '', '', 'open', now(), '')");
    a_trade_is_agreed_with_somebody_who_exists: "trades_counterparty_id_fkey",
        "update trades set counterparty_id = 99 where id = 2";
    a_status_of_a_trade_that_is_none_is_refused: "trades_status_check", "update trades set status = 'gone' where id = 1";
    a_trade_has_a_vehicle_that_exists: "trades_vehicle_fkey",
        &format!(
            "{} (99, 'honda', 'golf', 1999, '', '', '', '', '', 1, 'lease', 1, '', '', 'cancelled', now(), '', now(), '')",
            NEW_TRADE.replace("search_text)", "search_text, cancelled_at, cancel_reason)")
        );
    an_agreed_trade_names_what_was_agreed: "trades_agreement_check", "update trades set status = 'agreed' where id = 1";
    a_completed_trade_names_what_was_agreed: "trades_agreement_check",
        "update trades set status = 'completed', completed_at = now() where id = 1";
    an_agreed_trade_says_when: "trades_agreement_check", "update trades set agreed_at = null where id = 2";
    an_agreed_trade_names_who_agreed: "trades_agreement_check", "update trades set counterparty_id = null where id = 2";
    an_agreed_trade_cannot_open_again: "trades_agreement_check", "update trades set status = 'open', agreed_from = null, agreed_until = null where id = 2";
    an_open_trade_has_no_counterparty: "trades_agreement_check", "update trades set counterparty_id = 2 where id = 1";
    nobody_agrees_with_themselves: "trades_counterparty_check", "update trades set counterparty_id = 1 where id = 2";
    a_completed_trade_says_when: "trades_completed_check", "update trades set status = 'completed' where id = 2";
    a_cancelled_trade_says_when: "trades_cancelled_check",
        "update trades set status = 'cancelled', cancel_reason = '' where id = 1";
    a_cancelled_trade_says_why: "trades_cancelled_check",
        "update trades set status = 'cancelled', cancelled_at = now() where id = 1";
    a_cancelled_trade_has_no_agreed_period: "trades_agreed_period_check",
        &format!("with rescinded as (update proposals set status = 'rescinded' where id = 3) {CANCEL} where id = 2");
    the_proposal_of_a_trade_that_is_cancelled_later_is_rescinded: "trades_accepted_proposal_fkey",
        &format!("with closed as (update proposals set status = 'closed' where id = 3) {CANCEL_AGREED} where id = 2");
    a_rescinded_proposal_is_of_a_cancelled_trade: "trades_accepted_proposal_fkey",
        "update proposals set status = 'rescinded' where id = 3";
    a_proposal_of_another_trade_cannot_be_the_accepted_one: "trades_accepted_proposal_fkey",
        &format!("update proposals set status = 'closed', decided_at = now() where trade_id = 1; \
            {AGREE_TRADE_1} accepted_proposal_id = 4 where id = 1");
    a_proposal_that_is_not_accepted_cannot_be_the_accepted_one: "trades_accepted_proposal_fkey",
        "update trades set accepted_proposal_id = 4 where id = 2";
    an_open_trade_has_no_agreed_period: "trades_agreed_period_check",
        "update trades set agreed_from = '2026-01-01', agreed_until = '2026-02-01' where id = 1";
    half_an_agreed_period_is_refused: "trades_agreed_period_check", "update trades set agreed_until = null where id = 2";
    an_agreed_period_does_not_end_before_it_starts: "trades_agreed_period_check",
        "update trades set agreed_until = agreed_from - 1 where id = 2";
    the_agreed_period_starts_with_the_accepted_proposals: "trades_accepted_proposal_fkey",
        "update trades set agreed_from = '2026-02-02' where id = 2";
    an_agreed_period_cannot_be_left_out: "trades_accepted_proposal_fkey",
        "update trades set agreed_from = null, agreed_until = null where id = 2";
    a_trade_is_opened_by_the_owner_of_its_vehicle: "trades_live_owner_fkey",
        &format!("{NEW_TRADE} (3, 'vw', 'golf', 1999, '', '', '', '', '', 1, 'lease', 2, '', '', 'open', now(), '')");
    a_vehicle_in_an_open_trade_cannot_change_hands: "trades_live_owner_fkey", "update vehicles set customer_id = 2 where id = 1";
    a_vehicle_in_an_agreed_trade_cannot_change_hands: "trades_live_owner_fkey",
        "update vehicles set customer_id = 2 where id = 2";
    a_completed_trade_owes_nothing: "invoices_is_owed_fkey",
        "update trades set status = 'completed', completed_at = now() where id = 2";
    who_sees_a_trade_exists: "trade_parties_customer_id_fkey", "insert into trade_parties values (99, 1)";
    a_trade_that_is_seen_exists: "trade_parties_trade_id_fkey", "insert into trade_parties values (1, 99)";
    the_agreed_periods_of_a_vehicle_cannot_overlap: "trades_agreed_periods_excl",
        "with void as (update invoices set status = 'void', voided_at = now(), void_reason = 'x' where id = 1) \
         update trades set status = 'completed', completed_at = now() where id = 2; \
         insert into trades (vehicle_id, vehicle_make, vehicle_model, vehicle_year, offered_make, offered_model, offered_color, offered_license_plate, offered_description, service_id, service_kind, customer_id, \
         title, description, status, created_at, search_text, counterparty_id, accepted_proposal_id, agreed_at, agreed_from, \
         agreed_until) values (2, 'acura', 'legend', 1993, '', '', '', '', '', 1, 'lease', 1, '', '', 'agreed', now(), '', 2, 3, now(), \
         '2026-07-31', '2026-12-01')";
}

// Proposals: I5.
refused! {
    a_trade_cannot_have_two_accepted_proposals: "proposals_accepted_key",
        "update proposals set status = 'accepted' where id = 4";
    a_proposal_cannot_be_accepted_in_an_open_trade: "proposals_stage_fkey",
        "update proposals set status = 'accepted', decided_at = now() where id = 1";
    a_proposal_cannot_be_pending_in_an_agreed_trade: "proposals_stage_fkey",
        &format!("{NEW_PROPOSAL} (2, 1, 2, 9, 'USD', null, null, '', 'pending', now(), null, false)");
    a_trade_cannot_be_agreed_and_leave_a_proposal_pending: "proposals_stage_fkey",
        &format!("{AGREE_TRADE_1} accepted_proposal_id = 2 where id = 1");
    a_trade_cannot_be_cancelled_and_leave_a_proposal_pending: "proposals_stage_fkey",
        &format!("{CANCEL} where id = 1");
    an_accepted_proposal_cannot_be_left_in_a_cancelled_trade: "proposals_stage_fkey",
        &format!("{CANCEL_AGREED} where id = 2");
    a_proposal_cannot_be_rescinded_in_an_open_trade: "proposals_stage_fkey",
        "update proposals set status = 'rescinded', decided_at = now() where id = 1";
    a_trade_cannot_have_an_accepted_and_a_rescinded_proposal: "proposals_accepted_key",
        "update proposals set status = 'rescinded' where id = 4";
    an_accepted_proposal_stays_accepted: "trades_accepted_proposal_fkey",
        "update proposals set status = 'closed' where id = 3";
    a_customer_cannot_have_two_pending_proposals_in_a_trade: "proposals_one_pending",
        &format!("{NEW_PROPOSAL} (1, 1, 2, 9, 'USD', null, null, '', 'pending', now(), null, false)");
    a_decided_proposal_says_when: "proposals_decided_check", "update proposals set status = 'closed' where id = 2";
    a_pending_proposal_was_not_decided: "proposals_decided_check", "update proposals set decided_at = now() where id = 2";
    a_status_of_a_proposal_that_is_none_is_refused: "proposals_status_check",
        "update proposals set status = 'gone' where id = 4";
    a_proposal_is_by_somebody_who_exists: "proposals_customer_id_fkey",
        &format!("{NEW_PROPOSAL} (1, 1, 99, 9, 'USD', null, null, '', 'closed', now(), now(), false)");
    a_proposal_names_the_owner_of_its_trade: "proposals_trade_fkey",
        &format!("{NEW_PROPOSAL} (1, 2, 2, 9, 'USD', null, null, '', 'closed', now(), now(), false)");
    a_period_that_ends_before_it_starts_is_refused: "proposals_period_check",
        "update proposals set end_date = '2020-01-01' where id = 2";
    half_a_period_is_refused: "proposals_period_check", "update proposals set end_date = null where id = 2";
    only_the_owner_s_proposals_are_public: "proposals_public_check", "update proposals set is_public = true where id = 2";
    a_price_is_above_zero: "proposals_amount_check", "update proposals set amount = 0 where id = 2";
    a_price_has_a_currency: "proposals_currency_check", "update proposals set currency = 'usd' where id = 2";
}

// Invoices: I1, I3, I8.
refused! {
    a_trade_cannot_have_two_invoices: "invoices_trade_id_key",
        &format!("{NEW_INVOICE} (2, 4, 1, 50, 'USD', now(), '2026-01-15')");
    an_invoice_comes_from_a_proposal_of_its_trade: "invoices_proposal_fkey",
        &format!("{NEW_INVOICE} (1, 3, 1, 50, 'USD', now(), '2026-01-15')");
    paid_and_pending_stay_within_the_amount: "invoices_balance_check",
        "update invoices set paid = 20, pending = 31 where id = 1";
    paid_is_not_negative: "invoices_balance_check", "update invoices set paid = -1 where id = 1";
    pending_is_not_negative: "invoices_balance_check", "update invoices set pending = -1 where id = 1";
    no_more_is_refunded_than_was_paid: "invoices_refunded_check",
        "update invoices set paid = 20, refunded = 21 where id = 1";
    what_was_refunded_is_not_negative: "invoices_refunded_check", "update invoices set refunded = -1 where id = 1";
    an_invoice_paid_in_full_is_paid: "invoices_paid_check", "update invoices set paid = 50 where id = 1";
    a_paid_invoice_is_paid_in_full: "invoices_paid_check",
        "update invoices set status = 'paid', paid = 49, paid_at = now() where id = 1";
    a_paid_invoice_says_when: "invoices_paid_check", "update invoices set status = 'paid', paid = 50 where id = 1";
    a_void_invoice_says_why: "invoices_void_check", "update invoices set status = 'void', voided_at = now() where id = 1";
    an_invoice_with_payments_cannot_be_void: "invoices_void_check",
        "update invoices set status = 'void', voided_at = now(), void_reason = 'x', paid = 1 where id = 1";
    an_invoice_that_is_written_off_says_why: "invoices_written_off_check",
        "update invoices set status = 'written_off', written_off_at = now() where id = 1";
    an_invoice_that_is_being_paid_cannot_be_written_off: "invoices_written_off_check",
        "update invoices set status = 'written_off', written_off_at = now(), write_off_reason = 'x', pending = 1 where id = 1";
    an_agreed_trade_waits_for_no_invoice_that_is_written_off: "invoices_is_settled_fkey",
        "update invoices set status = 'written_off', written_off_at = now(), write_off_reason = 'x' where id = 1";
    an_agreed_trade_has_not_paid: "invoices_is_settled_fkey",
        "update invoices set status = 'paid', paid = 50, paid_at = now() where id = 1";
    an_agreed_trade_waits_for_no_void_invoice: "invoices_is_settled_fkey",
        "update invoices set status = 'void', voided_at = now(), void_reason = 'x' where id = 1";
    an_invoice_of_nothing_is_refused: "invoices_amount_check", "update invoices set amount = 0 where id = 1";
    an_invoice_has_a_currency: "invoices_currency_check", "update invoices set currency = 'usd' where id = 1";
    an_invoice_is_billed_to_somebody_who_exists: "invoices_customer_id_fkey",
        &format!("{NEW_INVOICE} (1, 1, 99, 50, 'USD', now(), '2026-01-15')");
    a_status_of_an_invoice_that_is_none_is_refused: "invoices_status_check",
        "update invoices set status = 'gone' where id = 1";
}

// Payments: I4, I8.
refused! {
    only_the_billed_customer_pays: "payments_invoice_fkey",
        &format!("{NEW_PAYMENT} (1, 3, 2, 5, 'USD', 'pending', false, 'key-2', now())");
    only_in_the_currency_of_the_bill: "payments_invoice_fkey",
        &format!("{NEW_PAYMENT} (1, 1, 1, 5, 'EUR', 'pending', false, 'key-2', now())");
    only_with_a_card_that_is_theirs: "payments_credit_card_fkey",
        &format!("{NEW_PAYMENT} (1, 3, 1, 5, 'USD', 'pending', false, 'key-2', now())");
    two_payments_cannot_share_a_charge_key: "payments_charge_key_key",
        &format!("{NEW_PAYMENT} (1, 1, 1, 5, 'USD', 'pending', false, 'key-1', now())");
    a_failed_payment_says_why: "payments_failed_check", "update payments set failure_code = null where id = 1";
    only_a_failed_payment_says_why: "payments_failed_check", "update payments set status = 'cancelled' where id = 1";
    a_settled_payment_says_when: "payments_settled_check", "update payments set settled_at = null where id = 1";
    a_payment_under_way_is_not_settled: "payments_settled_check",
        "update payments set status = 'pending', failure_code = null where id = 1";
    a_payment_that_succeeded_has_a_reference: "payments_reference_check",
        &format!("{CHARGE}, gateway_reference = null where id = 1");
    a_payment_that_waits_for_its_payer_has_a_reference: "payments_reference_check",
        &format!("{ASK_PAYER}, action_kind = 'redirect', gateway_reference = null where id = 1");
    a_payment_that_waits_for_its_payer_says_for_what: "payments_action_check", &format!("{ASK_PAYER} where id = 1");
    a_payment_that_waits_for_nobody_keeps_no_kind: "payments_action_check",
        "update payments set action_kind = 'redirect' where id = 1";
    a_payment_that_waits_for_nobody_keeps_no_address: "payments_action_check",
        "update payments set action_url = 'https://bank.example' where id = 1";
    a_payment_that_waits_for_nobody_keeps_no_secret: "payments_action_check",
        "update payments set action_client_secret = 'secret' where id = 1";
    refunds_do_not_exceed_their_payment: "payments_refunded_check",
        &format!("{CHARGE}, refunded = 20, refunding = 31 where id = 1");
    what_was_refunded_of_a_payment_is_not_negative: "payments_refunded_check",
        &format!("{CHARGE}, refunded = -1, refunding = 2 where id = 1");
    what_is_being_refunded_is_not_negative: "payments_refunded_check",
        &format!("{CHARGE}, refunded = 2, refunding = -1 where id = 1");
    a_payment_that_did_not_succeed_was_not_refunded: "payments_refunded_check",
        "update payments set refunded = 1 where id = 1";
    a_payment_that_did_not_succeed_is_not_being_refunded: "payments_refunded_check",
        "update payments set refunding = 1 where id = 1";
    a_payment_of_nothing_is_refused: "payments_amount_check", "update payments set amount = 0 where id = 1";
    a_payment_has_a_currency: "payments_currency_check", "update payments set currency = 'usd' where id = 1";
    a_status_of_a_payment_that_is_none_is_refused: "payments_status_check",
        "update payments set status = 'gone', settled_at = null, failure_code = null where id = 1";
}

// Refunds: I8.
/// Begins refund 1, and changes it.
fn changed_refund(change: &str) -> String {
    format!("{NEW_REFUND} (1, 1, 1, 5, 'USD', 'other', '', 'pending', 'key-1', now()); update refunds set {change}")
}

refused! {
    a_refund_is_of_a_payment_that_exists: "refunds_payment_fkey",
        &format!("{NEW_REFUND} (99, 1, 1, 5, 'USD', 'other', '', 'pending', 'key-2', now())");
    a_refund_goes_to_the_one_who_paid: "refunds_payment_fkey",
        &format!("{NEW_REFUND} (1, 1, 2, 5, 'USD', 'other', '', 'pending', 'key-2', now())");
    a_refund_is_in_the_currency_of_the_payment: "refunds_payment_fkey",
        &format!("{NEW_REFUND} (1, 1, 1, 5, 'EUR', 'other', '', 'pending', 'key-2', now())");
    two_refunds_cannot_share_a_key: "refunds_refund_key_key", &format!("{NEW_REFUND} (1, 1, 1, 5, 'USD', 'other', '', 'pending', 'key-2', now()), \
            (1, 1, 1, 5, 'USD', 'other', '', 'pending', 'key-2', now())");
    a_refund_of_nothing_is_refused: "refunds_amount_check", &changed_refund("amount = 0");
    a_refund_has_a_currency: "refunds_currency_check", &changed_refund("currency = 'usd'");
    a_reason_of_a_refund_that_is_none_is_refused: "refunds_reason_check",
        &changed_refund("reason = 'whim'");
    a_status_of_a_refund_that_is_none_is_refused: "refunds_status_check",
        &changed_refund("status = 'gone', settled_at = now()");
    a_settled_refund_says_when: "refunds_settled_check",
        &changed_refund("status = 'succeeded', gateway_reference = 'ref'");
    a_pending_refund_is_not_settled: "refunds_settled_check", &changed_refund("settled_at = now()");
    a_failed_refund_says_why: "refunds_failed_check",
        &changed_refund("status = 'failed', settled_at = now()");
    a_refund_that_succeeded_has_a_reference: "refunds_reference_check",
        &changed_refund("status = 'succeeded', settled_at = now()");
}

// Claims.
refused! {
    a_key_that_is_no_hash_is_refused: "idempotency_records_key_check",
        &format!("{NEW_CLAIM} ('plain', {ZEROES_16}, {ZEROES_32}, now(), now(), null)");
    a_holder_that_is_no_random_name_is_refused: "idempotency_records_holder_check",
        &format!("{NEW_CLAIM} ({ZEROES_32}, 'me', {ZEROES_32}, now(), now(), null)");
    a_fingerprint_that_is_none_is_refused: "idempotency_records_fingerprint_check",
        &format!("{NEW_CLAIM} ({ZEROES_32}, {ZEROES_16}, 'body', now(), now(), null)");
    the_oldest_version_is_one: "schema_compatibility_one_row_check",
        "insert into schema_compatibility (id, oldest_migration) values (false, 1)";
    a_row_was_made_by_an_effect_only: "idempotency_records_made_check",
        &format!("{NEW_CLAIM} ({ZEROES_32}, {ZEROES_16}, {ZEROES_32}, now(), now(), 1)");
}

// Events.
refused! {
    there_is_one_last_event: "event_log_one_row_check", "insert into event_log (id, last_id, cleared_id) values (false, 1, 0)";
    no_more_events_are_cleared_than_there_were: "event_log_cleared_check", "update event_log set cleared_id = last_id + 1";
}

// Webhooks.
refused! {
    a_reason_that_is_none_switches_no_endpoint_off: "webhook_endpoints_disabled_check",
        "update webhook_endpoints set is_active = false, disabled_reason = 'mood'";
    an_active_endpoint_was_not_switched_off: "webhook_endpoints_disabled_check",
        "update webhook_endpoints set disabled_reason = 'gone'";
    a_previous_secret_ends: "webhook_endpoints_previous_check", "update webhook_endpoints set previous_secrets = '{whsec_b2xk}'";
    what_ends_is_a_previous_secret: "webhook_endpoints_previous_check", "update webhook_endpoints set previous_until = array[now()]";
    the_version_of_an_endpoint_is_positive: "webhook_endpoints_version_check", "update webhook_endpoints set version = 0";
    a_position_is_that_of_an_endpoint: "webhook_positions_endpoint_id_fkey", "insert into webhook_positions values (99, 0, null)";
    a_delivery_goes_to_an_endpoint: "webhook_deliveries_endpoint_id_fkey",
        &format!("{NEW_DELIVERY} (99, null, null, 'failed', null, 0, '{{}}', now())");
    a_delivery_knows_the_type_of_its_event: "webhook_deliveries_event_check",
        &format!("{NEW_DELIVERY} (1, 1, null, 'failed', null, 0, '{{}}', now())");
    a_test_is_of_no_type: "webhook_deliveries_event_check",
        &format!("{NEW_DELIVERY} (1, null, 'trade.opened', 'failed', null, 0, '{{}}', now())");
    a_status_of_a_delivery_that_is_none_is_refused: "webhook_deliveries_status_check",
        &format!("{NEW_DELIVERY} (1, null, null, 'lost', null, 0, '{{}}', now())");
    a_pending_delivery_says_when_it_is_tried: "webhook_deliveries_pending_check",
        "update webhook_deliveries set next_attempt_at = null";
    a_delivery_that_was_taken_is_not_tried_again: "webhook_deliveries_pending_check",
        "update webhook_deliveries set status = 'succeeded'";
    nobody_holds_a_delivery_that_was_taken: "webhook_deliveries_held_check",
        "update webhook_deliveries set status = 'succeeded', next_attempt_at = null, held_until = now()";
    a_delivery_was_not_tried_less_than_never: "webhook_deliveries_tries_check", "update webhook_deliveries set tries = -1";
}

// Mail.
refused! {
    a_kind_of_mail_that_is_none_is_refused: "mails_kind_check", "update mails set kind = 'advertisement'";
    a_mail_goes_to_somebody: "mails_recipient_check", "update mails set customer_id = null";
    a_mail_goes_to_one_recipient: "mails_recipient_check", "update mails set address = 'ada@example.com'";
    a_customer_gets_one_mail_of_a_kind_for_an_event: "mails_once_key",
        &format!("{NEW_MAIL} ('invoice_issued', 1, 1, null, null, '{{}}', 'sent', null, 1, now())");
    an_address_of_a_user_gets_one_mail_of_a_kind_for_an_event: "mails_once_key",
        &format!("{NEW_MAIL} ('email_changed', 1, null, 1, 'x', '{{}}', 'sent', null, 1, now()), \
            ('email_changed', 1, null, 1, 'x', '{{}}', 'sent', null, 1, now())");
    a_status_of_a_mail_that_is_none_is_refused: "mails_status_check",
        "update mails set status = 'lost', next_attempt_at = null";
    a_pending_mail_says_when_it_is_sent: "mails_pending_check", "update mails set next_attempt_at = null";
    a_mail_that_was_sent_is_not_sent_again: "mails_pending_check", "update mails set status = 'sent'";
    nobody_holds_a_mail_that_was_sent: "mails_held_check",
        "update mails set status = 'sent', next_attempt_at = null, held_until = now()";
    a_mail_was_not_tried_less_than_never: "mails_tries_check", "update mails set tries = -1";
}

/// If a constraint had no test above, it could be lost unnoticed. Unique keys that contain the primary key, which exist as
/// targets of foreign keys, cannot be broken.
#[tokio::test]
async fn each_constraint_has_its_test() {
    let database = TestDatabase::create().await;
    let mut connection = database.connection().await;
    let names = sqlx::query_scalar::<_, String>(
        "select conname::text
         from pg_constraint c
         where connamespace = 'public'::regnamespace
             and contype in ('c', 'f', 'u', 'x')
             and not exists (
                 select from pg_constraint p
                 where p.conrelid = c.conrelid and p.contype = 'p' and c.contype = 'u' and p.conkey <@ c.conkey
             )
         union all
         select i.indexrelid::regclass::text
         from pg_index i
         join pg_class t on t.oid = i.indrelid
         where t.relnamespace = 'public'::regnamespace
             and i.indisunique
             and not exists (select from pg_constraint k where k.conindid = i.indexrelid)",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    drop(connection);
    database.drop().await;
    let tests = include_str!("constraints.rs");
    let untested: Vec<_> = names.iter().filter(|name| !tests.contains(&format!(": \"{name}\""))).collect();
    assert!(untested.is_empty() && names.len() > 50, "{untested:?} of {}", names.len());
}
