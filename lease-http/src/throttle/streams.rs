//! The limit on open streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lease_core::id::UserId;

use super::TooMany;

/// The number of streams that a user may have open in one process.
const MOST: usize = 5;
/// Those whose client has gone are noticed when the next comment cannot be sent.
const FULL: TooMany = TooMany { retry_after: 15 };

/// Counts the open streams of each user. Cheap to clone; clones share the counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams {
    open: Arc<Mutex<HashMap<UserId, usize>>>,
}

impl Streams {
    /// Counts a stream of this user as open until the result is dropped.
    ///
    /// # Errors
    /// [`TooMany`] if the user has no place left.
    pub(crate) fn open(&self, user: UserId) -> Result<OpenStream, TooMany> {
        let mut open = self.lock();
        let of_user = open.get(&user).copied().unwrap_or_default();
        if of_user >= MOST {
            return Err(FULL);
        }
        open.insert(user, of_user + 1);
        Ok(OpenStream { streams: self.clone(), user })
    }

    /// The number of open streams.
    #[cfg(feature = "metrics")]
    pub(crate) fn count(&self) -> usize {
        self.lock().values().sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open stream.
#[derive(Debug)]
pub(crate) struct OpenStream {
    streams: Streams,
    user: UserId,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        match open.get_mut(&self.user) {
            Some(of_user) if *of_user > 1 => *of_user -= 1,
            _ => drop(open.remove(&self.user)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_five_places_and_gets_them_back() {
        let streams = Streams::default();
        let [user, other] = [1, 2].map(|id| UserId::new(id).unwrap());
        let mut open: Vec<_> = (0..MOST).map(|_| streams.open(user).unwrap()).collect();
        assert_eq!(streams.open(user).unwrap_err(), FULL);
        let others = streams.open(other).unwrap();
        open.pop();
        open.push(streams.open(user).unwrap());
        assert!(streams.open(user).is_err());
        drop((open, others));
        assert!(streams.lock().is_empty(), "nothing is kept of users without streams");
    }
}
