//! Randomness is an input too: for tokens, charge keys and the spread of retries.

use std::fmt::Debug;

/// A source of random bytes fit for secrets.
pub trait Randomness: Debug + Send + Sync + 'static {
    /// Fills the buffer.
    ///
    /// # Errors
    /// [`RandomnessError`] where the source gives none.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomnessError>;
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandomness;

impl Randomness for OsRandomness {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomnessError> {
        getrandom::fill(buffer).map_err(|_| RandomnessError)
    }
}

/// The source of randomness gives none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no randomness is to be had")]
pub struct RandomnessError;
