//! The mailer: its texts, its mails, and what becomes of them at a mail server that others wrote, aiosmtpd.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is how a test fails")]

mod config;
mod folder;
mod overrides;
mod smtp;
mod smtp_failures;
mod support;
mod texts;
mod tls;
