//! The rules of the core, area by area. Each test names its rule.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is how a test fails")]

mod accept;
mod apply;
mod calendar;
mod cancel;
mod cards;
mod conformance;
mod directory;
mod django_passwords;
mod engine;
mod events;
mod exhaustive;
mod fees;
mod how_we_know;
mod invoices;
mod lifecycle_properties;
mod mailed_links;
mod mails;
mod open;
mod own_users;
mod passwords;
mod payments;
mod permission_matrix;
mod propose;
mod reasons;
mod refunds;
mod registration;
mod reject_and_withdraw;
mod rule_references;
mod secrets;
mod services;
mod skeleton;
mod support;
mod test_clock;
mod tokens;
mod travel;
mod users;
mod values;
mod vehicles;
mod visibility;
mod waiting_payments;
mod webhook_addresses;
mod webhooks;
mod world;
