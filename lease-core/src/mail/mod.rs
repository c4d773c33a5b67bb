//! Mails (rules 9.3 to 9.5): who gets which notice and when, and the [`Mailer`], which sends them.

mod ask;
mod delivery;
mod mailer;
mod notice;
#[cfg(feature = "passwords")]
mod password_reset;

pub use ask::ask_for_verification;
pub use delivery::{address, after_try, greeted_as, present_facts, told_at};
#[cfg(feature = "mock")]
pub use mailer::MockMailer;
pub use mailer::{Letter, MailError, Mailer};
pub use notice::{NOTICED, Notice, NoticeTo, notices, trade_to_read};
#[cfg(feature = "passwords")]
pub use password_reset::ask_for_password_reset;
