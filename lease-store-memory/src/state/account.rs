use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use lease_core::account::{Token, TokenHash, TokenRevocation};
use lease_core::id::{CustomerId, Stored, TokenId, UserId};
use lease_core::model::{Account, Customer, LoginName, Role, User};
use lease_core::permission::Actor;
use lease_core::repository::{Guarantee, RepositoryError};

use super::annotation::called;
use super::table::{Indexed, Table};
use crate::index::{Kind, Term, text_terms};
use crate::walk::{Direction, Query};

/// Users and the customers behind them.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    pub(crate) users: Table<User>,
    pub(crate) customers: Table<Customer>,
    pub(crate) customer_of: BTreeMap<UserId, CustomerId>,
    pub(crate) by_name: BTreeMap<LoginName, UserId>,
}

impl Indexed for User {
    fn terms(&self) -> Vec<Term> {
        let mut terms = vec![Term::flag(self.is_active), role(self.role)];
        terms.extend(text_terms(&self.search_text()));
        terms.extend(self.annotations.external_id.as_ref().map(called));
        terms
    }
}

impl Indexed for Customer {
    /// Customers are also listed by their own id or by their user's: both are known without an index.
    fn terms(&self) -> Vec<Term> {
        self.annotations.external_id.as_ref().map(called).into_iter().collect()
    }
}

/// The term of users of a role.
pub(crate) const fn role(role: Role) -> Term {
    Term::number(Kind::Role, role as i64)
}

impl Accounts {
    /// The account of a user.
    pub(crate) fn account(&self, id: UserId) -> Option<Account> {
        self.users.stored(id).map(|user| self.with_customer(user))
    }

    /// The account that a user is part of.
    pub(crate) fn with_customer(&self, user: Stored<User>) -> Account {
        let customer_id = self.customer_of.get(&user.id).copied();
        Account { user, customer_id }
    }

    /// Whether the user behind a customer is active.
    pub(crate) fn is_active(&self, customer: CustomerId) -> bool {
        let user = self.customers.get(customer).and_then(|row| self.users.get(row.value.user_id));
        user.is_some_and(|row| row.value.is_active)
    }

    /// Succeeds if an acting user is active, and has the role and the customer that the actor says.
    pub(crate) fn check_actor(&self, actor: &Actor) -> Result<(), RepositoryError> {
        let Some(id) = actor.user() else { return Ok(()) };
        let customer = self.customer_of.get(&id).copied();
        let is_so = |user: &User| {
            let now = Actor::of_user(id, user.role, customer);
            user.is_active && (now.role(), now.customer()) == (actor.role(), actor.customer())
        };
        if self.users.get(id).is_some_and(|row| is_so(&row.value)) {
            Ok(())
        } else {
            Err(RepositoryError::Taken(Guarantee::Actor))
        }
    }

    /// Succeeds if no other user has one of the user's names.
    pub(crate) fn names_free(&self, user: &User, own: UserId) -> Result<(), RepositoryError> {
        let taken = user.login_names().iter().any(|name| self.by_name.get(name).is_some_and(|other| *other != own));
        if taken { Err(RepositoryError::Taken(Guarantee::LoginName)) } else { Ok(()) }
    }

    /// Whether a user other than this one is an active superuser.
    pub(crate) fn another_superuser(&self, than: UserId) -> bool {
        let superusers = Query::default().and(Some(Term::flag(true))).and(Some(role(Role::Superuser)));
        self.users.find(superusers, Direction::Up).any(|(id, _)| id != than)
    }

    /// Inserts a new user.
    pub(crate) fn insert_user(&mut self, id: UserId, user: User) {
        self.by_name.extend(user.login_names().into_iter().map(|name| (name, id)));
        let terms = user.terms();
        self.users.insert(id, user, terms);
    }

    /// Replaces the value of a user, except for its last login.
    pub(crate) fn replace_user(&mut self, id: UserId, mut user: User) {
        if let Some(row) = self.users.get(id) {
            user.last_login = row.value.last_login;
            for name in row.value.login_names() {
                self.by_name.remove(&name);
            }
        }
        self.by_name.extend(user.login_names().into_iter().map(|name| (name, id)));
        self.users.replace(id, user);
    }

    /// Inserts a new customer.
    pub(crate) fn insert_customer(&mut self, id: CustomerId, customer: Customer) {
        self.customer_of.insert(customer.user_id, id);
        let terms = customer.terms();
        self.customers.insert(id, customer, terms);
    }

    /// Deletes a customer.
    pub(crate) fn erase_customer(&mut self, id: CustomerId) {
        if let Some(row) = self.customers.get(id) {
            self.customer_of.remove(&row.value.user_id);
        }
        self.customers.erase(id);
    }
}

/// Tokens, and where they are found by their hash and by when they expire.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) rows: Table<Token>,
    by_hash: BTreeMap<TokenHash, TokenId>,
    by_expiry: BTreeSet<(DateTime<Utc>, TokenId)>,
}

impl Indexed for Token {
    fn terms(&self) -> Vec<Term> {
        vec![token_of(self.user_id)]
    }
}

/// The term of tokens of a user.
pub(crate) fn token_of(user: UserId) -> Term {
    Term::id(Kind::User, user)
}

impl Tokens {
    pub(crate) fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// The id of the token with this hash.
    pub(crate) fn id_of(&self, hash: &TokenHash) -> Option<TokenId> {
        self.by_hash.get(hash).copied()
    }

    fn by_hash(&self, hash: &TokenHash) -> Option<&Token> {
        Some(&self.rows.get(self.id_of(hash)?)?.value)
    }

    pub(crate) fn insert(&mut self, id: TokenId, token: Token) {
        self.by_hash.insert(token.hash, id);
        self.by_expiry.insert((token.expires_at, id));
        let terms = token.terms();
        self.rows.insert(id, token, terms);
    }

    pub(crate) fn remove(&mut self, id: TokenId) {
        if let Some(row) = self.rows.get(id) {
            self.by_hash.remove(&row.value.hash);
            self.by_expiry.remove(&(row.value.expires_at, id));
        }
        self.rows.erase(id);
    }

    /// Deletes a token, if it belongs to the user.
    pub(crate) fn revoke(&mut self, revocation: &TokenRevocation) {
        if let Some(id) = self.id_of(&revocation.token).filter(|_| self.is_there(revocation)) {
            self.remove(id);
        }
    }

    /// Whether the token to be revoked is there and belongs to the user.
    pub(crate) fn is_there(&self, revocation: &TokenRevocation) -> bool {
        self.by_hash(&revocation.token).is_some_and(|token| token.user_id == revocation.user_id)
    }

    /// Carries a token of a user over from one epoch to another.
    pub(crate) fn carry_over(&mut self, hash: &TokenHash, user: UserId, from: i64, to: i64) {
        let Some(row) = self.id_of(hash).and_then(|id| self.rows.get_mut(id)) else { return };
        if row.value.user_id == user && row.value.epoch == from {
            row.value.epoch = to;
        }
    }

    /// The tokens that expired before `now`, at most `limit` of them.
    pub(crate) fn expired(&self, now: DateTime<Utc>, limit: usize) -> Vec<TokenId> {
        self.by_expiry.iter().take_while(|(at, _)| *at < now).take(limit).map(|(_, id)| *id).collect()
    }
}
