use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, Utc};
use unicode_normalization::UnicodeNormalization;
use unicode_security::{MixedScript as _, RestrictionLevel, RestrictionLevelDetection as _};

use super::Annotations;
use super::limits::MAX_EMAIL_BYTES;
use crate::id::{CustomerId, Entity, MailId, Stored, UserId};
use crate::input::Invalid;
use crate::text::{NAME_MAX, check_line, comparison_key, composed, is_ignorable, non_blank, search_text};

/// A login.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct User {
    /// The name to log in with.
    pub username: Username,
    /// The e-mail address; also a name to log in with. Users of an app that embeds the engine may have none; they get no mails.
    pub email: Option<Email>,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// The hash of the password.
    #[cfg_attr(feature = "serde", serde(skip, default = "PasswordHash::unusable"))]
    pub password: PasswordHash,
    /// Whether the user may log in.
    pub is_active: bool,
    /// The role of the user.
    pub role: Role,
    /// When the user was created.
    pub date_joined: DateTime<Utc>,
    /// When the user last logged in.
    pub last_login: Option<DateTime<Utc>>,
    /// Only tokens of this epoch are valid. Moving on to the next epoch revokes all tokens at once; a concurrent login, whose
    /// token still has the old epoch, cannot undo that (rule 3.5).
    pub token_epoch: i64,
    /// When the user showed that the e-mail address is theirs; none for an address that is not confirmed (rule 9.4).
    pub email_verified_at: Option<DateTime<Utc>>,
    /// The links that were mailed to the user and may still be used, oldest first; at most [`MOST_LINKS`](Self::MOST_LINKS).
    #[cfg_attr(feature = "serde", serde(skip))]
    pub links: Vec<MailLink>,
    /// The notices that the user wants (rule 9.5).
    pub notices: NoticeSettings,
    /// What the company keeps with the user.
    pub annotations: Annotations,
}

/// A link that was mailed to a user: whoever opens it can read their mail (rules 9.3, 9.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MailLink {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// The hash of the token in it.
    pub hash: LinkHash,
    /// The mail that it stands in. Each try to send it has a link of its own, and any of them may have arrived.
    pub mail: MailId,
    /// From this instant on, it is not good.
    pub expires_at: DateTime<Utc>,
}

/// What a mailed link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    /// Setting a new password.
    PasswordReset,
    /// Confirming the present e-mail address. When the address changes, such links are removed.
    EmailVerification,
}

/// The SHA-256 of the token in a mailed link, the only form in which it is stored. A fast hash suffices, since the token has 256
/// random bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LinkHash(pub [u8; 32]);

impl fmt::Debug for LinkHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkHash(…)")
    }
}

impl serde::Serialize for LinkHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> serde::Deserialize<'de> for LinkHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// The kinds of notices that a user wants by mail (rule 9.5). Those about the security of the account always come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NoticeSettings {
    /// About proposals.
    pub proposals: bool,
    /// About invoices.
    pub invoices: bool,
    /// About payments and refunds.
    pub payments: bool,
}

impl Default for NoticeSettings {
    fn default() -> Self {
        Self { proposals: true, invoices: true, payments: true }
    }
}

/// An Argon2id hash as a PHC string, or one of Django that an import brought, until its user logs in. `Debug` does not show it.
///
/// Any other text is the hash of no password: a user who has it cannot log in with one, as if each that is given were wrong.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// What stands for the hash of a user who has no password, such as one whom an app logs in by itself. No password matches it.
    #[must_use]
    pub fn unusable() -> Self {
        Self("!".to_owned())
    }

    /// Whether no password matches it, whatever it is.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        self.0 == "!"
    }

    /// Wraps a stored PHC string.
    #[must_use]
    pub fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// The PHC string, to be stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl Entity for User {
    type Id = UserId;
}

impl User {
    /// The most mailed links of a user that are good at the same time; a further one replaces the oldest.
    pub const MOST_LINKS: usize = 50;

    /// The mails in which there are links for this purpose that are good at an instant.
    #[must_use]
    pub fn mails_with_links(&self, purpose: LinkPurpose, now: DateTime<Utc>) -> BTreeSet<MailId> {
        let live = self.links.iter().filter(|link| link.purpose == purpose && now < link.expires_at);
        live.map(|link| link.mail).collect()
    }

    /// The names that this user can log in with, and that no other user may have: one or two, for a user name may be the address.
    #[must_use]
    pub fn login_names(&self) -> Vec<LoginName> {
        let mut names = vec![self.username.key()];
        names.extend(self.email.as_ref().map(Email::key));
        names.dedup();
        names
    }

    /// The e-mail address, or empty.
    #[must_use]
    pub fn email_or_empty(&self) -> &str {
        self.email.as_ref().map_or("", Email::as_str)
    }

    /// The text that `search` searches.
    #[must_use]
    pub fn search_text(&self) -> String {
        search_text(&[self.username.as_str(), self.email_or_empty(), &self.first_name, &self.last_name])
    }

    /// Whether the user counts towards "the last active superuser" (rule 3.5).
    #[must_use]
    pub fn is_active_superuser(&self) -> bool {
        self.is_active && self.role == Role::Superuser
    }
}

/// A user and, exactly if the role is [`Role::Customer`], the customer that belongs to it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Account {
    /// The user.
    pub user: Stored<User>,
    /// The customer that belongs to the user, if the user trades.
    pub customer_id: Option<CustomerId>,
}

/// The role of a user (chapter 2).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Trades vehicles.
    Customer,
    /// Administers the platform.
    Staff,
    /// Administers the platform, including its staff.
    Superuser,
}

impl Role {
    /// The role that the two flags of the API mean.
    #[must_use]
    pub const fn from_flags(is_staff: bool, is_superuser: bool) -> Self {
        match (is_staff, is_superuser) {
            (_, true) => Self::Superuser,
            (true, false) => Self::Staff,
            (false, false) => Self::Customer,
        }
    }

    /// Whether the role is administrative: staff or superuser.
    #[must_use]
    pub const fn is_staff(self) -> bool {
        matches!(self, Self::Staff | Self::Superuser)
    }

    /// Whether the role is superuser.
    #[must_use]
    pub const fn is_superuser(self) -> bool {
        matches!(self, Self::Superuser)
    }
}

/// A name that a user can log in with, in the form in which names are compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoginName(String);

impl LoginName {
    /// The comparison key of any text typed into a login form. NUL is replaced, because not every store can compare it; the
    /// replacement is a character that occurs in no name, as NUL does not either.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(comparison_key(text).replace('\0', "\u{fffd}"))
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 1 to 150 letters, digits and `@ . + - _`, in NFKC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Parses a user name, after trimming it and normalising it to NFKC. Its letters are of one script, or of scripts that are
    /// written together and not confused (UTS 39, "highly restrictive").
    ///
    /// # Errors
    /// [`Invalid`]: what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let name = non_blank(text.trim().nfkc().collect())?;
        let is_letter = |character: char| character.is_alphanumeric() && !is_ignorable(character);
        if !name.chars().all(|character| is_letter(character) || "@.+-_".contains(character)) {
            return Err(Invalid::UsernameCharacter);
        }
        let letters: String = name.chars().filter(|character| is_letter(*character)).collect();
        if !letters.is_single_script() && !letters.check_restriction_level(RestrictionLevel::HighlyRestrictive) {
            return Err(Invalid::MixedScripts);
        }
        check_line(&name, NAME_MAX)?;
        Ok(Self(name))
    }

    /// The user name that is stored in a row. It was parsed once; what is stored is never judged by the rules for input again.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text as the user wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which it is compared with others.
    #[must_use]
    pub fn key(&self) -> LoginName {
        LoginName::new(&self.0)
    }
}

/// An e-mail address (RFC 5321), in NFC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Parses an address of at most 254 bytes whose domain has a dot, after trimming it and normalising it to NFC.
    ///
    /// # Errors
    /// [`Invalid::NotAnEmail`], or what else is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = composed(text.trim());
        let options = email_address::Options::default().without_display_text().without_domain_literal().with_required_tld();
        let address = email_address::EmailAddress::parse_with_options(&text, options)
            .ok()
            .filter(|_| text.len() <= MAX_EMAIL_BYTES && check_line(&text, MAX_EMAIL_BYTES).is_ok())
            .ok_or(Invalid::NotAnEmail)?;
        Ok(Self(address.to_string()))
    }

    /// The address that is stored in a row. It was parsed once; what is stored is never judged by the rules for input again.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text as the user wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which it is compared with others.
    #[must_use]
    pub fn key(&self) -> LoginName {
        LoginName::new(&self.0)
    }
}
