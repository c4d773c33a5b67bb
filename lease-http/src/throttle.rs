//! What a client may do in a minute (rule 7.3): fail to log in, and register. The counts are kept in this process only, so each of
//! several servers counts on its own.

mod known;
mod limit;
mod login;
mod registration;

pub(crate) use limit::TooMany;
pub(crate) use login::{LoginThrottle, limit_logins};
pub(crate) use registration::{RegistrationThrottle, limit_registrations};
