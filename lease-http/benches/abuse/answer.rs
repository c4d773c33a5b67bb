//! What becomes of the attackers' requests.

use std::sync::Mutex;

use reqwest::StatusCode;
use strum::{EnumCount, VariantArray};

/// The end of a request or of a connection.
#[derive(Clone, Copy, Debug, strum::Display, EnumCount, VariantArray)]
pub(crate) enum Answer {
    #[strum(serialize = "2xx")]
    Success,
    #[strum(serialize = "4xx")]
    Refused,
    #[strum(serialize = "429")]
    Throttled,
    #[strum(serialize = "503")]
    Unavailable,
    /// An error that the server should not have.
    #[strum(serialize = "other")]
    Other,
    /// The server closed the connection without an answer, or could not be reached.
    #[strum(serialize = "closed")]
    Closed,
    /// The attacker hung up.
    #[strum(serialize = "hung up")]
    HungUp,
}

impl Answer {
    pub(crate) fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::TOO_MANY_REQUESTS => Self::Throttled,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            _ if status.is_success() => Self::Success,
            _ if status.is_client_error() => Self::Refused,
            _ => Self::Other,
        }
    }
}

/// Counts attempts and their ends.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

/// How many attempts there were, and how many have ended in which way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) attempts: u64,
    ended: [u64; Answer::COUNT],
}

impl Tally {
    pub(crate) fn begin(&self) {
        self.0.lock().unwrap().attempts += 1;
    }

    pub(crate) fn end(&self, answer: Answer) {
        self.0.lock().unwrap().ended[answer as usize] += 1;
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.0.lock().unwrap()
    }
}

impl Counts {
    pub(crate) fn ended(&self, answer: Answer) -> u64 {
        self.ended[answer as usize]
    }

    pub(crate) fn all_ended(&self) -> u64 {
        self.ended.iter().sum()
    }
}
