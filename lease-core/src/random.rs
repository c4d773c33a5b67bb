//! Randomness is an input too. It is used for tokens, charge keys and the pauses between retries.

use std::fmt::Debug;

/// A source of random bytes fit for secrets.
pub trait Randomness: Debug + Send + Sync + 'static {
    /// Fills the buffer.
    ///
    /// # Errors
    /// [`RandomnessError`] if the source fails.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomnessError>;
}

/// The operating system's random number generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandomness;

impl Randomness for OsRandomness {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomnessError> {
        getrandom::fill(buffer).map_err(|_| RandomnessError)
    }
}

/// The error of a source of randomness that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no random bytes are available")]
pub struct RandomnessError;
