//! The memory for what is on its way from clients and to them. All of it is bounded, and one network may have a half of it at most,
//! so that clients who send or take slowly can neither fill the memory nor keep it from others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lease_core::client::ClientNetwork;

/// A bounded amount of memory. Cheap to clone; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    most: usize,
    used: Arc<Mutex<Used>>,
}

#[derive(Debug, Default)]
struct Used {
    total: usize,
    by_network: HashMap<ClientNetwork, usize>,
}

impl Memory {
    /// This many bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, used: Arc::default() }
    }

    /// Takes some bytes for a client; `None` if there are too few left, or if its network would have more than a half. They are given
    /// back when what this returns is dropped.
    pub(crate) fn take(&self, client: Option<ClientNetwork>, bytes: usize) -> Option<Taken> {
        let mut taken = self.nothing_for(client);
        taken.take(bytes).then_some(taken)
    }

    /// Nothing yet, for a client who will need some.
    pub(crate) fn nothing_for(&self, client: Option<ClientNetwork>) -> Taken {
        Taken { memory: self.clone(), client, bytes: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some bytes of the memory.
#[derive(Debug)]
#[must_use]
pub(crate) struct Taken {
    memory: Memory,
    client: Option<ClientNetwork>,
    bytes: usize,
}

impl Taken {
    /// Takes more of the memory; `false` if there is too little of it.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let mut used = self.memory.lock();
        let of_network = self.client.map_or(0, |client| used.by_network.get(&client).copied().unwrap_or_default());
        let fits = used.total + bytes <= self.memory.most && of_network + bytes <= self.memory.most / 2;
        if fits {
            used.total += bytes;
            self.bytes += bytes;
            if let Some(client) = self.client {
                used.by_network.insert(client, of_network + bytes);
            }
        }
        fits
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut used = self.memory.lock();
        used.total = used.total.saturating_sub(self.bytes);
        let Some(client) = self.client else { return };
        if let Some(of_network) = used.by_network.get_mut(&client) {
            *of_network = of_network.saturating_sub(self.bytes);
            if *of_network == 0 {
                used.by_network.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(last: u8) -> ClientNetwork {
        ClientNetwork::of(std::net::Ipv4Addr::new(10, 0, 0, last).into())
    }

    #[test]
    fn memory_is_bounded_and_given_back() {
        let memory = Memory::new(10);
        let first = memory.take(None, 5).unwrap();
        let second = memory.take(Some(network(1)), 5).unwrap();
        assert!(memory.take(Some(network(2)), 1).is_none());
        drop(first);
        let third = memory.take(Some(network(2)), 5).unwrap();
        drop((second, third));
        assert!(memory.lock().total == 0 && memory.lock().by_network.is_empty());
    }

    #[test]
    fn a_network_has_a_half_at_most() {
        let memory = Memory::new(10);
        let _first = memory.take(Some(network(1)), 3).unwrap();
        assert!(memory.take(Some(network(1)), 3).is_none());
        let _second = memory.take(Some(network(1)), 2).unwrap();
        let _other = memory.take(Some(network(2)), 5).unwrap();
    }
}
