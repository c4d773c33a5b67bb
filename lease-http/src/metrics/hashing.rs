//! The work on passwords.

use lease_core::account::PasswordHasher;
use prometheus::{IntCounter, IntGauge, Registry};

use super::as_gauge;

pub(super) struct Hashing {
    free: IntGauge,
    waiting: IntGauge,
    refused: IntCounter,
}

impl Hashing {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let free = IntGauge::new("lease_password_hashing_free", "Passwords that could be hashed now without waiting.")?;
        let waiting = IntGauge::new("lease_password_hashing_waiting", "Passwords waiting to be hashed.")?;
        let refused =
            IntCounter::new("lease_password_hashing_refused_total", "Passwords refused because too many were waiting.")?;
        registry.register(Box::new(free.clone()))?;
        registry.register(Box::new(waiting.clone()))?;
        registry.register(Box::new(refused.clone()))?;
        Ok(Self { free, waiting, refused })
    }

    /// Takes the present numbers over. Two that do so at once would add to the counter twice.
    pub(super) fn read(&self, hasher: &PasswordHasher) {
        self.free.set(as_gauge(hasher.available_permits()));
        self.waiting.set(as_gauge(hasher.waiting()));
        self.refused.reset();
        self.refused.inc_by(hasher.refused());
    }
}
