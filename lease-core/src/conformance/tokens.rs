//! Tokens that have names and ids.
//!
//! Rules 3.3 and 3.6.

use std::sync::Arc;

use super::Handles;
use super::build::*;
use super::commits::{Commits as _, by_system};
use super::processes::ROUNDS;
use super::world::World;
use crate::account::{AccountChange, CustomerChange, Login, Token, TokenRevocation};
use crate::id::{Stored, UserId};
use crate::model::{Role, User};
use crate::repository::{Repository, RepositoryError, TokenFilter, TokenKey};

/// Moves the user on to the next epoch, and carries over the token of this number.
async fn revoke_others(world: &World, id: UserId, kept: u8) {
    let loaded = world.load_account(id).await;
    let epoch = loaded.account.user.token_epoch;
    let change = AccountChange {
        id,
        expected: loaded.version,
        user: User { token_epoch: epoch + 1, ..loaded.value.account.user.value },
        customer: CustomerChange::Keep,
        keep_token: Some(token_hash(kept)),
        needs_another_superuser: false,
    };
    world.store.commit_account(&change, None).await.unwrap();
}

/// A token is found by its hash and by its id, however it was created.
pub async fn every_field_of_a_token_is_kept(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let account = world.account(Role::Staff).await;
    let user_id = account.user.id;
    let value = Token { name: "O'Neil \"x\" \\ Ада".into(), created_at: at(7) + tick(), ..token(user_id, 1) };
    let created = world.store.create_token(&value, None).await.unwrap();
    let login = Login::new(Token { created_at: at(8) + tick(), ..token(user_id, 2) }, at(8));
    let logged_in = world.store.commit_login(&login, None).await.unwrap();
    for (number, id, value) in [(1, created, value), (2, logged_in, login.token)] {
        let (stored, owner) = world.find_token(number).await.unwrap();
        assert_eq!((stored, owner.user.id), (Stored { id, value: value.clone() }, user_id));
        let (stored, owner) = world.store.find_token(TokenKey::Id(id)).await.unwrap().unwrap();
        assert_eq!((stored, owner.user.id), (Stored { id, value }, user_id));
    }
    assert!(created < logged_in, "a later token has a larger id");
    assert_eq!(world.load_account(user_id).await.account.user.last_login, Some(at(8)), "only a login is one");
    assert_eq!(world.store.find_token(TokenKey::Id(nobody())).await.unwrap(), None);
}

/// Neither expired tokens nor revoked ones are listed, nor those of another user. One that is kept when others are revoked is.
pub async fn only_live_tokens_of_the_user_are_listed(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (user_id, other) = (world.account(Role::Customer).await.user.id, world.account(Role::Customer).await.user.id);
    for token in [token(user_id, 1), token(other, 2), Token { expires_at: at(9), ..token(user_id, 3) }, token(user_id, 4)] {
        world.store.create_token(&token, None).await.unwrap();
    }
    let listed = async |user_id, now| {
        let tokens = world.list_tokens(&TokenFilter { user_id }, now).await;
        tokens.iter().map(|token| token.hash.0[0]).collect::<Vec<_>>()
    };
    assert_eq!(listed(user_id, at(9) - tick()).await, [4, 3, 1]);
    assert_eq!(listed(user_id, at(9)).await, [4, 1], "over at the instant at which it expires");
    assert_eq!(listed(other, base()).await, [2]);
    assert!(listed(nobody(), base()).await.is_empty());

    world.store.commit(&by_system(TokenRevocation { user_id, token: token_hash(4) }, None)).await.unwrap();
    assert_eq!(listed(user_id, base()).await, [3, 1]);
    revoke_others(&world, user_id, 1).await;
    assert_eq!((listed(user_id, base()).await, listed(other, base()).await), (vec![1], vec![2]));
    world.store.create_token(&Token { epoch: 1, ..token(user_id, 5) }, None).await.unwrap();
    assert_eq!(listed(user_id, base()).await, [5, 1]);
}

/// The epoch that a decision read may be over when it is committed.
pub async fn a_token_of_an_old_epoch_is_not_created(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let user_id = world.account(Role::Customer).await.user.id;
    world.store.create_token(&token(user_id, 1), None).await.unwrap();
    revoke_others(&world, user_id, 1).await;
    for epoch in [0, 2] {
        world.assert_conflict(world.store.create_token(&Token { epoch, ..token(user_id, 2) }, None)).await;
    }
    assert_eq!(world.find_token(2).await, None);
}

/// Either the token comes first, and is revoked with the others, or it is refused.
pub async fn a_new_token_and_a_new_password_exclude_each_other(handles: Handles) {
    let world = World::new(handles);
    for _ in 0..*ROUNDS {
        let user_id = world.account(Role::Customer).await.user.id;
        world.store.create_token(&token(user_id, 1), None).await.unwrap();
        let creates = world.handle();
        let creates = tokio::spawn(async move { creates.create_token(&token(user_id, 2), None).await });
        revoke_others(&world, user_id, 1).await;
        match creates.await.unwrap() {
            Ok(id) => {
                let (stored, owner) = world.store.find_token(TokenKey::Id(id)).await.unwrap().unwrap();
                assert!(!stored.is_live(&owner.user, base()));
            }
            Err(error) => assert!(matches!(error, RepositoryError::Conflict), "{error:?}"),
        }
        let left = world.list_tokens(&TokenFilter { user_id }, base()).await;
        assert_eq!(left.iter().map(|token| token.hash).collect::<Vec<_>>(), [token_hash(1)]);
        for number in [1, 2] {
            world.store.delete_token(&token_hash(number), None).await.unwrap();
        }
    }
}
