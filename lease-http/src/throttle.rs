//! What a client may do in a minute (rule 7.3): fail to log in, register, and ask for mails; and how many streams a user may have open
//! (rule 8.7). The counts are kept in this process only, so each of several servers counts on its own.

mod client;
mod known;
mod limit;
mod login;
mod streams;

pub(crate) use client::{ClientThrottle, limit_keyed_links, limit_mails, limit_registrations};
pub(crate) use limit::TooMany;
pub(crate) use login::{LoginThrottle, limit_logins, limit_password_changes};
pub(crate) use streams::{OpenStream, Streams};
