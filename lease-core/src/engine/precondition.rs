use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::Error;

/// What a client makes a condition of a command, beside its rules: that an object is still what they have seen (rule 6.9).
///
/// The engine asks after it has loaded and decided, and before each attempt to commit. A commit is refused if its row has changed since
/// it was loaded, so what was asked about is what is changed: of two who have seen the same, one wins.
#[derive(Clone)]
pub struct Precondition(Arc<dyn Fn() -> Answer + Send + Sync>);

type Answer = Pin<Box<dyn Future<Output = Result<bool, Error>> + Send>>;

impl Precondition {
    /// A precondition that holds if this says so. It reads anew each time that it is called.
    pub fn new<F>(holds: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<bool, Error>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(holds())))
    }

    /// Succeeds if it holds now.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`] if it does not.
    pub(super) async fn require(&self) -> Result<(), Error> {
        if (self.0)().await? { Ok(()) } else { Err(Error::PreconditionFailed) }
    }
}

impl fmt::Debug for Precondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Precondition(…)")
    }
}

/// Only a clone of a precondition is known to be the same.
impl PartialEq for Precondition {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Precondition {}
