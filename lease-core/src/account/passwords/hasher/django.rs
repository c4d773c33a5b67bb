//! Hashes as Django stores them, which an import brings. One is verified when its user logs in, and then replaced by one of ours.
//!
//! Whoever stored a hash has chosen what it costs, and a login pays. So the costs are limited, and a hash beyond the limits is none.

use argon2::password_hash::phc::Output;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::PasswordError;
use super::argon::{Argon, Stored};
use crate::model::PasswordHash;

/// The most iterations of PBKDF2; Django's default has come to 1.5 million.
const MAX_PBKDF2_ITERATIONS: u32 = 5_000_000;
/// The most memory of Argon2, in KiB, and the most passes over it; Django's defaults are 100 MiB and 2.
const MAX_ARGON2: (u32, u32) = (256 * 1_024, 16);
/// The highest cost of bcrypt; Django's default is 12.
const MAX_BCRYPT_COST: u32 = 14;
/// The most memory of scrypt, in bytes, and the most often; Django's defaults are 16 MiB and 5.
const MAX_SCRYPT: (u64, u32) = (64 * 1_024 * 1_024, 16);

impl PasswordHash {
    /// Takes a password as Django stores it, if it is a hash that can be verified: by PBKDF2, Argon2, bcrypt or scrypt, at a cost within
    /// the limits. Any other text, such as a password in the clear, is none.
    #[must_use]
    pub fn from_django(text: &str) -> Option<Self> {
        DjangoHash::parse(text).map(|_| Self::from_phc(text.to_owned()))
    }
}

/// A hash as Django stores it: the name of the method, and after a `$` what the method needs.
pub(super) enum DjangoHash<'a> {
    Pbkdf2 { digest: Pbkdf2Digest, iterations: u32, salt: &'a str, output: Output },
    Scrypt { params: scrypt::Params, salt: &'a str, output: Output },
    Bcrypt { of_sha256: bool, hash: &'a str },
    Argon2(PasswordHash),
}

#[derive(Clone, Copy)]
pub(super) enum Pbkdf2Digest {
    Sha1,
    Sha256,
}

impl<'a> DjangoHash<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (method, rest) = text.split_once('$')?;
        match method {
            "pbkdf2_sha256" => Self::pbkdf2(Pbkdf2Digest::Sha256, rest),
            "pbkdf2_sha1" => Self::pbkdf2(Pbkdf2Digest::Sha1, rest),
            "scrypt" => Self::scrypt(rest),
            "bcrypt_sha256" => Self::bcrypt(true, rest),
            "bcrypt" => Self::bcrypt(false, rest),
            "argon2" => Self::argon2(rest),
            _ => None,
        }
    }

    fn pbkdf2(digest: Pbkdf2Digest, rest: &'a str) -> Option<Self> {
        let [iterations, salt, output] = parts(rest)?;
        let iterations = iterations.parse().ok().filter(|iterations| (1..=MAX_PBKDF2_ITERATIONS).contains(iterations))?;
        let length = match digest {
            Pbkdf2Digest::Sha1 => 20,
            Pbkdf2Digest::Sha256 => 32,
        };
        Some(Self::Pbkdf2 { digest, iterations, salt, output: parse_output(output, length)? })
    }

    fn scrypt(rest: &'a str) -> Option<Self> {
        let [work_factor, salt, block_size, parallelism, output] = parts(rest)?;
        let work_factor: u64 = work_factor.parse().ok().filter(|factor: &u64| factor.is_power_of_two())?;
        let (block_size, parallelism): (u32, u32) = (block_size.parse().ok()?, parallelism.parse().ok()?);
        let memory = work_factor.checked_mul(128)?.checked_mul(block_size.into())?;
        if memory > MAX_SCRYPT.0 || parallelism > MAX_SCRYPT.1 {
            return None;
        }
        let params = scrypt::Params::new(work_factor.ilog2().try_into().ok()?, block_size, parallelism).ok()?;
        Some(Self::Scrypt { params, salt, output: parse_output(output, 64)? })
    }

    fn bcrypt(of_sha256: bool, hash: &'a str) -> Option<Self> {
        let parts: bcrypt::HashParts = hash.parse().ok()?;
        (4..=MAX_BCRYPT_COST).contains(&parts.get_cost()).then_some(Self::Bcrypt { of_sha256, hash })
    }

    fn argon2(rest: &str) -> Option<Self> {
        let hash = PasswordHash::from_phc(format!("${rest}"));
        let params = Stored::parse(&hash).ok()?.params;
        (params.m_cost() <= MAX_ARGON2.0 && params.t_cost() <= MAX_ARGON2.1).then_some(Self::Argon2(hash))
    }

    /// Whether this is the password that was hashed. Comparing takes the same time wherever the two differ.
    pub(super) fn matches(&self, password: &[u8], argon: &mut Argon<'_>) -> Result<bool, PasswordError> {
        match self {
            Self::Pbkdf2 { digest, iterations, salt, output } => is_output(output, |computed| {
                match digest {
                    Pbkdf2Digest::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt.as_bytes(), *iterations, computed),
                    Pbkdf2Digest::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt.as_bytes(), *iterations, computed),
                }
                Ok(())
            }),
            Self::Scrypt { params, salt, output } => is_output(output, |computed| {
                scrypt::scrypt(password, salt.as_bytes(), params, computed).map_err(|_| PasswordError::Hashing)
            }),
            Self::Bcrypt { of_sha256: true, hash } => verify_bcrypt(hex::encode(Sha256::digest(password)).as_bytes(), hash),
            Self::Bcrypt { of_sha256: false, hash } => verify_bcrypt(password, hash),
            Self::Argon2(hash) => argon.verify(password, hash).map(|(matches, _)| matches),
        }
    }
}

/// The parts between the `$`, if there are as many.
fn parts<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split('$').collect::<Vec<_>>().try_into().ok()
}

fn parse_output(base64: &str, length: usize) -> Option<Output> {
    let bytes = BASE64_STANDARD.decode(base64).ok().filter(|bytes| bytes.len() == length)?;
    Output::new(&bytes).ok()
}

fn is_output(stored: &Output, compute: impl FnOnce(&mut [u8]) -> Result<(), PasswordError>) -> Result<bool, PasswordError> {
    let mut buffer = [0; Output::MAX_LENGTH];
    let computed = buffer.get_mut(..stored.len()).ok_or(PasswordError::Hashing)?;
    compute(computed)?;
    Ok(Output::new(computed).map_err(|_| PasswordError::Hashing)? == *stored)
}

fn verify_bcrypt(password: &[u8], hash: &str) -> Result<bool, PasswordError> {
    bcrypt::verify(password, hash).map_err(|_| PasswordError::Hashing)
}
