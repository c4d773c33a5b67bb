//! What an app needs if its users have passwords here (feature `passwords`): the work on passwords, which of them are accepted,
//! registering, logging in, and new passwords.

mod hasher;
mod login;
mod new_password;
mod policy;
mod register;

pub(crate) use hasher::PasswordWork;
pub use hasher::{PasswordError, PasswordHasher, PasswordParams, Verified};
pub use login::{check_login, check_repeated_registration, log_in, password_to_verify};
pub use new_password::{
    PasswordChangeDraft, PasswordConfirmationDraft, PasswordResetDraft, account_to_reset, check_password_change,
    check_password_reset,
};
pub(super) use register::note_policy_errors;
pub use register::{Registrant, RegistrationDraft, check_first_superuser, check_new_user, check_registration};
