//! The room for connections: how many there are, and which of them makes way for a new one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// The number of places beyond the limit, for operators.
const FOR_OPERATORS: usize = 16;

/// The room for connections. Cheap to clone; clones share the places.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limit: usize,
    opened: Instant,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    taken: HashMap<u64, Arc<State>>,
    /// The number of the next place.
    next: u64,
}

/// What a connection may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Any request.
    Everything,
    /// The endpoints of operators: the connection is beyond the limit.
    Operators,
}

#[derive(Debug)]
struct State {
    /// Since when the server waits for the peer, in milliseconds after the room was opened; [`WORKING`] if the peer waits for the
    /// server.
    waiting_since: AtomicU64,
    given_up: CancellationToken,
}

/// The peer waits for the server.
const WORKING: u64 = u64::MAX;

impl Room {
    /// An empty room for this many connections.
    pub(crate) fn new(limit: usize) -> Self {
        Self { shared: Arc::new(Shared::new(limit)) }
    }

    /// Takes a place. If there is none, the connection that has waited longest for its peer makes way. If the server is at work for
    /// all of them, the place is one for operators; `None` if these are taken, too.
    pub(crate) fn enter(&self) -> Option<Place> {
        let now = self.now();
        let mut places = self.places();
        let mut is_for = Use::Everything;
        if places.taken.len() >= self.shared.limit && !places.make_way() {
            is_for = Use::Operators;
            if places.taken.len() >= self.shared.limit + FOR_OPERATORS {
                return None;
            }
        }
        let state = Arc::new(State { waiting_since: AtomicU64::new(now), given_up: CancellationToken::new() });
        let number = places.next;
        places.next += 1;
        places.taken.insert(number, Arc::clone(&state));
        Some(Place { room: self.clone(), number, state, is_for })
    }

    /// Gives up the connections that have waited for their peer for longer than `patience`.
    pub(crate) fn send_away(&self, patience: Duration) {
        let now = self.now();
        let patience = milliseconds(patience);
        for state in self.places().taken.values() {
            if state.waiting_since().is_some_and(|since| now.saturating_sub(since) > patience) {
                state.given_up.cancel();
            }
        }
    }

    fn now(&self) -> u64 {
        milliseconds(self.shared.opened.elapsed())
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.shared.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn new(limit: usize) -> Self {
        Self { limit, opened: Instant::now(), places: Mutex::default() }
    }
}

impl Places {
    /// Gives up the connection that has waited longest for its peer; `false` if none of them waits.
    fn make_way(&mut self) -> bool {
        let waiting = self.taken.iter().filter_map(|(number, state)| Some((state.waiting_since()?, *number)));
        let Some(longest) = waiting.min().and_then(|(_, number)| self.taken.remove(&number)) else { return false };
        longest.given_up.cancel();
        true
    }
}

impl State {
    fn waiting_since(&self) -> Option<u64> {
        Some(self.waiting_since.load(Ordering::Relaxed)).filter(|since| *since != WORKING)
    }
}

/// The place of one connection, which is free again when this is dropped. At first the server waits for a request.
#[derive(Debug)]
pub(crate) struct Place {
    room: Room,
    number: u64,
    state: Arc<State>,
    is_for: Use,
}

impl Place {
    /// What the connection may be used for.
    pub(crate) const fn is_for(&self) -> Use {
        self.is_for
    }

    /// The server works for the peer.
    pub(crate) fn work(&self) {
        self.state.waiting_since.store(WORKING, Ordering::Relaxed);
    }

    /// The server waits for the peer; since now, unless it did already.
    pub(crate) fn wait(&self) {
        let now = self.room.now();
        // If this fails, the server is already waiting.
        let _ = self.state.waiting_since.compare_exchange(WORKING, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Waits until the connection has to make way.
    pub(crate) async fn given_up(&self) {
        self.state.given_up.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.places().taken.remove(&self.number);
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(WORKING - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_given_up(place: &Place) -> bool {
        place.state.given_up.is_cancelled()
    }

    /// A place that has waited since this instant.
    fn waiting_since(room: &Room, since: u64) -> Place {
        let place = room.enter().unwrap();
        place.state.waiting_since.store(since, Ordering::Relaxed);
        place
    }

    #[test]
    fn the_connection_that_has_waited_longest_makes_way() {
        let room = Room::new(3);
        let (newer, oldest, working) = (waiting_since(&room, 2), waiting_since(&room, 1), waiting_since(&room, 0));
        working.work();
        let next = room.enter().unwrap();
        assert_eq!((is_given_up(&newer), is_given_up(&oldest), is_given_up(&working)), (false, true, false));
        assert_eq!(next.is_for(), Use::Everything);
    }

    #[test]
    fn while_the_server_works_for_all_of_them_there_are_places_for_operators_only() {
        let room = Room::new(2);
        let enter = || {
            let place = room.enter()?;
            place.work();
            Some(place)
        };
        let usual: Vec<_> = (0..2).map(|_| enter().unwrap()).collect();
        let operators: Vec<_> = (0..FOR_OPERATORS).map(|_| enter().unwrap()).collect();
        assert!(usual.iter().all(|place| place.is_for() == Use::Everything));
        assert!(operators.iter().all(|place| place.is_for() == Use::Operators));
        assert!(room.enter().is_none());
        assert!(!usual.iter().chain(&operators).any(is_given_up));

        drop(operators);
        drop(usual);
        assert_eq!(room.enter().unwrap().is_for(), Use::Everything);
    }

    #[test]
    fn a_place_that_was_given_up_frees_no_second_one() {
        let room = Room::new(1);
        let first = waiting_since(&room, 0);
        let second = room.enter().unwrap();
        second.work();
        drop(first);
        assert_eq!(room.enter().unwrap().is_for(), Use::Operators);
    }

    #[test]
    fn waiting_begins_once_and_ends_with_work() {
        let room = Room::new(1);
        let place = waiting_since(&room, 0);
        place.wait();
        assert_eq!(place.state.waiting_since(), Some(0));
        place.work();
        assert_eq!(place.state.waiting_since(), None);
        place.wait();
        assert!(place.state.waiting_since().is_some());
    }

    #[test]
    fn only_peers_who_keep_the_server_waiting_are_sent_away() {
        let room = Room {
            shared: Arc::new(Shared { opened: Instant::now().checked_sub(Duration::from_secs(9)).unwrap(), ..Shared::new(9) }),
        };
        let (long, short, working) = (waiting_since(&room, 0), waiting_since(&room, 8_900), waiting_since(&room, 0));
        working.work();
        room.send_away(Duration::from_secs(5));
        assert_eq!((is_given_up(&long), is_given_up(&short), is_given_up(&working)), (true, false, false));
    }
}
