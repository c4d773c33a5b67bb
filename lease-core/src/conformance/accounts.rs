//! Users, their customers, and tokens.
//!
//! Rules 3.1 and 3.5.

use std::sync::Arc;

use super::build::*;
use super::commit::written;
use super::commits::{Commits as _, by_system};
use super::world::World;
use crate::account::{
    AccountChange, AccountSnapshot, CustomerChange, FirstToken, Login, NewAccount, PasswordHash, PasswordRenewal, Token,
    TokenRevocation,
};
use crate::decision::RowChange;
use crate::id::{MailId, Version, Versioned};
use crate::lifecycle::{NewInvoice, TradeChanges};
use crate::model::*;
use crate::repository::*;

/// A change of this account, at its present version, to `user`.
async fn change(world: &World, id: crate::id::UserId, user: User) -> AccountChange {
    let expected = world.load_account(id).await.version;
    AccountChange { id, expected, user, customer: CustomerChange::Keep, keep_token: None, needs_another_superuser: false }
}

/// The first token of a user, otherwise like that of [`token`].
fn first_token() -> FirstToken {
    let Token { hash, name, expires_at, .. } = token(nobody(), 1);
    FirstToken { hash, name, expires_at }
}

pub async fn a_new_account_is_stored_completely(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let profile = Profile { job: "Pilot".into(), dob: Some(day(0)), notes: "a\nb".into() };
    let user = User {
        username: Username::parse("Ádá.L+1@x_y-z").unwrap(),
        email: Some(Email::parse("Ada@Example.com").unwrap()),
        date_joined: at(3) + tick(),
        token_epoch: 5,
        ..user(1, Role::Customer)
    };
    let token = Some(first_token());
    let new = NewAccount { profile: Some(profile.clone()), token, ..new_user(user.clone()) };
    let account = world.store.create_account(&new, None).await.unwrap();
    assert_eq!(account.user.value, user);

    let loaded = world.load_account(account.user.id).await;
    let value = AccountSnapshot { account: account.clone(), customer_in_use: false, another_active_superuser: false };
    assert_eq!(loaded, Versioned { version: Version::FIRST, value });
    let customer = world.store.find_customer(account.customer_id.unwrap()).await.unwrap().unwrap();
    let expected =
        Customer { user_id: account.user.id, profile, created_at: at(3) + tick(), annotations: Annotations::default() };
    assert_eq!((customer.version, &**customer), (Version::FIRST, &expected));
    let (token, owner) = world.find_token(1).await.unwrap();
    let expected = Token { epoch: 5, created_at: at(3) + tick(), ..super::build::token(account.user.id, 1) };
    assert_eq!(token.value, expected);
    assert_eq!(owner, account);
    for name in user.login_names() {
        assert_eq!(world.store.find_login(&name).await.unwrap().as_ref(), Some(&account));
    }
    let nobody = [LoginName::new("somebody"), LoginName::new("some\0body")];
    for name in &nobody {
        assert_eq!(world.store.find_login(name).await.unwrap(), None);
    }
    assert_eq!(world.store.taken_names(&nobody).await.unwrap(), []);
}

pub async fn an_account_that_is_refused_leaves_no_customer_and_no_token(store: Arc<dyn Repository>) {
    let world = World::new(store);
    world.register(user(1, Role::Staff)).await;
    let new = NewAccount { token: Some(first_token()), ..new_user(user(1, Role::Customer)) };
    world.assert_taken(Guarantee::LoginName, world.store.create_account(&new, None)).await;
    assert_eq!(world.find_token(1).await, None);
}

pub async fn every_field_of_a_user_but_the_last_login_is_written(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let account = world.account(Role::Customer).await;
    let id = account.user.id;
    world.store.commit_login(&Login::new(token(id, 1), at(1) + tick()), None).await.unwrap();
    let value = User {
        first_name: String::new(),
        last_name: "O'Neil \"x\" \\".into(),
        password: PasswordHash::from_phc("$argon2id$two".into()),
        is_active: false,
        date_joined: at(-5),
        last_login: Some(at(99)),
        token_epoch: 8,
        email_verified_at: Some(at(4) + tick()),
        links: vec![link(LinkPurpose::EmailVerification, 1), link(LinkPurpose::PasswordReset, 2)],
        notices: NoticeSettings { proposals: true, invoices: false, payments: true },
        ..user(77, Role::Customer)
    };
    let change = change(&world, id, value.clone()).await;
    assert_eq!(change.expected, Version::FIRST, "a login does not change the version");
    world.store.commit_account(&change, None).await.unwrap();
    let loaded = world.load_account(id).await;
    assert_user(&loaded.account.user, &User { last_login: Some(at(1) + tick()), ..value });
    assert_eq!((loaded.version, loaded.account.customer_id), (Version::FIRST.next(), account.customer_id));
    world.assert_conflict(world.store.commit_account(&change, None)).await;
    let nobody = AccountChange { id: nobody(), ..change };
    world.assert_conflict(world.store.commit_account(&nobody, None)).await;
}

/// Asserts that a user is read as it was written. `Debug` shows no hash: that two differ is said by itself.
fn assert_user(found: &User, written: &User) {
    assert!(found.password == written.password, "the hash of the password is another");
    assert!(found.links == written.links, "the links are others, or their hashes: {:?}, {:?}", found.links, written.links);
    assert_eq!(found, written);
}

/// A link that is good until this number of seconds.
fn link(purpose: LinkPurpose, number: u8) -> MailLink {
    MailLink {
        purpose,
        hash: LinkHash([number; 32]),
        mail: MailId::new(number.into()).unwrap(),
        expires_at: at(number.into()) + tick(),
    }
}

/// Rules 9.3 to 9.5: whoever reads a user learns whether the address is confirmed, which links are good and which notices are wanted.
pub async fn what_is_mailed_to_a_user_is_read_everywhere(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let row = world.account(Role::Customer).await.user;
    world.store.commit_login(&Login::new(token(row.id, 1), at(1)), None).await.unwrap();
    let most = (0..=255).rev().step_by(50).take(User::MOST_LINKS).map(|number| link(LinkPurpose::PasswordReset, number));
    let some = [LinkPurpose::EmailVerification, LinkPurpose::PasswordReset].map(|purpose| link(purpose, 7));
    let settings = |flags: [bool; 3]| NoticeSettings { proposals: flags[0], invoices: flags[1], payments: flags[2] };
    let states = [
        (None, Vec::new(), settings([true, false, false])),
        (Some(at(-1)), most.collect(), settings([false, false, true])),
        (Some(at(5) + tick()), some.to_vec(), settings([false, true, false])),
    ];
    for (email_verified_at, links, notices) in states {
        let user = User { email_verified_at, links, notices, last_login: Some(at(1)), ..row.value.clone() };
        world.store.commit_account(&change(&world, row.id, user.clone()).await, None).await.unwrap();
        let (token, by_hash) = world.find_token(1).await.unwrap();
        let (_, by_id) = world.store.find_token(TokenKey::Id(token.id)).await.unwrap().unwrap();
        let by_name = world.store.find_login(&user.login_names()[0]).await.unwrap().unwrap();
        let listed = world.list_users(&UserFilter::default()).await.remove(0);
        let loaded = world.load_account(row.id).await.value.account;
        for account in [by_hash, by_id, by_name, listed, loaded] {
            assert_user(&account.user, &user);
        }
    }
}

/// Rule 6.1: the profile is written on the version that the change was decided on, which is the customer's own.
pub async fn every_field_of_a_customer_is_written(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let Account { user, customer_id } = world.account(Role::Customer).await;
    let (id, other) = (customer_id.unwrap(), world.customer().await);
    let others = world.store.find_customer(other).await.unwrap();
    let made =
        Customer { user_id: user.id, profile: Profile::default(), created_at: base(), annotations: Annotations::default() };
    let profile = Profile { job: "O'Neil \"x\" \\".into(), dob: Some(day(0)), notes: "a\nb".into() };
    let filled = Customer { profile, ..made.clone() };
    for (expected, value) in (1..).map(Version).zip([filled, made]) {
        let change = RowChange::Update { id, expected, value: value.clone() };
        world.store.commit_customer(&change).await.unwrap();
        assert_eq!(world.store.find_customer(id).await.unwrap(), Some(written(expected.0 + 1, id, value)));
        world.assert_conflict(world.store.commit_customer(&change)).await;
    }
    assert_eq!(world.store.find_customer(other).await.unwrap(), others);
    assert_eq!(world.load_account(user.id).await.version, Version::FIRST);
    let value = others.unwrap().value.value;
    world
        .assert_conflict(world.store.commit_customer(&RowChange::Update { id: nobody(), expected: Version::FIRST, value }))
        .await;
}

pub async fn a_user_gets_a_customer_and_loses_it(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let account = world.account(Role::Staff).await;
    let (id, staff) = (account.user.id, account.user.value);
    assert_eq!(account.customer_id, None);
    let profile = Profile { job: "Pilot".into(), ..Profile::default() };
    let regular = User { role: Role::Customer, ..staff.clone() };
    let customer = CustomerChange::Create(profile.clone(), at(7));
    let regular = AccountChange { customer, ..change(&world, id, regular).await };
    let made = world.store.commit_account(&regular, None).await.unwrap().unwrap();
    assert_eq!(world.load_account(id).await.account.customer_id, Some(made));
    let read = world.store.find_customer(made).await.unwrap().unwrap();
    assert_eq!(**read, Customer { user_id: id, profile, created_at: at(7), annotations: Annotations::default() });
    assert_eq!(read.version, Version::FIRST);

    let erase = AccountChange { customer: CustomerChange::Delete(made), ..change(&world, id, staff).await };
    world.store.commit_account(&erase, None).await.unwrap();
    assert_eq!(world.load_account(id).await.account.customer_id, None);
    assert_eq!(world.store.find_customer(made).await.unwrap(), None);
    assert_eq!(world.list_customers(&CustomerFilter::default()).await, []);
}

/// Each kind of row that prevents a customer from being deleted, alone if possible.
pub async fn a_customer_with_records_is_not_deleted(store: Arc<dyn Repository>) {
    let world = World::new(store);
    for what in 0..9 {
        assert_not_deleted_with(&world, what).await;
    }
}

pub async fn a_customer_with_a_vehicle_is_not_deleted(store: Arc<dyn Repository>) {
    assert_not_deleted_with(&World::new(store), A_VEHICLE).await;
}

/// Asserts that a customer with a row of this kind is not deleted.
async fn assert_not_deleted_with(world: &World, what: u8) {
    let account = world.account(Role::Customer).await;
    assert!(!world.load_account(account.user.id).await.customer_in_use);
    give_the_customer_a_row(world, account.customer_id.unwrap(), what).await;
    assert!(world.load_account(account.user.id).await.customer_in_use, "thing {what}");
    let staff = User { role: Role::Staff, ..account.user.value };
    let customer = CustomerChange::Delete(account.customer_id.unwrap());
    let erase = AccountChange { customer, ..change(world, account.user.id, staff).await };
    world.assert_conflict(world.store.commit_account(&erase, None)).await;
}

const A_VEHICLE: u8 = 4;

async fn give_the_customer_a_row(world: &World, customer: crate::id::CustomerId, what: u8) {
    match what {
        0 => {
            world.card(customer).await;
        }
        1 => {
            world.card_of(CreditCard { deleted_at: Some(at(1)), ..credit_card(customer) }).await;
        }
        2 => {
            world.contact(ContactOwner::Customer(customer)).await;
        }
        3 => {
            world.lead(Lead { state: LeadState::Converted(customer), ..lead() }).await;
        }
        A_VEHICLE => {
            world.vehicle(customer).await;
        }
        // A trade of a vehicle that the customer has since sold.
        5 => {
            let (trade, buyer) = (world.trade(customer).await, world.customer().await);
            let proposal = world.propose(trade, customer).await;
            world.sell(trade, proposal, buyer).await;
        }
        // The counterparty of a trade.
        6 => {
            let deal = world.deal().await;
            world.agree(deal.trade, deal.proposal, customer).await;
        }
        7 => {
            world.propose(world.deal().await.trade, customer).await;
        }
        _ => {
            let deal = world.deal().await;
            let new_invoice = Some(NewInvoice { proposal_id: Some(deal.proposal), ..new_invoice(customer) });
            world.commit(deal.trade, &TradeChanges { new_invoice, ..TradeChanges::default() }).await;
        }
    }
}

pub async fn a_token_needs_a_user_that_exists(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let login = Login::new(token(nobody(), 1), at(1));
    world.assert_conflict(world.store.commit_login(&login, None)).await;
    world.assert_conflict(world.store.create_token(&token(nobody(), 1), None)).await;
    assert_eq!(world.find_token(1).await, None);
}

pub async fn a_user_may_have_many_tokens_and_revoke_one(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let account = world.account(Role::Staff).await;
    let id = account.user.id;
    for number in [1, 2] {
        let login = Login::new(token(id, number), at(number.into()));
        world.store.commit_login(&login, None).await.unwrap();
    }
    let (found, owner) = world.find_token(1).await.unwrap();
    assert_eq!((found.value, owner.user.last_login), (token(id, 1), Some(at(2))));
    world.store.delete_token(&token_hash(1), None).await.unwrap();
    world.store.delete_token(&token_hash(1), None).await.unwrap();
    assert_eq!(world.find_token(1).await, None);
    assert!(world.find_token(2).await.is_some());
}

/// A token is found even if it has expired, has an old epoch or belongs to a deactivated user: the core decides whether it is
/// valid.
pub async fn a_token_is_found_with_its_account(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let row = world.account(Role::Staff).await.user;
    let old = Token { expires_at: at(-86_400), ..token(row.id, 1) };
    world.store.commit_login(&Login::new(old.clone(), base()), None).await.unwrap();
    let value = User { is_active: false, token_epoch: 1, ..row.value };
    world.store.commit_account(&change(&world, row.id, value).await, None).await.unwrap();
    let (found, account) = world.find_token(1).await.unwrap();
    assert_eq!((found.value, account.user.is_active, account.user.token_epoch), (old, false, 1));
}

pub async fn one_token_is_kept_in_a_new_epoch(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (row, other) = (world.account(Role::Staff).await.user, world.account(Role::Staff).await.user);
    // The other user's token is of the epoch from which it would be carried over.
    let others = Token { epoch: 1, ..token(other.id, 3) };
    for token in [token(row.id, 1), token(row.id, 2), others] {
        world.store.commit_login(&Login::new(token, base()), None).await.unwrap();
    }
    let user = User { token_epoch: 1, last_login: Some(base()), ..row.value };
    let keep = |number| Some(token_hash(number));
    let kept = AccountChange { keep_token: keep(1), ..change(&world, row.id, user.clone()).await };
    world.store.commit_account(&kept, None).await.unwrap();
    // Another user's token is not carried over.
    let stolen = User { token_epoch: 2, ..user.clone() };
    let stolen = AccountChange { keep_token: keep(3), ..change(&world, row.id, stolen).await };
    world.store.commit_account(&stolen, None).await.unwrap();
    // Nor is a token that was revoked before.
    let user = User { token_epoch: 3, ..user };
    let revived = AccountChange { keep_token: keep(2), ..change(&world, row.id, user).await };
    world.store.commit_account(&revived, None).await.unwrap();
    for (number, epoch) in [(1, 1), (2, 0), (3, 1)] {
        let (found, _) = world.find_token(number).await.unwrap();
        assert_eq!(found.epoch, epoch, "token {number}");
    }
}

pub async fn expired_tokens_are_purged_some_at_a_time(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let id = world.account(Role::Staff).await.user.id;
    for number in 0..5_u8 {
        let token = Token { expires_at: at(i64::from(number)), ..token(id, number) };
        world.store.commit_login(&Login::new(token, base()), None).await.unwrap();
    }
    assert_eq!(world.store.purge_tokens(at(0), 10).await.unwrap(), 0, "one that expires now has not expired before");
    assert_eq!(world.store.purge_tokens(at(4), 3).await.unwrap(), 3);
    assert_eq!(world.store.purge_tokens(at(4), 3).await.unwrap(), 1);
    assert_eq!(world.store.purge_tokens(at(4), 3).await.unwrap(), 0);
    for number in 0..5 {
        let left = world.find_token(number).await.is_some();
        assert_eq!(left, number == 4, "token {number}");
    }
}

pub async fn a_login_changes_no_version(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let row = world.account(Role::Staff).await.user;
    let renamed = change(&world, row.id, User { first_name: "New".into(), ..row.value }).await;
    world.store.commit_login(&Login::new(token(row.id, 1), at(1)), None).await.unwrap();
    world.store.commit_account(&renamed, None).await.unwrap();
    let loaded = world.load_account(row.id).await;
    assert_eq!((loaded.version, loaded.account.user.last_login), (Version(2), Some(at(1))));
}

/// Rule 3.7: a login writes the new hash of a password, and nothing else of the user.
pub async fn a_login_renews_the_hash_that_was_verified(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let row = world.account(Role::Customer).await.user;
    world.store.commit_login(&Login::new(token(row.id, 1), at(1)), None).await.unwrap();
    let hash = |text: &str| PasswordHash::from_phc(format!("$argon2id${text}"));
    let renewal = PasswordRenewal { from: row.password.clone(), to: hash("renewed") };
    let login = Login { renewal: Some(renewal), ..Login::new(token(row.id, 2), at(2)) };
    world.store.commit_login(&login, None).await.unwrap();
    let loaded = world.load_account(row.id).await;
    let expected = User { password: hash("renewed"), last_login: Some(at(2)), ..row.value.clone() };
    assert_eq!(loaded.version, Version::FIRST);
    assert_user(&loaded.account.user, &expected);
    assert!(world.find_token(1).await.is_some());

    // Another hash than the one that was verified stays, and the user is logged in all the same.
    let stale = PasswordRenewal { from: row.password.clone(), to: hash("stale") };
    let login = Login { renewal: Some(stale), ..Login::new(token(row.id, 3), at(3)) };
    world.store.commit_login(&login, None).await.unwrap();
    let user = world.load_account(row.id).await.value.account.user;
    assert!(user.password == hash("renewed"), "only the hash that was verified is replaced");
    assert_eq!(user.last_login, Some(at(3)));
    assert!(world.find_token(3).await.is_some());
}

/// Rule 7.2: a superuser who is to be the first one is refused where there is an active one, and only there.
pub async fn the_first_superuser_is_made_where_there_is_no_active_one(store: Arc<dyn Repository>) {
    let world = World::new(store);
    world.account(Role::Staff).await;
    world.register(User { is_active: false, ..user(world.number(), Role::Superuser) }).await;
    let first = || NewAccount { only_first_superuser: true, ..new_user(user(world.number(), Role::Superuser)) };
    let made = world.store.create_account(&first(), None).await.unwrap();
    assert_eq!(world.load_account(made.user.id).await.account, made);
    world.assert_taken(Guarantee::FirstSuperuser, world.store.create_account(&first(), None)).await;
    world.account(Role::Superuser).await;
    world.assert_taken(Guarantee::FirstSuperuser, world.store.create_account(&first(), None)).await;
}

pub async fn a_snapshot_says_whether_there_is_another_active_superuser(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let row = world.account(Role::Superuser).await.user;
    let staff = world.account(Role::Staff).await.user;
    world.register(User { is_active: false, ..user(world.number(), Role::Superuser) }).await;
    assert!(!world.load_account(row.id).await.another_active_superuser);
    assert!(world.load_account(staff.id).await.another_active_superuser);
    world.account(Role::Superuser).await;
    assert!(world.load_account(row.id).await.another_active_superuser);
}

pub async fn a_token_is_revoked_by_its_own_user_alone(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (owner, other) = (world.account(Role::Customer).await.user.id, world.account(Role::Customer).await.user.id);
    world.store.commit_login(&Login::new(token(owner, 1), base()), None).await.unwrap();
    let revocation = |user_id| by_system(TokenRevocation { user_id, token: token_hash(1) }, None);
    world.store.commit(&revocation(other)).await.unwrap();
    assert!(world.find_token(1).await.is_some());
    world.store.commit(&revocation(owner)).await.unwrap();
    assert_eq!(world.find_token(1).await, None);
}
