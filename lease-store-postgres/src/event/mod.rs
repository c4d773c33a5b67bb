//! Events. A commit writes its own into the inbox (`write`). They get their ids after the commit, from whoever reads next.

mod consumer;
mod list;
mod write;

pub(crate) use write::{NewEvents, push_events};
