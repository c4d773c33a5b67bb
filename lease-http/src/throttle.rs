//! What a client may do in a minute (rule 7.3): fail to log in, register, and ask for mails; and how many streams a user may have open
//! (rule 8.7). The counts are kept in this process only, so each of several servers counts on its own.

mod client;
mod limit;
#[cfg(feature = "passwords")]
mod login;
mod streams;

pub(crate) use client::{ClientThrottle, limit_mails};
pub(crate) use limit::TooMany;
#[cfg(feature = "passwords")]
pub(crate) use login::{
    AccountLimits, LoginThrottle, limit_keyed_links, limit_logins, limit_password_changes, limit_registrations,
};
pub(crate) use streams::{OpenStream, Streams};
