//! The attacks.

mod expensive_passwords;
mod idle_connections;
mod large_files;
mod login_flood;
mod registration_flood;
mod slow_bodies;
mod slow_readers;

use std::net::Ipv4Addr;

use strum::{EnumString, VariantArray};

use crate::attacker::Attacker;

/// One of the attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub(crate) enum Attack {
    SlowBodies,
    SlowReaders,
    IdleConnections,
    LoginFlood,
    /// From the address of those who are watched.
    LoginFloodNextDoor,
    RegistrationFlood,
    ExpensivePasswords,
    LargeFiles,
}

impl Attack {
    /// Those that hold connections.
    pub(crate) const SLOW_PEERS: [Self; 3] = [Self::SlowBodies, Self::SlowReaders, Self::IdleConnections];

    pub(crate) fn named(name: &str) -> Self {
        name.parse().unwrap_or_else(|_| panic!("ABUSE_ATTACKS has some of {:?}, not {name}", Self::VARIANTS))
    }

    /// The address of its first attacker: another network for each attack, so that no limit is left over from the one before.
    pub(crate) fn address(self) -> Ipv4Addr {
        match self {
            Self::LoginFloodNextDoor => Ipv4Addr::LOCALHOST,
            _ => Ipv4Addr::new(127, 1, self as u8, 1),
        }
    }

    /// Attacks for ever.
    pub(crate) async fn run(self, attacker: Attacker) {
        match self {
            Self::SlowBodies => slow_bodies::run(attacker).await,
            Self::SlowReaders => slow_readers::run(attacker).await,
            Self::IdleConnections => idle_connections::run(attacker).await,
            Self::LoginFlood | Self::LoginFloodNextDoor => login_flood::run(attacker).await,
            Self::RegistrationFlood => registration_flood::run(attacker).await,
            Self::ExpensivePasswords => expensive_passwords::run(attacker).await,
            Self::LargeFiles => large_files::run(attacker).await,
        }
    }
}
