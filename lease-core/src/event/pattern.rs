use std::fmt;
use std::str::FromStr;

use super::{EventType, SubjectKind};

/// One type of events, or all about objects of a kind: `invoice.paid`, `trade.*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventPattern {
    /// Events of this type.
    Type(EventType),
    /// Events about objects of this kind.
    Kind(SubjectKind),
}

impl EventPattern {
    /// Whether events of this type fit the pattern.
    #[must_use]
    pub fn matches(self, event_type: EventType) -> bool {
        match self {
            Self::Type(one) => one == event_type,
            Self::Kind(kind) => kind == event_type.subject_kind(),
        }
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(one) => write!(f, "{one}"),
            Self::Kind(kind) => write!(f, "{kind}.*"),
        }
    }
}

impl FromStr for EventPattern {
    type Err = InvalidEventPattern;

    fn from_str(text: &str) -> Result<Self, InvalidEventPattern> {
        let pattern = match text.strip_suffix(".*") {
            Some(kind) => kind.parse().map(Self::Kind),
            None => text.parse().map(Self::Type),
        };
        pattern.map_err(|_| InvalidEventPattern)
    }
}

#[cfg(feature = "serde")]
crate::as_text::as_text!(EventPattern);

/// The error for a text that names no type of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There is no such type of event.")]
pub struct InvalidEventPattern;
