//! The rules of the platform, complete and in numbered chapters.
//!
//! Code and tests refer to a rule by its number: `rule 4.5` is the heading 4.5 in the chapter [`trades`], `chapter 2` is the
//! chapter [`permissions`], and `I3` is the invariant with that name in [`invoicing`]. A test checks that each of these exists.
//!
//! | chapter | about |
//! | --- | --- |
//! | 1: [`tables`] | the eleven tables, and the constraints on every value |
//! | 2: [`permissions`] | who may do and see what, and the order of checks |
//! | 3: [`accounts`] | registering, logging in, users, tokens, passwords |
//! | 4: [`trades`] | how a trade is opened, negotiated, agreed, completed and cancelled |
//! | 5: [`invoicing`] | services, invoices, payments, refunds, cards, and the invariants I1 to I9 |
//! | 6: [`api`] | customers, vehicles, contacts, leads; lists, errors, idempotency keys |
//! | 7: [`server`] | the settings and commands of `lease-server` |
//! | 8: [`events`] | what is recorded of every change, who sees it, and in which order |
//! | 9: [`messages`] | webhooks, mails, forgotten passwords, addresses that are confirmed |
//! | 10: [`console`] | the pages for staff |
//! | 11: [`test_clock`] | a clock that superusers move, to try out what time brings |
//!
//! The [`glossary`] explains the terms.

#[doc = include_str!("../docs/rules/accounts.md")]
pub mod accounts {}
#[doc = include_str!("../docs/rules/api.md")]
pub mod api {}
#[doc = include_str!("../docs/rules/console.md")]
pub mod console {}
#[doc = include_str!("../docs/rules/events.md")]
pub mod events {}
#[doc = include_str!("../docs/glossary.md")]
pub mod glossary {}
#[doc = include_str!("../docs/rules/invoicing.md")]
pub mod invoicing {}
#[doc = include_str!("../docs/rules/messages.md")]
pub mod messages {}
#[doc = include_str!("../docs/rules/permissions.md")]
pub mod permissions {}
#[doc = include_str!("../docs/rules/server.md")]
pub mod server {}
#[doc = include_str!("../docs/rules/tables.md")]
pub mod tables {}
#[doc = include_str!("../docs/rules/test_clock.md")]
pub mod test_clock {}
#[doc = include_str!("../docs/rules/trades.md")]
pub mod trades {}
