//! What a client may do in a minute (rule 7.3): fail to log in, and register; and how many streams
//! a user may have open (rule 8.7). The counts are kept in this process only, so each of
//! several servers counts on its own.

mod known;
mod limit;
mod login;
mod registration;
mod streams;

pub(crate) use limit::TooMany;
pub(crate) use login::{LoginThrottle, Subject, limit_logins};
pub(crate) use registration::{RegistrationThrottle, limit_registrations};
pub(crate) use streams::{OpenStream, Streams};
