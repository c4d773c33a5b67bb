//! Links that are mailed: to set a new password (rule 9.3) and to confirm an e-mail address (rule 9.4).

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::account::{AccountChange, AccountSnapshot, CustomerChange, expiry};
use crate::decision::Decision;
use crate::id::{Id as _, MailId, UserId, Versioned};
use crate::input::Invalid;
use crate::model::{LinkHash, LinkPurpose, MailLink, User};

impl LinkPurpose {
    /// How long such a link is good.
    #[must_use]
    pub const fn lifetime(self) -> TimeDelta {
        match self {
            Self::PasswordReset => TimeDelta::hours(1),
            Self::EmailVerification => TimeDelta::days(3),
        }
    }
}

/// The token in a mailed link: the id of its user, a hyphen and 64 hexadecimal characters from a CSPRNG. Only its hash is stored, and
/// `Debug` does not show it.
#[derive(Clone)]
pub struct LinkToken {
    user: UserId,
    text: SecretString,
}

impl LinkToken {
    /// A token for this user of 32 random bytes.
    #[must_use]
    pub fn from_random(user: UserId, bytes: [u8; 32]) -> Self {
        Self { user, text: format!("{user}-{}", hex::encode(bytes)).into() }
    }

    /// The user to whom it was mailed, if it is genuine.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// The text, for the mail.
    #[must_use]
    pub const fn text(&self) -> &SecretString {
        &self.text
    }

    /// The hash, which is the only form in which it is stored.
    #[must_use]
    pub fn hash(&self) -> LinkHash {
        LinkHash(Sha256::digest(self.text.expose_secret().as_bytes()).into())
    }
}

impl FromStr for LinkToken {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (user, secret) = text.split_once('-').ok_or(Invalid::LinkNotValid)?;
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let user = UserId::parse(user).filter(|id| id.to_string() == user).ok_or(Invalid::LinkNotValid)?;
        if secret.len() == 64 && secret.bytes().all(hex) {
            Ok(Self { user, text: text.into() })
        } else {
            Err(Invalid::LinkNotValid)
        }
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(…)")
    }
}

/// Makes a link good from now on, so that it can be mailed to this address; `None` if the user has another one by now. The oldest link
/// gives way if the user has many.
#[must_use]
pub fn add_link(snapshot: &Versioned<AccountSnapshot>, link: NewLink<'_>, now: DateTime<Utc>) -> Option<Decision<AccountChange>> {
    let stored = &snapshot.account.user;
    let NewLink { purpose, hash, mail, address } = link;
    if stored.email_or_empty() != address {
        return None;
    }
    let mut links: Vec<_> = stored.links.iter().copied().filter(|link| now < link.expires_at).collect();
    let extra = (links.len() + 1).saturating_sub(User::MOST_LINKS);
    links.drain(..extra);
    links.push(MailLink { purpose, hash, mail, expires_at: expiry(now, purpose.lifetime()) });
    Some(Decision::new(user_change(snapshot, User { links, ..stored.value.clone() }), []))
}

/// A link that is to be mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewLink<'a> {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// The hash of its token.
    pub hash: LinkHash,
    /// The mail that it stands in.
    pub mail: MailId,
    /// The address to which it is mailed.
    pub address: &'a str,
}

/// Whether the user has this link, it is still good, and they are active.
pub(super) fn has_link(user: &User, purpose: LinkPurpose, hash: LinkHash, now: DateTime<Utc>) -> bool {
    user.is_active && user.links.iter().any(|link| link.purpose == purpose && link.hash == hash && now < link.expires_at)
}

/// The user's links without those for this purpose.
pub(super) fn links_but(user: &User, purpose: LinkPurpose) -> Vec<MailLink> {
    user.links.iter().copied().filter(|link| link.purpose != purpose).collect()
}

/// A change to a user that concerns neither their role nor whether they are active.
pub(super) fn user_change(snapshot: &Versioned<AccountSnapshot>, user: User) -> AccountChange {
    AccountChange {
        id: snapshot.account.user.id,
        expected: snapshot.version,
        user,
        customer: CustomerChange::Keep,
        keep_token: None,
        needs_another_superuser: false,
    }
}
