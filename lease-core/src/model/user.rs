use chrono::{DateTime, Utc};
use unicode_normalization::UnicodeNormalization;

use crate::account::PasswordHash;
use crate::id::{CustomerId, Entity, Stored, UserId};
use crate::text::{comparison_key, search_text};

/// A login.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The name to log in with.
    pub username: Username,
    /// The e-mail address; also a name to log in with.
    pub email: Email,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// The hash of the password.
    pub password: PasswordHash,
    /// Whether the user may log in.
    pub is_active: bool,
    /// What the user is.
    pub role: Role,
    /// When the user was made.
    pub date_joined: DateTime<Utc>,
    /// When the user last logged in.
    pub last_login: Option<DateTime<Utc>>,
    /// Only tokens of this epoch are good. Revoking all tokens at once is moving on to the next one, which a login
    /// that raced it, still carrying the old epoch, cannot undo (rule 3.5).
    pub token_epoch: i64,
}

impl Entity for User {
    type Id = UserId;
}

impl User {
    /// The names that log this user in and that no other user may have.
    #[must_use]
    pub fn login_names(&self) -> [LoginName; 2] {
        [self.username.key(), self.email.key()]
    }

    /// What `search` looks through.
    #[must_use]
    pub fn search_text(&self) -> String {
        search_text(&[self.username.as_str(), self.email.as_str(), &self.first_name, &self.last_name])
    }

    /// Whether the user counts towards "the last active superuser" (rule 3.5).
    #[must_use]
    pub fn is_active_superuser(&self) -> bool {
        self.is_active && self.role == Role::Superuser
    }
}

/// A user and the customer behind it: there is one exactly where the role is [`Role::Customer`].
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The login.
    pub user: Stored<User>,
    /// The trading party behind it.
    pub customer_id: Option<CustomerId>,
}

/// What a user is (chapter 2).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Trades.
    Customer,
    /// Administers.
    Staff,
    /// Administers, staff included.
    Superuser,
}

impl Role {
    /// The role of the two flags of the API.
    #[must_use]
    pub const fn from_flags(is_staff: bool, is_superuser: bool) -> Self {
        match (is_staff, is_superuser) {
            (_, true) => Self::Superuser,
            (true, false) => Self::Staff,
            (false, false) => Self::Customer,
        }
    }

    /// Whether it administers: staff and superusers.
    #[must_use]
    pub const fn is_staff(self) -> bool {
        matches!(self, Self::Staff | Self::Superuser)
    }

    /// Whether it is a superuser.
    #[must_use]
    pub const fn is_superuser(self) -> bool {
        matches!(self, Self::Superuser)
    }
}

/// A name that logs a user in, in the form in which names are compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoginName(String);

impl LoginName {
    /// The key of whatever was typed into a login form. A NUL, which no name has and not every store can compare, becomes a
    /// character that no name has either.
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

/// 1 to 150 letters, digits and `@ . + - _`, as the user wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Takes a name after trimming and NFKC.
    ///
    /// # Errors
    /// A sentence that says what a user name is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let name: String = text.trim().nfkc().collect();
        if name.is_empty() {
            return Err("This field may not be blank.".to_owned());
        }
        if name.chars().count() > crate::text::NAME_MAX {
            return Err(format!("At most {} characters are allowed.", crate::text::NAME_MAX));
        }
        if !name.chars().all(|character| character.is_alphanumeric() || "@.+-_".contains(character)) {
            return Err("Only letters, digits and @ . + - _ are allowed.".to_owned());
        }
        Ok(Self(name))
    }

    /// As the user wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which it is compared.
    #[must_use]
    pub fn key(&self) -> LoginName {
        LoginName::new(&self.0)
    }
}

/// An e-mail address (RFC 5321), as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Takes an address of at most 254 characters with a domain that has a dot.
    ///
    /// # Errors
    /// A sentence that says what is required.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let options = email_address::Options::default().without_display_text().without_domain_literal().with_required_tld();
        let address = email_address::EmailAddress::parse_with_options(text, options)
            .ok()
            .filter(|address| text.len() <= 254 && !address.as_str().chars().any(char::is_control))
            .ok_or_else(|| "A valid e-mail address is required.".to_owned())?;
        Ok(Self(address.to_string()))
    }

    /// As the user wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which it is compared.
    #[must_use]
    pub fn key(&self) -> LoginName {
        LoginName::new(&self.0)
    }
}
