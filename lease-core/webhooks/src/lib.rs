#![doc = include_str!("../README.md")]

mod connector;
mod failure;
mod resolver;
mod sender;
mod signature;

pub use resolver::{Resolver, SystemResolver};
pub use sender::{SenderError, WebhookSender, WebhookSenderBuilder};
