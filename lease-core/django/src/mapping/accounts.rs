//! Users and tokens.

use std::collections::{BTreeMap, BTreeSet};

use lease_core::account::{FIRST_EPOCH, Token, TokenText};
use lease_core::clock::last_instant;
use lease_core::id::{Stored, TokenId, UserId};
use lease_core::model::{Annotations, Email, LoginName, NoticeSettings, PasswordHash, Role, User, Username};
use lease_core::text::NAME_MAX;
use secrecy::ExposeSecret as _;

use super::metadata::Metadata;
use super::{Mapping, find, last_id};
use crate::report::Table;
use crate::rows::{Rows, UserRow};
use crate::text;

/// Whose each login name is: user names and e-mail addresses share one name space.
type Names = BTreeMap<LoginName, i64>;

impl Mapping {
    pub(super) fn users(&mut self, rows: &Rows) {
        let rows = self.notes.by_id(Table::Users, &rows.users, |row| row.id);
        self.import.last_ids.user = last_id(&rows);
        let mut names = Names::new();
        let usernames = self.usernames(&rows, &mut names);
        let emails = self.emails(&rows, &mut names);
        for (id, row) in rows {
            let (Some(user_id), Some(username)) = (UserId::new(id), usernames.get(&id)) else { continue };
            let email = emails.get(&id);
            let mut user = self.user(id, row, username.clone(), email.cloned());
            let mut metadata = Metadata::default();
            if Some(username.as_str()) != row.username.as_deref() {
                metadata.put_text("username", row.username.as_deref());
            }
            if email.map(Email::as_str) != row.email.as_deref() {
                metadata.put_text("email", row.email.as_deref());
            }
            user.annotations = metadata.annotations();
            self.import.users.push(Stored { id: user_id, value: user });
        }
    }

    fn user(&mut self, id: i64, row: &UserRow, username: Username, email: Option<Email>) -> User {
        let date_joined = self.past(row.date_joined);
        let first_name = self.notes.text(Table::Users, id, text::line(row.first_name.as_deref(), NAME_MAX));
        let last_name = self.notes.text(Table::Users, id, text::line(row.last_name.as_deref(), NAME_MAX));
        let password = row.password.as_ref().and_then(|stored| PasswordHash::from_django(stored.expose_secret()));
        if password.is_none() {
            self.notes.changed(Table::Users, id, "it has no password that can be verified");
        }
        User {
            username,
            email,
            first_name,
            last_name,
            password: password.unwrap_or_else(PasswordHash::unusable),
            is_active: row.is_active.unwrap_or_default(),
            role: Role::from_flags(row.is_staff.unwrap_or_default(), row.is_superuser.unwrap_or_default()),
            date_joined,
            last_login: row.last_login.map(|instant| self.past(Some(instant))),
            token_epoch: FIRST_EPOCH,
            email_verified_at: None,
            links: Vec::new(),
            notices: NoticeSettings::default(),
            annotations: Annotations::default(),
        }
    }

    /// A user name for each user. Whoever comes first keeps one that several have.
    fn usernames(&mut self, rows: &BTreeMap<i64, &UserRow>, names: &mut Names) -> BTreeMap<i64, Username> {
        let mut usernames = BTreeMap::new();
        for (id, row) in rows {
            if let Some(username) = username(row).filter(|username| !names.contains_key(&username.key())) {
                names.insert(username.key(), *id);
                usernames.insert(*id, username);
            }
        }
        for (id, row) in rows {
            if usernames.contains_key(id) {
                continue;
            }
            let had = username(row);
            let reason = if had.is_some() { "an earlier user has its user name" } else { "it had no user name that can be kept" };
            self.notes.changed(Table::Users, *id, reason);
            let stem = had.map_or_else(|| "user".to_owned(), |had| had.as_str().chars().take(NAME_MAX - 40).collect());
            let username =
                free(|suffix| Username::from_stored(format!("{stem}-{id}{suffix}")), |one| names.contains_key(&one.key()));
            names.insert(username.key(), *id);
            usernames.insert(*id, username);
        }
        usernames
    }

    /// The e-mail address of each user whose own can be kept.
    fn emails(&mut self, rows: &BTreeMap<i64, &UserRow>, names: &mut Names) -> BTreeMap<i64, Email> {
        let mut emails = BTreeMap::new();
        for (id, row) in rows {
            let email = row.email.as_deref().and_then(|email| Email::parse(email).ok());
            match email.filter(|email| names.get(&email.key()).is_none_or(|owner| owner == id)) {
                Some(email) => {
                    names.insert(email.key(), *id);
                    emails.insert(*id, email);
                }
                None => self.notes.changed(Table::Users, *id, "its e-mail address is missing, not valid, or another user's"),
            }
        }
        emails
    }

    pub(super) fn tokens(&mut self, rows: &Rows) {
        let mut hashes = BTreeSet::new();
        for row in &rows.tokens {
            let user = find(&self.import.users, row.user).map(|user| user.id);
            let token = row.key.as_ref().and_then(|key| key.expose_secret().parse::<TokenText>().ok());
            let (Some(user_id), Some(token)) = (user, token) else {
                let reason = if user.is_none() { "its user is not taken" } else { "it is not 40 hexadecimal characters" };
                self.notes.dropped(Table::Tokens, row.user, reason);
                continue;
            };
            let hash = token.hash();
            if !hashes.insert(hash) {
                self.notes.dropped(Table::Tokens, row.user, "an earlier row is the same token");
                continue;
            }
            let created_at = self.past(row.created);
            let end = self.terms.now.checked_add_signed(self.terms.token_ttl);
            let expires_at = end.map_or_else(last_instant, |end| end.min(last_instant()));
            let value = Token { hash, user_id, name: "django".to_owned(), epoch: FIRST_EPOCH, created_at, expires_at };
            let id = i64::try_from(hashes.len()).ok().and_then(TokenId::new);
            self.import.tokens.extend(id.map(|id| Stored { id, value }));
        }
    }
}

/// The user name, if it can be kept: what is stored need not be what new users may choose.
fn username(row: &UserRow) -> Option<Username> {
    let given = row.username.as_deref()?;
    let stored = || {
        let line = text::line(Some(given), NAME_MAX);
        (!line.is_changed).then(|| Username::from_stored(line.text))
    };
    Username::parse(given).ok().or_else(stored).filter(|username| !username.key().as_str().is_empty())
}

/// The first name that is not taken, of those that differ in a suffix.
fn free<T>(name: impl Fn(&str) -> T, is_taken: impl Fn(&T) -> bool) -> T {
    let mut made = name("");
    for number in 2_u64.. {
        if !is_taken(&made) {
            break;
        }
        made = name(&format!("-{number}"));
    }
    made
}
