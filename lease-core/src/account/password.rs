use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::model::PasswordHash;
use crate::model::limits::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS};
use crate::text::comparison_key;

/// From this share of common characters on, a password is too similar to a name.
const TOO_LIKE: f32 = 0.7;
/// The length of the longest password in the lists of common passwords.
const COMMON_MAX_CHARS: usize = 20;
/// A password that zxcvbn would guess in fewer attempts is common: this covers each of its 30,000 common passwords.
const COMMON_GUESSES: u64 = 30_001;
/// Shorter parts of names are ignored, because they occur in too many good passwords.
const MIN_PART_CHARS: usize = 4;

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

/// Hashes and verifies passwords on separate threads, a limited number at a time.
#[derive(Clone, Debug)]
pub struct PasswordHasher {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    decoy: PasswordHash,
}

impl PasswordHasher {
    /// A hasher with these cost parameters that processes at most `concurrency` passwords at once.
    ///
    /// # Errors
    /// [`PasswordError`] if Argon2 rejects the parameters (less than 8 KiB of memory, or no iterations).
    pub fn new(params: PasswordParams, concurrency: NonZeroUsize) -> Result<Self, PasswordError> {
        let costs = Params::new(params.memory_kib, params.iterations, 1, None).map_err(|_| PasswordError::Params)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, costs);
        let decoy = hash_blocking(&argon2, b"the password of nobody")?;
        Ok(Self { argon2, permits: Arc::new(Semaphore::new(concurrency.get())), waiting: Arc::default(), decoy })
    }

    /// Hashes a password.
    ///
    /// # Errors
    /// [`PasswordError`] if hashing failed, for example for lack of memory.
    pub async fn hash(&self, password: &SecretString) -> Result<PasswordHash, PasswordError> {
        let password = password.clone();
        self.run(move |argon2| hash_blocking(argon2, password.expose_secret().as_bytes())).await
    }

    /// Whether the password is the one that was hashed. Without a hash the result is `false` after the same time, so that an
    /// unknown name cannot be distinguished from a wrong password (rule 3.2).
    ///
    /// # Errors
    /// [`PasswordError`] if the hash is malformed or verifying failed.
    pub async fn verify(&self, password: &SecretString, hash: Option<&PasswordHash>) -> Result<bool, PasswordError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.decoy).clone();
        let password = password.clone();
        let matches = self.run(move |argon2| verify_blocking(argon2, password.expose_secret().as_bytes(), &hash)).await?;
        Ok(matches && known)
    }

    /// The number of further passwords that could be processed right now.
    #[must_use]
    pub fn available_permits(&self) -> usize {
        self.permits.available_permits()
    }

    /// The number of passwords that are waiting for their turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let waiting = Waiting::in_line(&self.waiting);
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| PasswordError::Hashing)?;
        drop(waiting);
        let argon2 = self.argon2.clone();
        // The thread owns the permit: a caller that hangs up does not free a place while the thread is still working.
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&argon2)
        })
        .await
        .map_err(|_| PasswordError::Hashing)?
    }
}

/// A place in the queue, which is given up even if the caller hangs up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn in_line(line: &'a AtomicUsize) -> Self {
        line.fetch_add(1, Ordering::Relaxed);
        Self(line)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn hash_blocking(argon2: &Argon2<'_>, password: &[u8]) -> Result<PasswordHash, PasswordError> {
    let hash: phc::PasswordHash = argon2.hash_password(password).map_err(|_| PasswordError::Hashing)?;
    Ok(PasswordHash::from_phc(hash.to_string()))
}

fn verify_blocking(argon2: &Argon2<'_>, password: &[u8], hash: &PasswordHash) -> Result<bool, PasswordError> {
    let parsed = phc::PasswordHash::new(hash.expose()).map_err(|_| PasswordError::Hashing)?;
    match argon2.verify_password(password, &parsed) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(PasswordError::Hashing),
    }
}

/// The reason why a password could not be processed. It reveals nothing about the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Argon2 rejects these cost parameters.
    #[error("Argon2 needs at least 8 KiB of memory and one iteration")]
    Params,
    /// Hashing or verifying failed.
    #[error("the password could not be hashed")]
    Hashing,
}

/// The reason why a password is not accepted (rule 3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordPolicyError {
    /// Too short.
    #[error("This password is too short. It must have at least {MIN_PASSWORD_CHARS} characters.")]
    TooShort,
    /// Too long.
    #[error("This password is too long. It may have at most {MAX_PASSWORD_BYTES} bytes.")]
    TooLong,
    /// Contains NUL or another control character (chapter 1).
    #[error("Control characters are not allowed.")]
    Control,
    /// Digits only.
    #[error("This password is entirely numeric.")]
    Numeric,
    /// Among the passwords that attackers try first.
    #[error("This password is too common.")]
    Common,
    /// Too similar to one of the user's names or the e-mail address.
    #[error("This password is too similar to the {0}.")]
    TooLike(&'static str),
}

/// Every reason to reject a password. It may not be similar to any of `names`, each of which comes with its description.
pub(crate) fn check_password(password: &SecretString, names: &[(&'static str, &str)]) -> Vec<PasswordPolicyError> {
    let password = password.expose_secret();
    if password.len() > MAX_PASSWORD_BYTES {
        // The other checks would have to process all of it.
        return vec![PasswordPolicyError::TooLong];
    }
    let mut errors = Vec::new();
    if password.chars().count() < MIN_PASSWORD_CHARS {
        errors.push(PasswordPolicyError::TooShort);
    }
    if password.chars().any(char::is_control) {
        errors.push(PasswordPolicyError::Control);
    }
    if !password.is_empty() && password.chars().all(char::is_numeric) {
        errors.push(PasswordPolicyError::Numeric);
    }
    if is_common(password) {
        errors.push(PasswordPolicyError::Common);
    }
    let like = names.iter().find(|(_, name)| is_like(password, name));
    errors.extend(like.map(|(what, _)| PasswordPolicyError::TooLike(what)));
    errors
}

/// Whether attackers would try the password early. Either it is guessed in few attempts, or all of it is one simple pattern,
/// regardless of case and look-alike characters: a dictionary word of zxcvbn, a row of keys, a sequence or a repetition.
fn is_common(password: &str) -> bool {
    use zxcvbn::matching::patterns::MatchPattern::{Date, Dictionary, Regex, Repeat, Sequence, Spatial};
    if password.is_empty() || password.chars().count() > COMMON_MAX_CHARS {
        return false;
    }
    let estimate = zxcvbn::zxcvbn(password, &[]);
    // How soon a date or a year is guessed depends on the present date, which a decision must not read.
    let is_dated = estimate.sequence().iter().any(|part| matches!(part.pattern, Date(_) | Regex(_)));
    (!is_dated && estimate.guesses() <= COMMON_GUESSES)
        || matches!(estimate.sequence(), [whole] if matches!(whole.pattern, Dictionary(_) | Repeat(_) | Sequence(_) | Spatial(_)))
}

/// Whether the password is too similar to the name or a part of it, ignoring case.
fn is_like(password: &str, name: &str) -> bool {
    let password = comparison_key(password);
    let name = comparison_key(name);
    let parts = name.split(|character: char| !character.is_alphanumeric());
    parts.chain([name.as_str()]).filter(|part| part.chars().count() >= MIN_PART_CHARS).any(|part| {
        // A password that is much longer cannot reach the ratio; comparing it would only cost time.
        password.chars().count() <= part.chars().count() * 3
            && similar::TextDiff::from_chars(password.as_str(), part).ratio() >= TOO_LIKE
    })
}
