//! Tests of the REST layer and the server from the outside.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is how a test fails")]

mod account_pages;
mod accounts;
mod annotations;
mod app;
mod available_actions;
mod console;
mod cycle;
mod deadlines;
mod docs_page;
mod entered_cards;
mod errors;
mod etags;
mod event_stream;
mod events;
mod examples;
mod idempotency;
mod input;
mod lists;
mod mail_folder;
mod mails;
mod message_server;
mod openapi_document;
mod ops;
mod own_rules;
mod own_users;
mod passwords;
mod payers;
mod permissions;
mod process;
mod refunds;
mod representations;
mod server;
mod stream_server;
mod support;
mod test_clock;
mod throttle;
mod tokens;
mod views;
mod webhooks;
