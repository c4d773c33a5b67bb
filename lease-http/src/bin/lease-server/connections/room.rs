//! The room for connections: how many there are, and which of them makes way for a new one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lease_core::client::ClientNetwork;
use tokio_util::sync::CancellationToken;

/// The number of places beyond the limit, for operators.
pub(super) const OPERATORS: usize = 16;

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
    /// From this instant on, peers are not waited for.
    stopped_at: Option<u64>,
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
    is_for: Use,
    network: Option<ClientNetwork>,
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
    /// all of them, the place is one for operators; `None` if these are taken in the same way.
    ///
    /// The connections of one network have three quarters of the places at most, unless it is not known from which network they
    /// come.
    pub(crate) fn enter(&self, network: Option<ClientNetwork>) -> Option<Place> {
        let limit = self.shared.limit;
        let mut places = self.places();
        let is_for = if places
            .admits(limit - limit / 4, |state| state.is_ordinary() && network.is_some() && state.network == network)
            && places.admits(limit, State::is_ordinary)
        {
            Use::Everything
        } else if places.admits(OPERATORS, |state| !state.is_ordinary()) {
            Use::Operators
        } else {
            return None;
        };
        let waiting_since = AtomicU64::new(self.now());
        let state = Arc::new(State { is_for, network, waiting_since, given_up: CancellationToken::new() });
        let number = places.next;
        places.next += 1;
        places.taken.insert(number, Arc::clone(&state));
        Some(Place { room: self.clone(), number, state })
    }

    /// Gives up the connections that have kept a stopping server waiting for longer than `patience`. The time before the first call
    /// does not count.
    pub(crate) fn send_away(&self, patience: Duration) {
        let (now, patience) = (self.now(), milliseconds(patience));
        let mut places = self.places();
        let stopped_at = *places.stopped_at.get_or_insert(now);
        for state in places.taken.values() {
            if state.waiting_since().is_some_and(|since| now.saturating_sub(since.max(stopped_at)) > patience) {
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
    /// Whether there is room for one more of these connections, of which there may be so many. If there is not, the one of them that
    /// has waited longest for its peer makes way; `false` if none of them waits.
    fn admits(&mut self, most: usize, are_these: impl Fn(&State) -> bool) -> bool {
        let these = || self.taken.iter().filter(|(_, state)| are_these(state));
        if these().count() < most {
            return true;
        }
        let waiting = these().filter_map(|(number, state)| Some((state.waiting_since()?, *number)));
        let Some(longest) = waiting.min().and_then(|(_, number)| self.taken.remove(&number)) else { return false };
        longest.given_up.cancel();
        true
    }
}

impl State {
    fn is_ordinary(&self) -> bool {
        self.is_for == Use::Everything
    }

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
}

impl Place {
    /// What the connection may be used for.
    pub(crate) fn is_for(&self) -> Use {
        self.state.is_for
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

    /// The peer has taken a part of a response. If the server waits for it, it does so only since now.
    pub(crate) fn progress(&self) {
        let now = self.room.now();
        // If this fails, the server is at work.
        let _ = self
            .state
            .waiting_since
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |since| (since != WORKING).then_some(now));
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

    impl Room {
        /// A place for a client of an unknown network.
        fn anyone(&self) -> Option<Place> {
            self.enter(None)
        }
    }

    fn is_given_up(place: &Place) -> bool {
        place.state.given_up.is_cancelled()
    }

    /// A place that has waited since this instant.
    fn waiting_since(room: &Room, since: u64) -> Place {
        let place = room.anyone().unwrap();
        place.state.waiting_since.store(since, Ordering::Relaxed);
        place
    }

    #[test]
    fn the_connection_that_has_waited_longest_makes_way() {
        let room = Room::new(3);
        let (newer, oldest, working) = (waiting_since(&room, 2), waiting_since(&room, 1), waiting_since(&room, 0));
        working.work();
        let next = room.anyone().unwrap();
        assert_eq!((is_given_up(&newer), is_given_up(&oldest), is_given_up(&working)), (false, true, false));
        assert_eq!(next.is_for(), Use::Everything);
    }

    #[test]
    fn while_the_server_works_for_all_of_them_there_are_places_for_operators_only() {
        let room = Room::new(2);
        let enter = || {
            let place = room.anyone()?;
            place.work();
            Some(place)
        };
        let usual: Vec<_> = (0..2).map(|_| enter().unwrap()).collect();
        let operators: Vec<_> = (0..OPERATORS).map(|_| enter().unwrap()).collect();
        assert!(usual.iter().all(|place| place.is_for() == Use::Everything));
        assert!(operators.iter().all(|place| place.is_for() == Use::Operators));
        assert!(room.anyone().is_none());
        assert!(!usual.iter().chain(&operators).any(is_given_up));

        drop(operators);
        drop(usual);
        assert_eq!(room.anyone().unwrap().is_for(), Use::Everything);
    }

    #[test]
    fn a_place_that_was_given_up_frees_no_second_one() {
        let room = Room::new(1);
        let first = waiting_since(&room, 0);
        let second = room.anyone().unwrap();
        second.work();
        drop(first);
        assert_eq!(room.anyone().unwrap().is_for(), Use::Operators);
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
    fn only_peers_who_keep_a_stopping_server_waiting_are_sent_away() {
        let opened = Instant::now().checked_sub(Duration::from_secs(9)).unwrap();
        let room = Room { shared: Arc::new(Shared { opened, ..Shared::new(9) }) };
        let (long, working) = (waiting_since(&room, 0), waiting_since(&room, 0));
        working.work();
        room.send_away(Duration::from_secs(5));
        assert!(!is_given_up(&long), "the time before the stop does not count");
        room.places().stopped_at = Some(1_000);
        let short = waiting_since(&room, 8_900);
        room.send_away(Duration::from_secs(5));
        assert_eq!((is_given_up(&long), is_given_up(&short), is_given_up(&working)), (true, false, false));
    }

    #[test]
    fn an_idle_operator_makes_way_for_an_operator_only() {
        let room = Room::new(1);
        let usual = room.anyone().unwrap();
        usual.work();
        let operators: Vec<_> = (0..OPERATORS).map(|_| room.anyone().unwrap()).collect();
        for _ in 0..2 * OPERATORS {
            let next = room.anyone().unwrap();
            assert_eq!(next.is_for(), Use::Operators);
        }
        assert!(operators.iter().any(is_given_up) && !is_given_up(&usual));
    }

    #[test]
    fn one_network_cannot_take_all_the_places() {
        let network = |last: u8| Some(ClientNetwork::of(std::net::Ipv4Addr::new(10, 0, 0, last).into()));
        let room = Room::new(4);
        let enter = |last| {
            let place = room.enter(network(last)).unwrap();
            place.work();
            place
        };
        let of_one: Vec<_> = (0..4).map(|_| enter(1)).collect();
        assert_eq!(of_one[3].is_for(), Use::Operators);
        assert_eq!(enter(2).is_for(), Use::Everything);
        of_one[0].wait();
        assert_eq!(enter(1).is_for(), Use::Everything, "it takes the place of another of its own");
        assert!(is_given_up(&of_one[0]));
    }

    #[test]
    fn a_peer_who_takes_a_response_outlives_an_idle_one() {
        let opened = Instant::now().checked_sub(Duration::from_secs(9)).unwrap();
        let room = Room { shared: Arc::new(Shared { opened, ..Shared::new(2) }) };
        let (reader, idle) = (waiting_since(&room, 1), waiting_since(&room, 2));
        reader.progress();
        let _next = room.anyone().unwrap();
        assert_eq!((is_given_up(&reader), is_given_up(&idle)), (false, true));
        reader.work();
        reader.progress();
        assert_eq!(reader.state.waiting_since(), None);
    }
}
