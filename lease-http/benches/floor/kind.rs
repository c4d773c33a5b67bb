//! The kinds of request that are measured.

use std::fmt;

/// One of the kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Reading a trade by its id, as a customer who has made a proposal in it.
    Read,
    /// Reading the first page of the trades that a customer may see.
    Page,
    /// A sale from the vehicle to the payment, in six requests.
    Sale,
}

impl Kind {
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "read" => Self::Read,
            "page" => Self::Page,
            "sale" => Self::Sale,
            _ => panic!("FLOOR_KINDS has read, page or sale, not {name}"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read a trade",
            Self::Page => "a page of 25 trades",
            Self::Sale => "a whole sale",
        })
    }
}
