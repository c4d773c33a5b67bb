//! The work on passwords, which takes long and much memory.

mod argon;
#[cfg(feature = "django")]
mod django;
mod turns;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::Params;
use secrecy::{ExposeSecret, SecretString};

use self::argon::{Argon, Memory};
use self::turns::{Busy, Turns};
use crate::client::ClientNetwork;
use crate::error::Error;
use crate::model::PasswordHash;
use crate::text;

/// The most pieces of work that wait. At 30 ms each, the last one waits for two seconds on one core.
const MAX_WAITING: usize = 64;

/// The cost parameters for hashing a password. The default is what OWASP recommends: Argon2id with 19 MiB, 2 iterations and
/// 1 lane (Password Storage Cheat Sheet).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordParams {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
}

impl Default for PasswordParams {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2 }
    }
}

/// Does all work on passwords: it checks, hashes and verifies them, on threads of its own and a limited number at a time.
///
/// The work of each client waits in a line of its own, and the lines are served in turn, so nobody waits for all that somebody
/// else has asked for. The lines together are bounded: where they are full, the longest one is cut. Work whose caller hangs up
/// before its turn is not done at all.
///
/// Each turn has memory for one hash, which is kept for the next one. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct PasswordHasher {
    shared: Arc<Shared>,
    turns: Turns<Memory>,
    decoy: PasswordHash,
}

#[derive(Debug)]
struct Shared {
    costs: Params,
    computed: AtomicU64,
}

impl PasswordHasher {
    /// A hasher with these cost parameters that processes at most `concurrency` passwords at once.
    ///
    /// # Errors
    /// [`PasswordError::Params`] if Argon2 rejects the parameters (less than 8 KiB of memory, or no iterations).
    pub fn new(params: PasswordParams, concurrency: NonZeroUsize) -> Result<Self, PasswordError> {
        let shared = Shared { costs: argon::costs(params)?, computed: AtomicU64::new(0) };
        let mut memory = Memory::default();
        let decoy = PasswordWork { shared: &shared, memory: &mut memory }.hash(&"the password of nobody".into())?;
        let mut memories = vec![memory];
        memories.resize_with(concurrency.get(), Memory::default);
        Ok(Self { shared: Arc::new(shared), turns: Turns::new(memories, MAX_WAITING), decoy })
    }

    /// Hashes a password.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn hash(&self, client: Option<ClientNetwork>, password: &SecretString) -> Result<PasswordHash, PasswordError> {
        let password = password.clone();
        self.run(client, move |work| work.hash(&password)).await?
    }

    /// Whether the password is the one that was hashed. Without a hash it is not, nor with a text that is none, and neither takes longer
    /// than the other, so that an unknown name cannot be distinguished from a wrong password (rule 3.2). A hash of Django takes as long
    /// as it costs.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn verify(
        &self,
        client: Option<ClientNetwork>,
        password: &SecretString,
        hash: Option<&PasswordHash>,
    ) -> Result<Verified, PasswordError> {
        let hash = hash.filter(|hash| is_hash(hash));
        let (known, hash) = (hash.is_some(), hash.unwrap_or(&self.decoy).clone());
        let password = password.clone();
        self.run(client, move |work| {
            let (matches, is_present) = work.verify(&password, &hash)?;
            let matches = matches && known;
            let renewed = if matches && !is_present { Some(work.hash(&password)?) } else { None };
            Ok(Verified { matches, renewed })
        })
        .await?
    }

    /// 32 bytes that can be computed from the secret and the salt, and only as slowly as the password can be verified: Argon2id
    /// with the present costs. For a secret that is as weak as a password.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn derive(
        &self,
        client: Option<ClientNetwork>,
        secret: &SecretString,
        salt: &[u8; 16],
    ) -> Result<[u8; 32], PasswordError> {
        let (secret, salt) = (secret.clone(), *salt);
        self.run(client, move |work| work.argon().derive(secret.expose_secret().as_bytes(), &salt)).await?
    }

    /// Does a piece of work on passwords when it is this client's turn.
    ///
    /// # Errors
    /// [`PasswordError::Busy`]; [`PasswordError::Hashing`] if the work panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        client: Option<ClientNetwork>,
        work: impl FnOnce(&mut PasswordWork<'_>) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let mut turn = self.turns.take(client).await.map_err(|Busy| PasswordError::Busy)?;
        let shared = Arc::clone(&self.shared);
        // The thread owns the turn: a caller that hangs up does not end it while the thread is still working.
        tokio::task::spawn_blocking(move || work(&mut PasswordWork { shared: &shared, memory: &mut turn }))
            .await
            .map_err(|_| PasswordError::Hashing)
    }

    /// The number of further passwords that could be processed right now.
    #[must_use]
    pub fn available_permits(&self) -> usize {
        self.turns.free()
    }

    /// The number of passwords that are waiting for their turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.turns.waiting()
    }

    /// The number of passwords that were not processed because too many others were waiting.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.turns.refused()
    }

    /// The number of blocks, of 1 KiB, that Argon2 has computed: what all passwords together have cost.
    #[must_use]
    pub fn blocks_computed(&self) -> u64 {
        self.shared.computed.load(Ordering::Relaxed)
    }
}

/// The form in which passwords are compared: NFC, so that one typed on another device is the same (RFC 8265).
pub(super) fn composed(password: &SecretString) -> SecretString {
    text::composed(password.expose_secret()).into()
}

/// Whether this is the hash of a password, and not another text.
fn is_hash(hash: &PasswordHash) -> bool {
    #[cfg(feature = "django")]
    if django::DjangoHash::parse(hash.expose()).is_some() {
        return true;
    }
    argon::is_hash(hash)
}

/// A piece of work on passwords, whose turn it is. It belongs on a thread that may block.
#[derive(Debug)]
pub(crate) struct PasswordWork<'a> {
    shared: &'a Shared,
    memory: &'a mut Memory,
}

impl PasswordWork<'_> {
    /// Hashes a password.
    pub(crate) fn hash(&mut self, password: &SecretString) -> Result<PasswordHash, PasswordError> {
        self.argon().hash(composed(password).expose_secret().as_bytes())
    }

    /// Whether this is the password that was hashed, and whether it was hashed as passwords are at present.
    fn verify(&mut self, password: &SecretString, hash: &PasswordHash) -> Result<(bool, bool), PasswordError> {
        #[cfg(feature = "django")]
        if let Some(hash) = django::DjangoHash::parse(hash.expose()) {
            // Django hashes what was typed, whatever its form.
            return Ok((hash.matches(password.expose_secret().as_bytes(), &mut self.argon())?, false));
        }
        self.argon().verify(composed(password).expose_secret().as_bytes(), hash)
    }

    fn argon(&mut self) -> Argon<'_> {
        Argon { costs: &self.shared.costs, memory: self.memory, computed: &self.shared.computed }
    }
}

/// The outcome of verifying a password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Whether it is the password that was hashed.
    pub matches: bool,
    /// A new hash of the same password, if it matches and was hashed at other costs than the present ones.
    pub renewed: Option<PasswordHash>,
}

/// The reason why a password could not be processed. It reveals nothing about the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Argon2 rejects these cost parameters.
    #[error("Argon2 needs at least 8 KiB of memory and one iteration")]
    Params,
    /// Too many others are waiting for their turn; try again later.
    #[error("too many passwords are waiting to be processed")]
    Busy,
    /// Hashing or verifying failed, for example for lack of memory.
    #[error("the password could not be hashed")]
    Hashing,
}

/// A password whose turn does not come is not the caller's fault, and can be sent again.
impl From<PasswordError> for Error {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Unavailable(error.into()),
            _ => Self::Internal(error.into()),
        }
    }
}
