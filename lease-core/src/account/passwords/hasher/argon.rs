//! Argon2id in memory that is kept from one hash to the next. A hash that allocates its memory anew leaves the heap as large as it
//! was at the worst moment.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::{PasswordError, PasswordParams};
use crate::model::PasswordHash;

/// The memory for one hash at a time. It grows when it is first needed.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    /// This many blocks.
    fn blocks(&mut self, count: usize) -> Result<&mut [Block], PasswordError> {
        let missing = count.saturating_sub(self.0.len());
        self.0.try_reserve_exact(missing).map_err(|_| PasswordError::Hashing)?;
        self.0.resize(self.0.len() + missing, Block::new());
        self.0.get_mut(..count).ok_or(PasswordError::Hashing)
    }

    /// Gives back what is more than this many blocks.
    fn shrink_to(&mut self, count: usize) {
        self.0.truncate(count);
        self.0.shrink_to(count);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory(…)")
    }
}

/// Argon2id with these costs, in this memory.
#[derive(Debug)]
pub(super) struct Argon<'a> {
    pub(super) costs: &'a Params,
    pub(super) memory: &'a mut Memory,
    /// Counts the blocks that are computed.
    pub(super) computed: &'a AtomicU64,
}

/// The costs as Argon2 takes them.
pub(super) fn costs(params: PasswordParams) -> Result<Params, PasswordError> {
    Params::new(params.memory_kib, params.iterations, 1, None).map_err(|_| PasswordError::Params)
}

/// Whether this is the hash of a password, and not another text.
pub(super) fn is_hash(hash: &PasswordHash) -> bool {
    Stored::parse(hash).is_ok()
}

impl Argon<'_> {
    /// 32 bytes that depend on the secret and the salt, and on the costs.
    pub(super) fn derive(&mut self, secret: &[u8], salt: &[u8]) -> Result<[u8; 32], PasswordError> {
        let mut output = [0; 32];
        self.fill(&with(self.costs.clone()), secret, salt, &mut output)?;
        Ok(output)
    }

    /// The hash of a password, with a new salt.
    pub(super) fn hash(&mut self, password: &[u8]) -> Result<PasswordHash, PasswordError> {
        let mut salt = [0; Salt::RECOMMENDED_LENGTH];
        getrandom::fill(&mut salt).map_err(|_| PasswordError::Hashing)?;
        let output = self.derive(password, &salt)?;
        let hash = phc::PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(self.costs).map_err(|_| PasswordError::Hashing)?,
            salt: Some(Salt::new(&salt).map_err(|_| PasswordError::Hashing)?),
            hash: Some(Output::new(&output).map_err(|_| PasswordError::Hashing)?),
        };
        Ok(PasswordHash::from_phc(hash.to_string()))
    }

    /// Whether this is the password that was hashed, and whether it was hashed at the present costs.
    ///
    /// If it is not, the result takes as long as at the present costs, though the hash may have been cheaper.
    pub(super) fn verify(&mut self, password: &[u8], hash: &PasswordHash) -> Result<(bool, bool), PasswordError> {
        let stored = Stored::parse(hash)?;
        let matches = self.matches(&stored, password)?;
        if !matches {
            for rest in rest(self.costs, &stored.params) {
                self.fill(&with(rest), password, &stored.salt, &mut [0; 32])?;
            }
        }
        self.memory.shrink_to(self.costs.block_count());
        Ok((matches, stored.is_present(self.costs)))
    }

    fn matches(&mut self, stored: &Stored, password: &[u8]) -> Result<bool, PasswordError> {
        let argon2 = Argon2::new(stored.algorithm, stored.version, stored.params.clone());
        let mut output = [0; Output::MAX_LENGTH];
        let output = output.get_mut(..stored.output.len()).ok_or(PasswordError::Hashing)?;
        self.fill(&argon2, password, &stored.salt, output)?;
        // This comparison takes the same time wherever the two differ.
        Ok(Output::new(output).map_err(|_| PasswordError::Hashing)? == stored.output)
    }

    fn fill(&mut self, argon2: &Argon2<'_>, secret: &[u8], salt: &[u8], output: &mut [u8]) -> Result<(), PasswordError> {
        let blocks = self.memory.blocks(argon2.params().block_count())?;
        self.computed.fetch_add(work(argon2.params()), Ordering::Relaxed);
        argon2.hash_password_into_with_memory(secret, salt, output, blocks).map_err(|_| PasswordError::Hashing)
    }
}

/// The parts of a PHC string.
pub(super) struct Stored {
    algorithm: Algorithm,
    version: Version,
    pub(super) params: Params,
    salt: Salt,
    output: Output,
}

impl Stored {
    pub(super) fn parse(hash: &PasswordHash) -> Result<Self, PasswordError> {
        let wrong = |_| PasswordError::Hashing;
        let parsed = phc::PasswordHash::new(hash.expose()).map_err(|_| PasswordError::Hashing)?;
        let version = parsed.version.map_or(Ok(Version::default()), Version::try_from).map_err(|_| PasswordError::Hashing)?;
        Ok(Self {
            algorithm: Algorithm::try_from(parsed.algorithm.as_str()).map_err(wrong)?,
            version,
            params: Params::try_from(&parsed).map_err(wrong)?,
            salt: parsed.salt.ok_or(PasswordError::Hashing)?,
            output: parsed.hash.ok_or(PasswordError::Hashing)?,
        })
    }

    fn is_present(&self, costs: &Params) -> bool {
        let costs_of = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        self.algorithm == Algorithm::Argon2id && self.version == Version::V0x13 && costs_of(&self.params) == costs_of(costs)
    }
}

fn with(costs: Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, costs)
}

/// What is left to do after a hash of these costs, to have done as much as a hash of the present ones: whole passes, and one pass
/// over a part of the memory. Nothing is left after a hash that costs more.
fn rest(present: &Params, done: &Params) -> impl Iterator<Item = Params> + use<> {
    let memory = present.block_count() as u64;
    let left = work(present).saturating_sub(work(done));
    let parts = [(memory, left / memory), (left % memory, 1)];
    parts.into_iter().filter_map(|(memory, passes)| Params::new(memory.try_into().ok()?, passes.try_into().ok()?, 1, None).ok())
}

/// The number of blocks that a hash computes.
fn work(params: &Params) -> u64 {
    params.block_count() as u64 * u64::from(params.t_cost())
}
