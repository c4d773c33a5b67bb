//! Real races: tasks on several threads and two handles, which a barrier starts at once, round after round, with exact counts.
//!
//! Rules 3.5 and 3.7 for users, rule 5.1 for services.

use super::Handles;
use super::build::*;
use super::commits::Commits as _;
use super::race::{RACERS, ROUNDS, assert_one_took, assert_one_won, assert_others_conflict, together};
use super::world::World;
use crate::account::{AccountChange, CustomerChange, Login, NewAccount, PasswordHash, PasswordRenewal};
use crate::decision::RowChange;
use crate::directory::{ContactsOfLead, LeadChange};
use crate::id::{CustomerId, Version};
use crate::model::*;
use crate::repository::*;
use crate::wallet::{CardChange, DefaultCard, WalletChange};

pub async fn one_of_many_gets_a_login_name(handles: Handles) {
    let world = World::new(handles);
    for round in 0..u32::from(ROUNDS) {
        let shared = format!("name-{round}@example.com");
        let racers = (0..RACERS).map(|racer| {
            let (store, mut user) = (world.handle(), user(world.number(), Role::Customer));
            // Half of them use it as a user name, half as an e-mail address.
            if racer % 2 == 0 {
                user.username = Username::parse(&shared).unwrap();
            } else {
                user.email = Some(Email::parse(&shared).unwrap());
            }
            async move { store.create_account(&new_user(user), None).await }
        });
        assert_one_took(&together(racers).await, Guarantee::LoginName);
    }
    assert_eq!(world.list_users(&UserFilter::default()).await.len(), usize::from(ROUNDS));
    assert_eq!(world.list_customers(&CustomerFilter::default()).await.len(), usize::from(ROUNDS));
}

pub async fn the_last_two_superusers_cannot_both_go(handles: Handles) {
    let world = World::new(handles);
    let mut survivor = world.account(Role::Superuser).await.user;
    for _ in 0..ROUNDS * 2 {
        let second = world.account(Role::Superuser).await.user;
        let racers = [survivor, second].map(|row| {
            let store = world.handle();
            let change = AccountChange {
                id: row.id,
                expected: Version::FIRST,
                user: User { is_active: false, ..row.value },
                customer: CustomerChange::Keep,
                keep_token: None,
                needs_another_superuser: true,
            };
            async move { store.commit_account(&change, None).await }
        });
        assert_one_took(&together(racers).await, Guarantee::ActiveSuperuser);
        let active = UserFilter { is_active: Some(true), ..UserFilter::default() };
        let mut left = world.list_users(&active).await;
        assert_eq!(left.len(), 1, "one superuser remains");
        survivor = left.remove(0).user;
    }
}

/// Rule 7.2: of many who are to be the first superuser, one is.
pub async fn one_of_many_is_the_first_superuser(handles: Handles) {
    let world = World::new(handles);
    for _ in 0..ROUNDS {
        let racers = (0..RACERS).map(|_| {
            let (store, user) = (world.handle(), user(world.number(), Role::Superuser));
            let new = NewAccount { only_first_superuser: true, ..new_user(user) };
            async move { store.create_account(&new, None).await }
        });
        assert_one_took(&together(racers).await, Guarantee::FirstSuperuser);
        let active = UserFilter { is_active: Some(true), ..UserFilter::default() };
        let row = world.list_users(&active).await.remove(0).user;
        let change = AccountChange {
            id: row.id,
            expected: Version::FIRST,
            user: User { is_active: false, ..row.value },
            customer: CustomerChange::Keep,
            keep_token: None,
            needs_another_superuser: false,
        };
        world.store.commit_account(&change, None).await.unwrap();
    }
    assert_eq!(world.list_users(&UserFilter::default()).await.len(), usize::from(ROUNDS));
}

pub async fn one_of_many_default_cards_is_the_default(handles: Handles) {
    let world = World::new(handles);
    for _ in 0..ROUNDS {
        let customer_id = world.customer().await;
        let racers = (0..RACERS).map(|_| {
            let store = world.handle();
            let card = CardChange::Create(CreditCard { is_default: true, ..credit_card(customer_id) });
            let change = WalletChange { customer_id, expected: Version::FIRST, card, others: DefaultCard::Keep };
            async move { store.commit_wallet(&change, None).await }
        });
        assert_one_won(&together(racers).await, Guarantee::DefaultCard);
        let cards = world.list_cards(&CardFilter { customer_id: Some(customer_id), ..CardFilter::default() }).await;
        assert_eq!(cards.iter().map(|card| card.is_default).collect::<Vec<_>>(), [true]);
    }
}

pub async fn one_of_many_gets_a_vin(handles: Handles) {
    let world = World::new(handles);
    let owner = world.customer().await;
    for round in 0..u32::from(ROUNDS) {
        let racers = (0..RACERS).map(|_| {
            let store = world.handle();
            async move { store.commit_vehicle(&RowChange::Create(vehicle(owner, round)), None).await }
        });
        assert_one_took(&together(racers).await, Guarantee::VehicleIdentity);
    }
    assert_eq!(world.vehicles().await.len(), usize::from(ROUNDS));
}

pub async fn services_are_seeded_once(handles: Handles) {
    let world = World::new(handles);
    let racers = (0..RACERS).map(|_| {
        let store = world.handle();
        let standard = [service(ServiceKind::Lease), service(ServiceKind::Sell)];
        async move { store.seed_services(&standard).await.unwrap() }
    });
    let seeded = together(racers).await;
    assert_eq!(seeded.iter().filter(|seeded| **seeded).count(), 1);
    assert_eq!(world.services().await.len(), 2);
}

/// Several workers read, add one and write, until each has done so `TURNS` times; no update is lost.
pub async fn no_update_of_a_vehicle_is_lost(handles: Handles) {
    const TURNS: i64 = 10;
    let world = World::new(handles);
    let id = world.vehicle(world.customer().await).await;
    let workers = (0..RACERS).map(|_| {
        let store = world.handle();
        async move {
            let mut done = 0;
            while done < TURNS {
                let loaded = store.load_vehicle(id, None, base()).await.unwrap().unwrap();
                let mut value = loaded.vehicle.value.clone();
                value.mileage = Some(value.mileage.unwrap_or(0) + 1);
                match store.commit_vehicle(&RowChange::Update { id, expected: loaded.version, value }, None).await {
                    Ok(_) => done += 1,
                    Err(RepositoryError::Conflict) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
    });
    together(workers).await;
    let count = i64::from(RACERS) * TURNS;
    let loaded = world.load_vehicle(id).await;
    assert_eq!((loaded.vehicle.mileage, loaded.version), (Some(count), Version(count + 1)));
}

/// Two logins and a new password at the same time: none is refused, the tokens of the logins have the old epoch, and the hashes that
/// they renew do not replace the new password.
pub async fn logins_and_a_new_password_do_not_stand_in_each_others_way(handles: Handles) {
    let world = World::new(handles);
    let hash = |text: &str| PasswordHash::from_phc(format!("$argon2id${text}"));
    for round in 0..ROUNDS {
        let row = world.account(Role::Customer).await.user;
        let tokens = [token(row.id, round * 2), token(row.id, round * 2 + 1)];
        let change = AccountChange {
            id: row.id,
            expected: Version::FIRST,
            user: User { token_epoch: 1, password: hash("new"), ..row.value.clone() },
            customer: CustomerChange::Keep,
            keep_token: None,
            needs_another_superuser: false,
        };
        let renewal = PasswordRenewal { from: row.value.password.clone(), to: hash("renewed") };
        let (first, second) = (world.handle(), world.handle());
        let logins = [(first, tokens[0].clone()), (second, tokens[1].clone())]
            .map(|(store, token)| (store, Login { renewal: Some(renewal.clone()), ..Login::new(token, at(9)) }))
            .map(|(store, login)| tokio::spawn(async move { store.commit_login(&login, None).await }));
        world.store.commit_account(&change, None).await.unwrap();
        for login in logins {
            login.await.unwrap().unwrap();
        }
        let user = world.load_account(row.id).await.value.account.user;
        assert_eq!((user.token_epoch, user.last_login, &user.password), (1, Some(at(9)), &hash("new")));
        for token in tokens {
            let (stored, account) = world.store.find_token(TokenKey::Hash(token.hash)).await.unwrap().unwrap();
            assert_eq!((stored.value, account.user.token_epoch), (token, 1));
        }
    }
}

/// A customer is not deleted while a card is added: either the customer has the card, or the customer is deleted.
pub async fn a_customer_is_not_deleted_while_a_card_is_added(handles: Handles) {
    let world = World::new(handles);
    for _ in 0..ROUNDS {
        let account = world.account(Role::Customer).await;
        let id: CustomerId = account.customer_id.unwrap();
        let change = AccountChange {
            id: account.user.id,
            expected: Version::FIRST,
            user: User { role: Role::Staff, ..account.user.value },
            customer: CustomerChange::Delete(id),
            keep_token: None,
            needs_another_superuser: false,
        };
        let card = CardChange::Create(credit_card(id));
        let wallet = WalletChange { customer_id: id, expected: Version::FIRST, card, others: DefaultCard::Keep };
        let (erases, adds) = (world.handle(), world.handle());
        let erases = tokio::spawn(async move { erases.commit_account(&change, None).await.map(|_| ()) });
        let adds = tokio::spawn(async move { adds.commit_wallet(&wallet, None).await.map(|_| ()) });
        assert_others_conflict(&[erases.await.unwrap(), adds.await.unwrap()]);
    }
}

pub async fn one_of_two_claims_of_a_key_is_made(handles: Handles) {
    let world = World::new(handles);
    for key in 0..ROUNDS {
        // First with a key without a record, then with one whose claim has expired.
        for (first_holder, now) in [(1, base()), (100, at(60))] {
            let racers = (first_holder..first_holder + RACERS).map(|holder| {
                let store = world.handle();
                let new = NewClaim { held_until: now + chrono::Duration::seconds(60), ..new_claim(key, holder) };
                async move { store.claim(&new, now).await.unwrap() }
            });
            let states = together(racers).await;
            let claimed = states.iter().position(|state| *state == ClaimState::Claimed).unwrap();
            let holder = first_holder + u8::try_from(claimed).unwrap();
            let held = ClaimState::Held { fingerprint: [holder; 32] };
            assert_eq!(states.iter().filter(|state| **state == held).count(), usize::from(RACERS) - 1, "{states:?}");
        }
    }
}

/// A claim expires just as its holder commits: either the commit is done, or another holder has the key; never both.
pub async fn a_commit_and_a_take_over_exclude_each_other(handles: Handles) {
    let world = World::new(handles);
    for key in 0..ROUNDS {
        world.store.claim(&new_claim(key, 1), base()).await.unwrap();
        let value = Lead { notes: key.to_string(), ..lead() };
        let change = LeadChange { lead: RowChange::Create(value), contacts: ContactsOfLead::Keep };
        let (commits, takes) = (world.handle(), world.handle());
        let commits = tokio::spawn(async move { commits.commit_lead(&change, Some(claim(key, 1))).await });
        let takes = tokio::spawn(async move { takes.claim(&new_claim(key, 2), at(60)).await.unwrap() });
        let ended = (commits.await.unwrap(), takes.await.unwrap());
        let made = world.list_leads(&LeadFilter::default()).await;
        match ended {
            (Ok(id), state) => {
                assert_eq!(state, ClaimState::Done { fingerprint: [1; 32], made: Some(id.get()), held_until: at(60) });
                assert!(made.iter().any(|row| row.id == id));
            }
            (Err(RepositoryError::Taken(Guarantee::Claim)), state) => {
                assert_eq!(state, ClaimState::Claimed);
                assert!(made.iter().all(|row| row.notes != key.to_string()));
            }
            (other, state) => panic!("{other:?}, {state:?}"),
        }
    }
}

/// A claim expires just as its holder renews it: either the holder keeps the key, or another holder has it; never both.
pub async fn a_renewal_and_a_take_over_exclude_each_other(handles: Handles) {
    let world = World::new(handles);
    for key in 0..ROUNDS {
        world.store.claim(&new_claim(key, 1), base()).await.unwrap();
        let (renews, takes) = (world.handle(), world.handle());
        let renews = tokio::spawn(async move { renews.renew_claim(&claim(key, 1), at(120), at(86_400)).await });
        let takes = tokio::spawn(async move { takes.claim(&new_claim(key, 2), at(60)).await.unwrap() });
        match (renews.await.unwrap(), takes.await.unwrap()) {
            (Ok(()), ClaimState::Held { fingerprint }) => assert_eq!(fingerprint, [1; 32]),
            (Err(RepositoryError::Taken(Guarantee::Claim)), ClaimState::Claimed) => {}
            other => panic!("{other:?}"),
        }
    }
}
